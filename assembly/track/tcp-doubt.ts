import { TCP_CLOSE, TCP_ESTABLISHED, TCP_FIN_WAIT, TCP_SYN_SENT } from "../abi/connection";
import { SETTING_TCP_TIMEOUT_UNACKNOWLEDGED } from "../abi/setting";
import { Packet } from "../packet";
import {
  Connection,
  DIRECTION_REPLY,
  FLOW_FLAG_ASSURED,
  FLOW_STATE_NEW,
  PROGRESS_STATE,
} from "../table/flow/layout";
import { Tcp } from "../wire/tcp";
import { lastDirection, tcpLast, withLast } from "./tcp-progress";
import { SEGMENT_ACK, SEGMENT_FIN, SEGMENT_RST, SEGMENT_SYN } from "./tcp-states";
import { refresh } from "./timer";
import { matchRst, RST_BELIEVED, RST_MATCHES, RST_WRONG } from "./windows";

/** Segments that would end a connection, where its windows are known. */

/** Milliseconds: what is as short is not made shorter. */
const DOUBT_LEFT: u64 = 120_000;

/** An end was seen: from here on nobody looks at an RST's number. */
function isClosing(state: u32): bool {
  return state >= TCP_FIN_WAIT && state <= TCP_CLOSE;
}

/** What windows say of an RST that would close a connection (RST_ bits). */
export function judgeRst(packet: Packet, connection: Connection, direction: u32): u32 {
  const progress = connection.progress;
  const state = progress & PROGRESS_STATE;
  if (isClosing(state)) return RST_BELIEVED;
  const tcp = Tcp.at(packet.transport);
  const last = tcpLast(progress);
  const isLastOwn = lastDirection(progress) == direction;
  const isAssured = (connection.flags & FLOW_FLAG_ASSURED) != 0;
  const established = state == TCP_ESTABLISHED && isAssured;
  let judged: u32 = 0;
  if (last != SEGMENT_SYN) {
    const follows = last == SEGMENT_ACK && isLastOwn && tcp.sequence == connection.detail0;
    judged = matchRst(packet, direction, established, follows);
    if ((judged & (RST_MATCHES | RST_WRONG)) != 0) return judged;
  }
  // It answers the other end's SYN, or an ACK into a half-open connection, that was let through.
  const answers =
    (connection.state != FLOW_STATE_NEW && last == SEGMENT_SYN && !isLastOwn) ||
    (!isAssured && last == SEGMENT_ACK);
  if (answers && tcp.acknowledgement == connection.detail0) return judged | RST_BELIEVED;
  const challenged =
    state == TCP_SYN_SENT && last == SEGMENT_ACK && lastDirection(progress) == DIRECTION_REPLY;
  return challenged && tcp.sequence == connection.detail1 ? judged | RST_BELIEVED : judged;
}

/** FIN and RST out of the window from both sides: the connection is over, whatever its windows were. */
export function doubt(packet: Packet, connection: Connection, direction: u32, segment: u32): void {
  if ((connection.flags & FLOW_FLAG_ASSURED) == 0) return;
  if (segment != SEGMENT_RST && segment != SEGMENT_FIN) return;
  const last = tcpLast(connection.progress);
  if (lastDirection(connection.progress) != direction && (last == SEGMENT_FIN || last == SEGMENT_RST)) {
    const shorter = packet.image.setting(SETTING_TCP_TIMEOUT_UNACKNOWLEDGED);
    const left = connection.expires - packet.state.now;
    if (left >= DOUBT_LEFT && left > <u64>shorter * 1000) refresh(packet, connection, shorter);
  } else connection.progress = withLast(connection.progress, segment, direction);
}
