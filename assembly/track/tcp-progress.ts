import { DIRECTION_ORIGINAL, DIRECTION_REPLY } from "../table/flow/layout";

/**
 * TCP's part of a connection (struct ip_ct_tcp). Of its progress: the state; the kind and the direction of the last
 * segment that counted; and what is to be remembered. detail0 is the sequence number behind that segment, detail1 what
 * a segment acknowledged.
 */
export const LAST_SHIFT: u32 = 4;
export const LAST_MASK: u32 = 7 << LAST_SHIFT;
export const LAST_REPLY: u32 = 1 << 7;
/** A FIN was seen that nobody had answered. */
export const CLOSES: u32 = 1 << 8;
/** Both ends sent a SYN. */
export const SIMULTANEOUS: u32 = 1 << 9;
/** A SYN came when the last ACK was due: the next ACK may be a challenge to it (RFC 5961 §4). */
export const CHALLENGE: u32 = 1 << 10;

export function tcpLast(progress: u32): u32 {
  return (progress & LAST_MASK) >> LAST_SHIFT;
}

export function lastDirection(progress: u32): u32 {
  return (progress & LAST_REPLY) != 0 ? DIRECTION_REPLY : DIRECTION_ORIGINAL;
}

/** What a progress becomes by a segment of a kind and direction that counts. */
export function withLast(progress: u32, segment: u32, direction: u32): u32 {
  const rest = progress & ~(LAST_MASK | LAST_REPLY);
  return rest | (segment << LAST_SHIFT) | (direction == DIRECTION_REPLY ? LAST_REPLY : 0);
}
