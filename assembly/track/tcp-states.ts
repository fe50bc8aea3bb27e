import { TCP_FLAG_ACK, TCP_FLAG_FIN, TCP_FLAG_RST, TCP_FLAG_SYN, TCP_FLAG_URG } from "../abi/wire";
import { DIRECTION_ORIGINAL } from "../table/flow/layout";

/** What a segment's flags make of it, the first that is set of RST, SYN, FIN and ACK. */
export const SEGMENT_NONE: u32 = 0;
export const SEGMENT_SYN: u32 = 1;
export const SEGMENT_SYN_ACK: u32 = 2;
export const SEGMENT_FIN: u32 = 3;
export const SEGMENT_ACK: u32 = 4;
export const SEGMENT_RST: u32 = 5;

/** Beside TCP_ states, what a segment may lead to: it passes and moves nothing, or it is INVALID. */
export const TCP_IGNORE: u32 = 14;
export const TCP_INVALID: u32 = 15;

/**
 * Where a segment leads, four bits for each state it may find, TCP_NONE in the lowest ones
 * (nf_conntrack_proto_tcp.c).
 */
const ORIGINAL_SYN: u64 = 0x9_1_1_e_e_e_e_e_1_1;
const ORIGINAL_SYN_ACK: u64 = 0x2_f_f_f_f_f_f_2_f_f;
const ORIGINAL_ACK: u64 = 0xf_8_7_7_5_5_3_3_f_3;
const REPLY_SYN: u64 = 0x9_f_1_f_f_f_f_f_9_f;
const REPLY_SYN_ACK: u64 = 0x2_e_e_e_e_e_e_e_2_f;
const REPLY_ACK: u64 = 0xe_8_7_7_5_5_3_2_e_f;
const FIN: u64 = 0xf_8_7_6_6_6_4_4_f_f;
const RST: u64 = 0x8_8_8_8_8_8_8_8_8_f;
const NOWHERE: u64 = 0xf_f_f_f_f_f_f_f_f_f;

export function segmentOf(flags: u32): u32 {
  if ((flags & TCP_FLAG_RST) != 0) return SEGMENT_RST;
  if ((flags & TCP_FLAG_SYN) != 0) return (flags & TCP_FLAG_ACK) != 0 ? SEGMENT_SYN_ACK : SEGMENT_SYN;
  if ((flags & TCP_FLAG_FIN) != 0) return SEGMENT_FIN;
  return (flags & TCP_FLAG_ACK) != 0 ? SEGMENT_ACK : SEGMENT_NONE;
}

/** Whether a segment may have these flags together; PSH, ECE and CWR always may be set. */
export function areFlagsValid(flags: u32): bool {
  const way = flags & (TCP_FLAG_SYN | TCP_FLAG_FIN | TCP_FLAG_RST | TCP_FLAG_ACK);
  const urgent = (flags & TCP_FLAG_URG) != 0;
  if (way == TCP_FLAG_RST || way == (TCP_FLAG_RST | TCP_FLAG_ACK)) return !urgent;
  if (way == (TCP_FLAG_SYN | TCP_FLAG_ACK)) return !urgent;
  return way == TCP_FLAG_SYN || way == TCP_FLAG_ACK || way == (TCP_FLAG_FIN | TCP_FLAG_ACK);
}

function waysOf(direction: u32, segment: u32): u64 {
  if (segment == SEGMENT_RST) return RST;
  if (segment == SEGMENT_FIN) return FIN;
  if (segment == SEGMENT_NONE) return NOWHERE;
  const original = direction == DIRECTION_ORIGINAL;
  if (segment == SEGMENT_SYN) return original ? ORIGINAL_SYN : REPLY_SYN;
  if (segment == SEGMENT_SYN_ACK) return original ? ORIGINAL_SYN_ACK : REPLY_SYN_ACK;
  return original ? ORIGINAL_ACK : REPLY_ACK;
}

/** The state that a segment (SEGMENT_) of one direction leads to from another, or TCP_IGNORE or TCP_INVALID. */
export function tcpNext(direction: u32, segment: u32, state: u32): u32 {
  return <u32>(waysOf(direction, segment) >> (state << 2)) & 15;
}
