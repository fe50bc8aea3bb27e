import {
  CHUNK_ABORT,
  CHUNK_COOKIE_ACK,
  CHUNK_COOKIE_ECHO,
  CHUNK_ERROR,
  CHUNK_INIT,
  CHUNK_INIT_ACK,
  CHUNK_SHUTDOWN,
  CHUNK_SHUTDOWN_ACK,
  CHUNK_SHUTDOWN_COMPLETE,
} from "../track/sctp-states";
import { WAY_IN, WAY_OUT } from "./way";

/** Where a chunk leads, four bits for each VS_SCTP_ state it may find, VS_SCTP_NONE in the lowest ones (ip_vs_proto_sctp.c). */
const DATA: u64 = 0xd_c_b_a_9_8_7_6_5_4_3_2_1_8;

function inWays(chunk: u32): u64 {
  if (chunk == CHUNK_INIT) return 0x2_2_b_a_9_8_7_6_5_4_3_2_2_1;
  if (chunk == CHUNK_INIT_ACK) return 0xd_c_b_a_9_8_7_6_6_4_3_5_5_5;
  if (chunk == CHUNK_COOKIE_ECHO) return 0xd_c_b_a_9_8_7_6_5_4_4_2_2_4;
  if (chunk == CHUNK_COOKIE_ACK) return 0xd_c_b_a_9_8_8_6_5_4_3_2_1_8;
  if (chunk == CHUNK_SHUTDOWN) return 0xd_c_b_a_9_a_7_6_5_4_3_2_1_a;
  if (chunk == CHUNK_SHUTDOWN_ACK) return 0xd_c_d_a_d_8_7_6_5_4_3_2_2_d;
  if (chunk == CHUNK_SHUTDOWN_COMPLETE) return 0xd_c_d_a_9_8_7_6_5_4_3_d_d_d;
  if (chunk == CHUNK_ERROR) return 0xd_c_b_a_9_8_d_6_5_4_3_2_1_d;
  return chunk == CHUNK_ABORT ? 0xd_d_d_d_d_d_d_d_c_d_d_d_d_d : DATA;
}

function outWays(chunk: u32): u64 {
  if (chunk == CHUNK_INIT) return 0x5_5_5_5_5_8_5_5_5_5_5_5_5_5;
  if (chunk == CHUNK_INIT_ACK) return 0xd_c_b_a_9_8_7_6_5_4_3_3_3_3;
  if (chunk == CHUNK_COOKIE_ECHO) return 0xd_c_b_a_9_8_7_7_7_7_7_7_7_7;
  if (chunk == CHUNK_COOKIE_ACK) return 0xd_c_b_a_9_8_8_8_8_8_8_8_8_8;
  if (chunk == CHUNK_SHUTDOWN) return 0xd_c_b_a_9_9_9_9_9_9_9_9_9_9;
  if (chunk == CHUNK_SHUTDOWN_ACK) return 0xd_c_b_b_b_8_7_6_5_b_b_b_b_b;
  if (chunk == CHUNK_SHUTDOWN_COMPLETE) return 0xd_c_b_a_9_8_7_6_5_4_3_2_1_d;
  if (chunk == CHUNK_ERROR) return 0xd_c_b_a_9_8_7_6_5_d_d_d_d_d;
  return chunk == CHUNK_ABORT ? 0xd_d_d_d_d_d_d_d_d_d_d_d_c_d : DATA;
}

function aloneWays(chunk: u32): u64 {
  if (chunk == CHUNK_INIT) return 0x2_2_b_a_9_8_7_6_2_2_2_2_2_1;
  if (chunk == CHUNK_INIT_ACK) return 0xd_c_b_a_9_8_7_6_7_7_7_7_7_7;
  if (chunk == CHUNK_COOKIE_ECHO) return 0xd_c_b_a_9_8_7_6_8_8_8_8_8_8;
  if (chunk == CHUNK_COOKIE_ACK) return 0xd_c_b_a_9_8_8_8_5_8_8_2_1_8;
  if (chunk == CHUNK_SHUTDOWN) return 0xd_c_b_a_9_a_7_6_5_4_3_2_1_a;
  if (chunk == CHUNK_SHUTDOWN_ACK) return 0xd_c_d_a_d_d_7_6_5_4_3_2_2_d;
  if (chunk == CHUNK_SHUTDOWN_COMPLETE) return 0xd_c_d_d_9_8_7_6_5_d_d_d_d_d;
  if (chunk == CHUNK_ERROR) return 0xd_c_b_a_9_8_7_6_5_4_3_2_1_d;
  return chunk == CHUNK_ABORT ? 0xd_d_d_d_d_d_d_d_c_d_d_d_d_d : 0xd_c_b_a_9_8_7_6_8_4_3_2_1_8;
}

/** The VS_SCTP_ state that a packet with a chunk leads to from another, on one WAY_. */
export function sctpNext(way: u32, chunk: u32, state: u32): u32 {
  const ways = way == WAY_IN ? inWays(chunk) : way == WAY_OUT ? outWays(chunk) : aloneWays(chunk);
  return <u32>(ways >> (state << 2)) & 15;
}
