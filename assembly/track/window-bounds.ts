import { TCP_FLAG_ACK, TCP_FLAG_SYN } from "../abi/wire";
import { Packet } from "../packet";
import { DIRECTION_REPLY } from "../table/flow/layout";
import { Tcp } from "../wire/tcp";
import { OPTION_SACK_PERMITTED, OPTION_SCALE, readOptions } from "./tcp-options";
import { SIDE_HAS_ACK, SIDE_LIBERAL, SIDE_UNACKNOWLEDGED, Side } from "./window-record";

/** The bounds of both ends of a connection: where they begin, what is out of them, and how segments move them. */

/** What is not in the window: it passes without moving anything, or is INVALID. */
export const WINDOW_INSIDE: u32 = 0;
export const WINDOW_IGNORE: u32 = 1;
export const WINDOW_INVALID: u32 = 2;

/** A receiver's window is taken to be at least so large backwards (MAXACKWINCONST). */
const ACK_WINDOW: u32 = 66_000;

export function isBefore(a: u32, b: u32): bool {
  return <i32>(a - b) < 0;
}

/** What a segment's options offer; scales that are too large count as the largest. */
export function takeOptions(packet: Packet, side: Side): void {
  const tcp = Tcp.at(packet.transport);
  if (!tcp.hasOptions) return;
  const options = readOptions(tcp);
  side.scale = options >> 16;
  side.flags = (side.flags & SIDE_LIBERAL) | (options & (OPTION_SCALE | OPTION_SACK_PERMITTED));
}

/** A SYN, or the answer to one, says all anew (tcp_init_sender). */
export function initialise(
  packet: Packet,
  direction: u32,
  sender: Side,
  receiver: Side,
  end: u32,
  window: u32,
): void {
  sender.end = end;
  sender.maxEnd = end;
  sender.maxWindow = max<u32>(window, 1);
  takeOptions(packet, sender);
  // Both ends must offer to scale, or neither does (RFC 7323 §2.2).
  if (direction == DIRECTION_REPLY && (sender.flags & receiver.flags & OPTION_SCALE) == 0) {
    sender.scale = 0;
    receiver.scale = 0;
  }
}

/** An end that is heard in the middle of a connection for the first time. */
export function meet(sender: Side, receiver: Side, end: u32, window: u32, sack: u32): void {
  sender.end = end;
  sender.maxWindow = max<u32>(window << sender.scale, 1);
  sender.maxEnd = end + sender.maxWindow;
  if (receiver.maxWindow == 0) {
    receiver.end = sack;
    receiver.maxEnd = sack;
  } else if (sack == receiver.end + 1) {
    // The answer to a keepalive.
    receiver.end++;
  }
}

/** Which bound a segment from `sequence` to `end` that acknowledges `sack` is out of, if any. */
export function judge(sender: Side, receiver: Side, sequence: u32, end: u32, sack: u32): u32 {
  const isLate = !isBefore(receiver.end - max<u32>(sender.maxWindow, ACK_WINDOW) - 1, sack);
  const isEarly = !isBefore(sack, receiver.end + 1);
  const isBehind = !isBefore(sender.end - receiver.maxWindow - 1, end);
  if (!isBefore(sequence, sender.maxEnd + 1)) {
    const excess = end - sender.maxEnd + 1;
    const isUsual = receiver.maxWindow != 0 && !isBehind && !isLate && !isEarly;
    if (!isUsual || excess > receiver.maxWindow) return WINDOW_INVALID;
    // Its answer may come: what is sent is sent.
    sender.end = end;
    sender.flags |= SIDE_UNACKNOWLEDGED;
    return WINDOW_IGNORE;
  }
  if (isEarly) return WINDOW_INVALID;
  if (receiver.maxWindow != 0 && isBehind) return WINDOW_IGNORE;
  return isLate ? WINDOW_IGNORE : WINDOW_INSIDE;
}

/** Takes from a segment in the window what it tells of both ends. */
export function learn(
  sender: Side,
  receiver: Side,
  flags: u32,
  raw: u32,
  end: u32,
  ack: u32,
  sack: u32,
): void {
  const window = (flags & TCP_FLAG_SYN) != 0 ? raw : raw << sender.scale;
  sender.maxWindow = max<u32>(sender.maxWindow, window + (sack - ack));
  if (isBefore(sender.end, end)) {
    sender.end = end;
    sender.flags |= SIDE_UNACKNOWLEDGED;
  }
  if ((flags & TCP_FLAG_ACK) != 0 && ((sender.flags & SIDE_HAS_ACK) == 0 || isBefore(sender.maxAck, ack))) {
    sender.maxAck = ack;
    sender.flags |= SIDE_HAS_ACK;
  }
  if (receiver.maxWindow != 0 && isBefore(sender.maxEnd, end)) receiver.maxWindow += end - sender.maxEnd;
  if (isBefore(receiver.maxEnd - 1, sack + window)) receiver.maxEnd = sack + window + u32(window == 0);
  if (ack == receiver.end) receiver.flags &= ~SIDE_UNACKNOWLEDGED;
}
