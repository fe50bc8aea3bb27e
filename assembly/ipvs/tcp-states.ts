import { TCP_FLAG_ACK, TCP_FLAG_FIN, TCP_FLAG_RST, TCP_FLAG_SYN } from "../abi/wire";
import { WAY_IN, WAY_OUT } from "./way";

/**
 * Where a segment leads, four bits for each VS_TCP_ state it may find, VS_TCP_NONE in the lowest ones
 * (ip_vs_proto_tcp.c). Segments are told apart by the first flag that is set of RST, SYN, FIN and ACK.
 */
const IN_SYN: u64 = 0x3_3_3_3_3_3_3_3_1_1_3;
const IN_FIN: u64 = 0x5_9_8_7_6_5_5_5_2_7_6;
const IN_ACK: u64 = 0x1_9_6_7_6_5_4_1_2_1_1;
const IN_RST: u64 = 0x3_9_8_6_6_6_6_3_6_6_6;
const OUT_SYN: u64 = 0x3_9_2_2_2_2_2_3_2_1_2;
const OUT_FIN: u64 = 0x5_9_8_5_6_5_4_5_2_4_5;
const OUT_ACK: u64 = 0x1_1_8_7_6_5_4_1_2_1_1;
const OUT_RST: u64 = 0x6_6_6_6_6_5_6_6_2_6_6;
const ALONE_FIN: u64 = 0x5_9_8_7_6_5_4_5_2_4_6;
const ALONE_RST: u64 = 0x6_9_8_6_6_6_6_3_6_6_6;
/** With secure_tcp a client's ACK does not establish what it began itself. */
const SECURE_IN_SYN: u64 = 0xa_3_3_3_3_3_3_3_1_1_3;
const SECURE_IN_FIN: u64 = 0xa_9_8_7_6_5_5_5_2_7_6;
const SECURE_IN_ACK: u64 = 0xa_9_6_7_6_5_4_3_2_1_1;
const SECURE_OUT_SYN: u64 = 0xa_9_2_2_2_2_2_a_2_1_2;
const SECURE_ALONE_SYN: u64 = 0xa_a_a_a_a_a_a_3_1_1_a;

const SYN: u32 = 0;
const FIN: u32 = 1;
const ACK: u32 = 2;
const RST: u32 = 3;
const NOTHING: u32 = 4;

function segmentOf(flags: u32): u32 {
  if ((flags & TCP_FLAG_RST) != 0) return RST;
  if ((flags & TCP_FLAG_SYN) != 0) return SYN;
  if ((flags & TCP_FLAG_FIN) != 0) return FIN;
  return (flags & TCP_FLAG_ACK) != 0 ? ACK : NOTHING;
}

function inWays(segment: u32, isSecure: bool): u64 {
  if (segment == SYN) return isSecure ? SECURE_IN_SYN : IN_SYN;
  if (segment == FIN) return isSecure ? SECURE_IN_FIN : IN_FIN;
  if (segment == ACK) return isSecure ? SECURE_IN_ACK : IN_ACK;
  return isSecure ? ALONE_RST : IN_RST;
}

function outWays(segment: u32, isSecure: bool): u64 {
  if (segment == SYN) return isSecure ? SECURE_OUT_SYN : OUT_SYN;
  if (segment == FIN) return OUT_FIN;
  return segment == ACK ? OUT_ACK : OUT_RST;
}

function aloneWays(segment: u32, isSecure: bool): u64 {
  if (segment == SYN) return isSecure ? SECURE_ALONE_SYN : IN_SYN;
  if (segment == FIN) return ALONE_FIN;
  return segment == ACK ? IN_ACK : ALONE_RST;
}

/** VS_TCP_CLOSE from wherever it was. */
const CLOSE: u64 = 0x6_6_6_6_6_6_6_6_6_6_6;

/** The VS_TCP_ state that a segment's flags lead to from another, on one WAY_; what has none of the flags closes. */
export function tcpNext(way: u32, flags: u32, state: u32, isSecure: bool): u32 {
  const segment = segmentOf(flags);
  let ways = CLOSE;
  if (segment == NOTHING) ways = CLOSE;
  else if (way == WAY_IN) ways = inWays(segment, isSecure);
  else ways = way == WAY_OUT ? outWays(segment, isSecure) : aloneWays(segment, isSecure);
  return <u32>(ways >> (state << 2)) & 15;
}
