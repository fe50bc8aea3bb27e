import {
  TCP_CLOSE,
  TCP_ESTABLISHED,
  TCP_FIN_WAIT,
  TCP_LAST_ACK,
  TCP_SYN_RECV,
  TCP_SYN_SENT,
  TCP_SYN_SENT2,
  TCP_TIME_WAIT,
} from "../abi/connection";
import {
  SETTING_TCP_LOOSE,
  SETTING_TCP_TIMEOUT_CLOSE,
  SETTING_TCP_TIMEOUT_ESTABLISHED,
  SETTING_TCP_TIMEOUT_UNACKNOWLEDGED,
} from "../abi/setting";
import { Image } from "../image";
import { Packet } from "../packet";
import {
  Connection,
  DIRECTION_ORIGINAL,
  DIRECTION_REPLY,
  FLOW_FLAG_ASSURED,
  FLOW_STATE_NEW,
  PROGRESS_STATE,
} from "../table/flow/layout";
import { Tcp } from "../wire/tcp";
import { OUTCOME_ACCEPTED, OUTCOME_INVALID, OUTCOME_REPEAT } from "./outcome";
import { doubt, judgeRst } from "./tcp-doubt";
import { CHALLENGE, CLOSES, lastDirection, SIMULTANEOUS, tcpLast, withLast } from "./tcp-progress";
import {
  areFlagsValid,
  SEGMENT_ACK,
  SEGMENT_RST,
  SEGMENT_SYN,
  SEGMENT_SYN_ACK,
  segmentOf,
  TCP_IGNORE,
  TCP_INVALID,
  tcpNext,
} from "./tcp-states";
import { kill, refresh } from "./timer";
import { WINDOW_IGNORE, WINDOW_INSIDE, WINDOW_INVALID } from "./window-bounds";
import { hasWindows } from "./window-record";
import {
  beginWindows,
  inWindow,
  noteIgnored,
  RST_BELIEVED,
  RST_KEEPS,
  RST_WRONG,
  resyncWindows,
  windowsTimeout,
} from "./windows";

/** Seconds, of a state that has no sysctl. */
const TIMEOUT_SYN_SENT2: u32 = 120;

/** What an ACK is to a connection that is established and assured: its timer starts anew. */
export function steadyTcp(image: Image, connection: Connection, direction: u32, now: u64): void {
  connection.progress = withLast(connection.progress, SEGMENT_ACK, direction);
  connection.expires = now + <u64>image.setting(SETTING_TCP_TIMEOUT_ESTABLISHED) * 1000;
}

export function isTcpSound(packet: Packet): bool {
  return areFlagsValid(packet.tcpFlags);
}

/** Whether a sound segment of no connection may begin one (tcp_new). */
export function tcpBegins(packet: Packet): bool {
  const segment = segmentOf(packet.tcpFlags);
  return segment == SEGMENT_SYN || (segment == SEGMENT_ACK && packet.image.setting(SETTING_TCP_LOOSE) != 0);
}

/** A closed connection, or one whose end was reset, may be opened again by the same ends. */
function reopens(progress: u32, direction: u32): bool {
  return (
    (progress & CLOSES) != 0 || (tcpLast(progress) == SEGMENT_RST && lastDirection(progress) == direction)
  );
}

/** A SYN+ACK that acknowledges a SYN which was ignored: both ends know more than we do. */
function resyncs(packet: Packet, connection: Connection, direction: u32, segment: u32): bool {
  const progress = connection.progress;
  return (
    segment == SEGMENT_SYN_ACK &&
    tcpLast(progress) == SEGMENT_SYN &&
    lastDirection(progress) != direction &&
    Tcp.at(packet.transport).acknowledgement == connection.detail0
  );
}

/** A segment that may be right or not: it passes, and is remembered. */
function ignore(packet: Packet, connection: Connection, direction: u32, segment: u32): u32 {
  const state = connection.progress & PROGRESS_STATE;
  let progress = withLast(connection.progress, segment, direction);
  connection.detail0 = Tcp.at(packet.transport).endOf(packet.segment);
  if (hasWindows(packet)) noteIgnored(packet, segment == SEGMENT_SYN && direction == DIRECTION_ORIGINAL);
  if (segment == SEGMENT_SYN && direction == DIRECTION_ORIGINAL) {
    progress &= ~(SIMULTANEOUS | CHALLENGE);
    if (state == TCP_LAST_ACK) progress |= CHALLENGE;
  }
  if (state == TCP_SYN_SENT && segment == SEGMENT_ACK && direction == DIRECTION_REPLY)
    connection.detail1 = Tcp.at(packet.transport).acknowledgement;
  connection.progress = progress;
  return OUTCOME_ACCEPTED;
}

