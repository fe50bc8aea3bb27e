import { load16, load32 } from "../bytes";
import { Packet } from "../packet";
import {
  CHUNK_COOKIE_ACK,
  CHUNK_COOKIE_ECHO,
  CHUNK_INIT,
  CHUNK_INIT_ACK,
  CHUNK_SHUTDOWN_COMPLETE,
} from "./sctp-states";

/** The chunks of SCTP packets (RFC 9260 §3). */

const VERIFICATION_TAG: u32 = 4;
export const HEADER_LEN: u32 = 12;
const CHUNK_LENGTH: u32 = 2;
export const CHUNK_LEN: u32 = 4;
/** An INIT's initiate tag, and how much of its body there must be. */
const INIT_LEN: u32 = 16;

/** Octets from one chunk to the next. */
export function strideOf(chunk: usize): u32 {
  return (load16(chunk + CHUNK_LENGTH) + 3) & ~3;
}

export function kindOf(chunk: usize): u32 {
  return load<u8>(chunk);
}

export function tagOf(packet: Packet): u32 {
  return load32(packet.transport + VERIFICATION_TAG);
}

/** Whether a packet's first chunk is of a kind. */
export function startsWith(packet: Packet, kind: u32): bool {
  return packet.segment >= HEADER_LEN + CHUNK_LEN && kindOf(packet.transport + HEADER_LEN) == kind;
}

/** The kinds of a packet's chunks (bits, up to 63), 0 where their order or length is wrong (do_basic_checks). */
export function kindsOf(packet: Packet): u64 {
  let kinds: u64 = 0;
  let alone = false;
  for (let at = HEADER_LEN; at + CHUNK_LEN <= packet.segment; ) {
    const chunk = packet.transport + at;
    const kind = kindOf(chunk);
    if (kind == CHUNK_INIT || kind == CHUNK_INIT_ACK || kind == CHUNK_SHUTDOWN_COMPLETE) alone = true;
    const isLeader = alone || kind == CHUNK_COOKIE_ACK || kind == CHUNK_COOKIE_ECHO;
    if ((isLeader && at != HEADER_LEN) || strideOf(chunk) == 0) return 0;
    kinds |= (<u64>1) << min<u32>(kind, 63);
    at += strideOf(chunk);
  }
  return kinds;
}

export function has(kinds: u64, kind: u32): bool {
  return ((kinds >> kind) & 1) != 0;
}

/** An INIT's or INIT ACK's body is there. */
export function hasInit(packet: Packet, chunk: usize): bool {
  return chunk + CHUNK_LEN + INIT_LEN <= <usize>(packet.transport + packet.segment);
}
