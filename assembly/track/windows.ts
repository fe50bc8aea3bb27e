import { TCP_SYN_RECV, TCP_SYN_SENT } from "../abi/connection";
import {
  SETTING_TCP_BE_LIBERAL,
  SETTING_TCP_IGNORE_INVALID_RST,
  SETTING_TCP_MAX_RETRANS,
  SETTING_TCP_TIMEOUT_CLOSE,
  SETTING_TCP_TIMEOUT_MAX_RETRANS,
  SETTING_TCP_TIMEOUT_UNACKNOWLEDGED,
} from "../abi/setting";
import { TCP_FLAG_ACK, TCP_FLAG_RST, TCP_FLAG_SYN } from "../abi/wire";
import { Packet } from "../packet";
import { Connection, DIRECTION_REPLY, PROGRESS_STATE } from "../table/flow/layout";
import { Tcp } from "../wire/tcp";
import { OPTION_SACK_PERMITTED, OPTION_SCALE, readOptions, sackOf } from "./tcp-options";
import { initialise, isBefore, judge, learn, meet, takeOptions, WINDOW_INSIDE } from "./window-bounds";
import {
  lastOf,
  SIDE_HAS_ACK,
  SIDE_LEN,
  SIDE_LIBERAL,
  SIDE_UNACKNOWLEDGED,
  Side,
  sideOf,
  WINDOWS_LEN,
  windowsOf,
} from "./window-record";

/** Whether segments are in the windows of their connection (tcp_in_window), and what they tell of them. */

/** What an RST is worth. Its window is not asked. */
export const RST_BELIEVED: u32 = 1;
/** It is INVALID. */
export const RST_WRONG: u32 = 2;
/** It may be a guess: the state stays. */
export const RST_KEEPS: u32 = 4;
/** Its number is the one that is due: its window is asked. */
export const RST_MATCHES: u32 = 8;

/** The first segment of a connection (tcp_new). */
export function beginWindows(packet: Packet, isSyn: bool): void {
  memory.fill(windowsOf(packet), 0, WINDOWS_LEN);
  const side = sideOf(packet, 0);
  side.end = Tcp.at(packet.transport).endOf(packet.segment);
  side.maxWindow = max<u32>(Tcp.at(packet.transport).window, 1);
  side.maxEnd = side.end;
  if (isSyn) {
    takeOptions(packet, side);
    return;
  }
  side.maxEnd += side.maxWindow;
  side.flags = OPTION_SACK_PERMITTED | SIDE_LIBERAL;
  sideOf(packet, DIRECTION_REPLY).flags = side.flags;
}

function isLiberal(packet: Packet, sender: Side): bool {
  return (sender.flags & SIDE_LIBERAL) != 0 || packet.image.setting(SETTING_TCP_BE_LIBERAL) != 0;
}

/** Counts ACKs that say nothing new. */
function countRepeats(
  packet: Packet,
  connection: Connection,
  direction: u32,
  sequence: u32,
  ack: u32,
  end: u32,
): void {
  const last = lastOf(packet);
  const window = Tcp.at(packet.transport).window;
  const lastDirection = (connection.progress >> 7) & 1;
  const repeats =
    lastDirection == direction &&
    last.sequence == sequence &&
    connection.detail1 == ack &&
    connection.detail0 == end &&
    last.window == window;
  last.repeats = repeats ? last.repeats + 1 : 0;
  last.sequence = sequence;
  last.window = window;
  connection.detail1 = ack;
  connection.detail0 = end;
}