/** An ACK that is a challenge to a SYN, and does not acknowledge the last FIN. */
function isChallenge(connection: Connection, direction: u32, segment: u32): bool {
  const progress = connection.progress;
  return (
    (progress & PROGRESS_STATE) == TCP_LAST_ACK &&
    segment == SEGMENT_ACK &&
    lastDirection(progress) != direction &&
    tcpLast(progress) == SEGMENT_SYN &&
    (progress & CHALLENGE) != 0
  );
}

/** Seconds that a state lasts. */
function timeoutOf(image: Image, state: u32): u32 {
  return state == TCP_SYN_SENT2 ? TIMEOUT_SYN_SENT2 : image.setting(state);
}

function settle(packet: Packet, connection: Connection, old: u32, segment: u32): void {
  const image = packet.image;
  const state = connection.progress & PROGRESS_STATE;
  let timeout = timeoutOf(image, state);
  if (hasWindows(packet)) timeout = windowsTimeout(packet, timeout, segment == SEGMENT_RST);
  else if (segment == SEGMENT_RST) timeout = image.setting(SETTING_TCP_TIMEOUT_CLOSE);
  if (connection.state == FLOW_STATE_NEW) {
    // An answer that is an RST alone leaves nothing behind, and a SYN sent again does not lengthen anything.
    if (segment == SEGMENT_RST) {
      kill(packet, connection);
      return;
    }
    if (segment == SEGMENT_SYN && old == TCP_SYN_SENT) return;
    if (state == TCP_ESTABLISHED)
      timeout = min<u32>(timeout, image.setting(SETTING_TCP_TIMEOUT_UNACKNOWLEDGED));
  } else if (state == TCP_ESTABLISHED && (old == TCP_SYN_RECV || old == TCP_ESTABLISHED)) {
    connection.flags |= FLOW_FLAG_ASSURED;
  }
  refresh(packet, connection, timeout);
}

/** Begins TCP's part of a connection, before its first segment moves it on. */
export function beginTcp(packet: Packet): void {
  if (hasWindows(packet)) beginWindows(packet, segmentOf(packet.tcpFlags) == SEGMENT_SYN);
}

/** Moves a connection on by one of its segments (nf_conntrack_tcp_packet); OUTCOME_. */
export function advanceTcp(packet: Packet, connection: Connection, direction: u32): u32 {
  const segment = segmentOf(packet.tcpFlags);
  let old = connection.progress & PROGRESS_STATE;
  let next = tcpNext(direction, segment, old);
  if (next == TCP_INVALID) return OUTCOME_INVALID;
  if (next == TCP_SYN_SENT && old >= TCP_TIME_WAIT) {
    if (reopens(connection.progress, direction)) return OUTCOME_REPEAT;
    next = TCP_IGNORE;
  }
  if (next == TCP_IGNORE) {
    if (!resyncs(packet, connection, direction, segment))
      return ignore(packet, connection, direction, segment);
    old = TCP_SYN_SENT;
    next = TCP_SYN_RECV;
    connection.progress &= ~(CLOSES | CHALLENGE);
    if (hasWindows(packet)) resyncWindows(packet, connection, direction);
  } else if (next == TCP_TIME_WAIT && isChallenge(connection, direction, segment)) {
    connection.progress &= ~CHALLENGE;
    return OUTCOME_ACCEPTED;
  }
  if (next == TCP_SYN_SENT2) connection.progress |= SIMULTANEOUS;
  const simultaneous = (connection.progress & SIMULTANEOUS) != 0;
  if (next == TCP_SYN_RECV && direction == DIRECTION_REPLY && segment == SEGMENT_ACK && simultaneous)
    next = TCP_ESTABLISHED;
  if (hasWindows(packet)) {
    const judged = next == TCP_CLOSE && segment == SEGMENT_RST ? judgeRst(packet, connection, direction) : 0;
    if ((judged & RST_WRONG) != 0) return OUTCOME_INVALID;
    if ((judged & RST_KEEPS) != 0) next = old;
    if ((judged & RST_BELIEVED) == 0) {
      const fits = inWindow(packet, connection, direction, segment == SEGMENT_ACK);
      if (fits == WINDOW_INVALID) doubt(packet, connection, direction, segment);
      if (fits != WINDOW_INSIDE) return fits == WINDOW_IGNORE ? OUTCOME_ACCEPTED : OUTCOME_INVALID;
    }
  }
  const rest = withLast(connection.progress, segment, direction) & ~PROGRESS_STATE;
  connection.progress = rest | next | (old != next && next == TCP_FIN_WAIT ? CLOSES : 0);
  settle(packet, connection, old, segment);
  return OUTCOME_ACCEPTED;
}
