import { SCTP_CLOSED, SCTP_ESTABLISHED, SCTP_NONE } from "../abi/connection";
import { SETTING_SCTP_TIMEOUT_CLOSED } from "../abi/setting";
import { load32 } from "../bytes";
import { Packet } from "../packet";
import { Connection, DIRECTION_ORIGINAL, FLOW_FLAG_ASSURED, PROGRESS_STATE } from "../table/flow/layout";
import { OUTCOME_ACCEPTED, OUTCOME_INVALID } from "./outcome";
import { CHUNK_LEN, HEADER_LEN, has, hasInit, kindOf, kindsOf, strideOf, tagOf } from "./sctp-chunks";
import {
  CHUNK_ABORT,
  CHUNK_COOKIE_ACK,
  CHUNK_COOKIE_ECHO,
  CHUNK_DATA,
  CHUNK_HEARTBEAT,
  CHUNK_HEARTBEAT_ACK,
  CHUNK_INIT,
  CHUNK_INIT_ACK,
  CHUNK_SHUTDOWN_ACK,
  CHUNK_SHUTDOWN_COMPLETE,
  SCTP_INVALID,
  sctpNext,
} from "./sctp-states";
import { refresh } from "./timer";

/**
 * SCTP's part of a connection (struct ip_ct_sctp). detail0 and detail1 are the verification tags that packets of the
 * original and of the reply direction carry; 0 for one that is not known.
 */
const HEARTBEAT_FAILED: u32 = 1 << 4;
/** The direction of the heartbeat that failed. */
const HEARTBEAT_REPLY: u32 = 1 << 5;
/** An INIT was seen in the original direction; in the next bit, in the reply direction. */
const INIT_SEEN: u32 = 1 << 6;

const CHUNK_FLAGS: u32 = 1;
/** The sender had no tag of its own: it reflects the other end's (RFC 9260 §3.3.7). */
const FLAG_REFLECTED: u32 = 1;

export function isSctpSound(packet: Packet): bool {
  return kindsOf(packet) != 0;
}

function tagIn(connection: Connection, direction: u32): u32 {
  return direction == DIRECTION_ORIGINAL ? connection.detail0 : connection.detail1;
}

function setTag(connection: Connection, direction: u32, tag: u32): void {
  if (direction == DIRECTION_ORIGINAL) connection.detail0 = tag;
  else connection.detail1 = tag;
}

/** Whether a chunk, with the tag of its packet, may stand in the first packet of a connection. */
function mayBeFirst(packet: Packet, chunk: usize, kinds: u64): bool {
  const kind = kindOf(chunk);
  const next = sctpNext(DIRECTION_ORIGINAL, kind, SCTP_NONE);
  if (next == SCTP_NONE || next == SCTP_INVALID) return false;
  if (kind == CHUNK_INIT_ACK) return hasInit(packet, chunk);
  if (kind == CHUNK_INIT) return tagOf(packet) == 0 && hasInit(packet, chunk);
  return kind != CHUNK_COOKIE_ECHO || tagOf(packet) == 0 || has(kinds, CHUNK_HEARTBEAT);
}

/** Whether a sound packet of no connection may begin one (sctp_new, and what follows of it). */
export function sctpBegins(packet: Packet): bool {
  const kinds = kindsOf(packet);
  if (has(kinds, CHUNK_ABORT) || has(kinds, CHUNK_SHUTDOWN_COMPLETE) || has(kinds, CHUNK_COOKIE_ACK))
    return false;
  if (!isTagFree(kinds) && tagOf(packet) != 0) return false;
  for (let at = HEADER_LEN; at + CHUNK_LEN <= packet.segment; ) {
    const chunk = packet.transport + at;
    if (!mayBeFirst(packet, chunk, kinds)) return false;
    at += strideOf(chunk);
  }
  return true;
}

/** Begins SCTP's part of a connection, before its first packet moves it on: what tags are known from it. */
export function beginSctp(packet: Packet, connection: Connection): void {
  for (let at = HEADER_LEN; at + CHUNK_LEN <= packet.segment; ) {
    const chunk = packet.transport + at;
    const kind = kindOf(chunk);
    if (kind == CHUNK_INIT) connection.detail1 = load32(chunk + CHUNK_LEN);
    else if (kind == CHUNK_HEARTBEAT || kind == CHUNK_HEARTBEAT_ACK) connection.detail0 = tagOf(packet);
    else connection.detail1 = tagOf(packet);
    at += strideOf(chunk);
  }
}

/** Chunks whose packets may carry another tag than the direction's (RFC 9260 §8.5). */
function isTagFree(kinds: u64): bool {
  return (
    has(kinds, CHUNK_INIT) ||
    has(kinds, CHUNK_SHUTDOWN_COMPLETE) ||
    has(kinds, CHUNK_COOKIE_ECHO) ||
    has(kinds, CHUNK_ABORT) ||
    has(kinds, CHUNK_SHUTDOWN_ACK) ||
    has(kinds, CHUNK_HEARTBEAT) ||
    has(kinds, CHUNK_HEARTBEAT_ACK)
  );
}

