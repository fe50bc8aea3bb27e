import { DIRECTION_ORIGINAL } from "../table/flow/layout";

/** Kinds of chunks (RFC 9260 §3.2). */
export const CHUNK_DATA: u32 = 0;
export const CHUNK_INIT: u32 = 1;
export const CHUNK_INIT_ACK: u32 = 2;
const CHUNK_SACK: u32 = 3;
export const CHUNK_HEARTBEAT: u32 = 4;
export const CHUNK_HEARTBEAT_ACK: u32 = 5;
export const CHUNK_ABORT: u32 = 6;
export const CHUNK_SHUTDOWN: u32 = 7;
export const CHUNK_SHUTDOWN_ACK: u32 = 8;
export const CHUNK_ERROR: u32 = 9;
export const CHUNK_COOKIE_ECHO: u32 = 10;
export const CHUNK_COOKIE_ACK: u32 = 11;
export const CHUNK_SHUTDOWN_COMPLETE: u32 = 14;

/** Beside SCTP_ states. */
export const SCTP_INVALID: u32 = 15;

/**
 * Where a chunk leads, four bits for each state it may find, SCTP_NONE in the lowest ones
 * (nf_conntrack_proto_sctp.c, since Linux 6.6 also where both ends begin at once). A chunk of another kind leads nowhere.
 */
const ORIGINAL_STAYS: u64 = 0x1_7_6_5_4_3_2_1_1;
const REPLY_STAYS: u64 = 0xf_7_6_5_4_3_2_1_f;

function originalWays(chunk: u32): u64 {
  if (chunk == CHUNK_INIT) return 0x2_7_1_1_4_3_2_1_1;
  if (chunk == CHUNK_ABORT) return 0x1_1_1_1_1_1_1_1_1;
  if (chunk == CHUNK_SHUTDOWN) return 0x1_7_6_5_5_3_2_1_1;
  if (chunk == CHUNK_SHUTDOWN_ACK) return 0x7_7_7_7_4_3_2_1_7;
  if (chunk == CHUNK_COOKIE_ECHO) return 0x1_7_6_5_4_3_3_1_1;
  if (chunk == CHUNK_COOKIE_ACK) return 0x1_7_6_5_4_4_2_1_1;
  if (chunk == CHUNK_SHUTDOWN_COMPLETE) return 0x1_1_6_5_4_3_2_1_1;
  if (chunk == CHUNK_HEARTBEAT) return 0x8_7_6_5_4_3_2_1_8;
  return chunk == CHUNK_HEARTBEAT_ACK ? 0x8_7_6_5_4_3_2_1_1 : ORIGINAL_STAYS;
}

function replyWays(chunk: u32): u64 {
  if (chunk == CHUNK_INIT_ACK) return 0xf_7_6_5_4_3_2_2_f;
  if (chunk == CHUNK_ABORT) return 0xf_1_1_1_1_1_1_1_f;
  if (chunk == CHUNK_SHUTDOWN) return 0xf_7_6_5_6_3_2_1_f;
  if (chunk == CHUNK_SHUTDOWN_ACK) return 0xf_7_7_7_4_3_2_1_f;
  if (chunk == CHUNK_ERROR) return 0xf_7_6_5_4_1_2_1_f;
  if (chunk == CHUNK_COOKIE_ECHO) return 0xf_7_6_5_4_3_3_1_f;
  if (chunk == CHUNK_COOKIE_ACK) return 0xf_7_6_5_4_4_2_1_f;
  if (chunk == CHUNK_SHUTDOWN_COMPLETE) return 0xf_1_6_5_4_3_2_1_f;
  if (chunk == CHUNK_HEARTBEAT) return 0x8_7_6_5_4_3_2_1_f;
  return chunk == CHUNK_HEARTBEAT_ACK ? 0x4_7_6_5_4_3_2_1_f : REPLY_STAYS;
}

function moves(chunk: u32): bool {
  return (
    (chunk >= CHUNK_INIT && chunk <= CHUNK_COOKIE_ACK && chunk != CHUNK_SACK) ||
    chunk == CHUNK_SHUTDOWN_COMPLETE
  );
}

/** The state that a chunk of one direction leads to from another, or SCTP_INVALID. */
export function sctpNext(direction: u32, chunk: u32, state: u32): u32 {
  if (!moves(chunk)) return state;
  const ways = direction == DIRECTION_ORIGINAL ? originalWays(chunk) : replyWays(chunk);
  return <u32>(ways >> (state << 2)) & 15;
}