/** Whether a segment is in its window; what it tells is kept (tcp_in_window). */
export function inWindow(packet: Packet, connection: Connection, direction: u32, isAck: bool): u32 {
  const tcp = Tcp.at(packet.transport);
  const flags = packet.tcpFlags;
  const sender = sideOf(packet, direction);
  const receiver = sideOf(packet, direction ^ 1);
  const state = connection.progress & PROGRESS_STATE;
  const isSyn = (flags & TCP_FLAG_SYN) != 0;
  const hasAck = (flags & TCP_FLAG_ACK) != 0;
  const isRst = (flags & TCP_FLAG_RST) != 0;
  let sequence = tcp.sequence;
  let end = tcp.endOf(packet.segment);
  let ack = tcp.acknowledgement;
  let sack = (receiver.flags & OPTION_SACK_PERMITTED) != 0 ? sackOf(tcp, ack) : ack;
  if (sender.maxWindow == 0) {
    if (isSyn) {
      initialise(packet, direction, sender, receiver, end, tcp.window);
      if (!hasAck) return WINDOW_INSIDE;
    } else meet(sender, receiver, end, tcp.window, sack);
  } else if (isSyn && isBefore(sender.end, end) && (state == TCP_SYN_SENT || state == TCP_SYN_RECV)) {
    initialise(packet, direction, sender, receiver, end, tcp.window);
    if (direction == DIRECTION_REPLY && !hasAck) return WINDOW_INSIDE;
  }
  // An RST with the ACK flag and number 0 is some stacks' way to acknowledge nothing.
  if (!hasAck || (isRst && ack == 0)) {
    ack = receiver.end;
    sack = ack;
  }
  if (isRst && sequence == 0 && state == TCP_SYN_SENT) {
    sequence = sender.end;
    end = sequence;
  }
  const judged = judge(sender, receiver, sequence, end, sack);
  if (judged != WINDOW_INSIDE) return isLiberal(packet, sender) ? WINDOW_INSIDE : judged;
  learn(sender, receiver, flags, tcp.window, end, ack, sack);
  if (isAck) countRepeats(packet, connection, direction, sequence, ack, end);
  return WINDOW_INSIDE;
}

/**
 * Whether an RST has the number that the other end has acknowledged. `follows`: it comes right behind what its sender
 * sent last.
 */
export function matchRst(packet: Packet, direction: u32, isEstablished: bool, follows: bool): u32 {
  const other = sideOf(packet, direction ^ 1);
  if ((other.flags & SIDE_HAS_ACK) == 0) return 0;
  const sequence = Tcp.at(packet.transport).sequence;
  if (sequence == 0 && !isEstablished) return RST_MATCHES;
  const isOld = isBefore(sequence, other.maxAck);
  if (isOld && packet.image.setting(SETTING_TCP_IGNORE_INVALID_RST) == 0) return RST_WRONG;
  return !isEstablished || sequence == other.maxAck || follows ? RST_MATCHES : RST_KEEPS;
}

/** Remembers a segment that passes without being believed; of a SYN, what it offers. */
export function noteIgnored(packet: Packet, isSyn: bool): void {
  const tcp = Tcp.at(packet.transport);
  const last = lastOf(packet);
  last.sequence = tcp.sequence;
  last.window = tcp.window;
  if (isSyn) last.offer = tcp.hasOptions ? readOptions(tcp) : 0;
}

/** The SYN that was ignored was right: both ends begin anew. */
export function resyncWindows(packet: Packet, connection: Connection, direction: u32): void {
  const last = lastOf(packet);
  const opener = sideOf(packet, direction ^ 1);
  opener.end = connection.detail0;
  opener.maxEnd = opener.end;
  opener.maxWindow = max<u32>(last.window, 1);
  opener.scale = last.offer >> 16;
  opener.flags = last.offer & (OPTION_SCALE | OPTION_SACK_PERMITTED);
  const answerer = sideOf(packet, direction);
  const flags = answerer.flags & SIDE_LIBERAL;
  memory.fill(changetype<usize>(answerer), 0, SIDE_LEN);
  answerer.flags = flags;
}

/** What a state's timeout becomes where nothing seems to arrive. Seconds. */
export function windowsTimeout(packet: Packet, timeout: u32, isRst: bool): u32 {
  const image = packet.image;
  const last = lastOf(packet);
  const stuck = image.setting(SETTING_TCP_TIMEOUT_MAX_RETRANS);
  const unacknowledged = image.setting(SETTING_TCP_TIMEOUT_UNACKNOWLEDGED);
  const flags = sideOf(packet, 0).flags | sideOf(packet, DIRECTION_REPLY).flags;
  if (last.repeats >= image.setting(SETTING_TCP_MAX_RETRANS) && timeout > stuck) return stuck;
  if (isRst) return image.setting(SETTING_TCP_TIMEOUT_CLOSE);
  if ((flags & SIDE_UNACKNOWLEDGED) != 0 && timeout > unacknowledged) return unacknowledged;
  return last.window == 0 && timeout > stuck ? stuck : timeout;
}