/** A heartbeat with another tag than the direction's may belong to a path whose tags are not known yet. */
function takeHeartbeat(connection: Connection, direction: u32, tag: u32, kind: u32, isFirst: bool): u32 {
  const known = tagIn(connection, direction);
  if (known == 0) setTag(connection, direction, tag);
  else if (known == tag) connection.progress &= ~HEARTBEAT_FAILED;
  else {
    if (!isFirst) return HEARTBEAT_WRONG;
    const failed = connection.progress & (HEARTBEAT_FAILED | HEARTBEAT_REPLY);
    if (kind == CHUNK_HEARTBEAT) {
      const own = direction == DIRECTION_ORIGINAL ? 0 : HEARTBEAT_REPLY;
      connection.progress = (connection.progress & ~HEARTBEAT_REPLY) | HEARTBEAT_FAILED | own;
      return HEARTBEAT_IGNORED;
    }
    const ownFailed = ((failed & HEARTBEAT_REPLY) != 0) == (direction != DIRECTION_ORIGINAL);
    if ((failed & HEARTBEAT_FAILED) == 0 || ownFailed) return HEARTBEAT_WRONG;
    connection.progress &= ~HEARTBEAT_FAILED;
    setTag(connection, direction, tag);
    setTag(connection, direction ^ 1, 0);
  }
  return HEARTBEAT_TAKEN;
}

const HEARTBEAT_TAKEN: u32 = 0;
const HEARTBEAT_IGNORED: u32 = 1;
const HEARTBEAT_WRONG: u32 = 2;

/** Whether a chunk's packet carries the tag that it must (RFC 9260 §8.5.1). */
function isTagRight(connection: Connection, direction: u32, tag: u32, chunk: usize): bool {
  const kind = kindOf(chunk);
  if (kind == CHUNK_INIT) return tag == 0;
  if (kind == CHUNK_COOKIE_ECHO) return tag == tagIn(connection, direction);
  if (kind != CHUNK_ABORT && kind != CHUNK_SHUTDOWN_COMPLETE) return true;
  const reflected = (<u32>load<u8>(chunk, CHUNK_FLAGS) & FLAG_REFLECTED) != 0;
  return tag == tagIn(connection, reflected ? direction ^ 1 : direction);
}

/** Notes the tag that an INIT or INIT ACK asks for; false where it contradicts what is known. */
function takeInit(packet: Packet, connection: Connection, direction: u32, chunk: usize): bool {
  if (!hasInit(packet, chunk)) return false;
  const asked = load32(chunk + CHUNK_LEN);
  const own = INIT_SEEN << direction;
  const other = INIT_SEEN << (direction ^ 1);
  const seen = connection.progress & (own | other);
  if (kindOf(chunk) == CHUNK_INIT) {
    if (seen == (own | other)) connection.progress &= ~other;
    connection.progress |= own;
  } else {
    const known = tagIn(connection, direction ^ 1);
    if (known != asked && ((seen & other) == 0 ? known != 0 : seen == (own | other))) return false;
  }
  setTag(connection, direction ^ 1, asked);
  return true;
}

/** Moves a connection on by one of its packets (nf_conntrack_sctp_packet); OUTCOME_. */
export function advanceSctp(packet: Packet, connection: Connection, direction: u32, isFirst: bool): u32 {
  const kinds = kindsOf(packet);
  const tag = tagOf(packet);
  if (!isTagFree(kinds) && tag != tagIn(connection, direction)) return OUTCOME_INVALID;
  let ignores = false;
  let state = SCTP_NONE;
  for (let at = HEADER_LEN; at + CHUNK_LEN <= packet.segment; ) {
    const chunk = packet.transport + at;
    const kind = kindOf(chunk);
    at += strideOf(chunk);
    if (!isTagRight(connection, direction, tag, chunk)) return OUTCOME_INVALID;
    if (kind == CHUNK_COOKIE_ACK) connection.progress &= ~(INIT_SEEN * 3);
    if (kind == CHUNK_HEARTBEAT || kind == CHUNK_HEARTBEAT_ACK) {
      const isPossible = !has(kinds, CHUNK_DATA) && !ignores;
      const taken = takeHeartbeat(connection, direction, tag, kind, isPossible);
      if (taken == HEARTBEAT_WRONG) return OUTCOME_INVALID;
      ignores = ignores || taken == HEARTBEAT_IGNORED;
      if (taken == HEARTBEAT_IGNORED) continue;
    }
    const old = connection.progress & PROGRESS_STATE;
    state = sctpNext(direction, kind, old);
    if (state == SCTP_INVALID) return OUTCOME_INVALID;
    if (kind == CHUNK_INIT || kind == CHUNK_INIT_ACK) {
      if (!takeInit(packet, connection, direction, chunk)) return OUTCOME_INVALID;
      // An INIT sent again does not keep the connection alive.
      ignores = ignores || (kind == CHUNK_INIT && state == SCTP_CLOSED && old == SCTP_CLOSED && !isFirst);
    }
    connection.progress = (connection.progress & ~PROGRESS_STATE) | state;
    if (old != state && state == SCTP_ESTABLISHED) connection.flags |= FLOW_FLAG_ASSURED;
  }
  if (!ignores) refresh(packet, connection, packet.image.setting(sctpTimeout(state)));
  return OUTCOME_ACCEPTED;
}

/** The SETTING_ code of a state's timeout. */
function sctpTimeout(state: u32): u32 {
  return SETTING_SCTP_TIMEOUT_CLOSED + max<u32>(state, SCTP_CLOSED) - SCTP_CLOSED;
}
