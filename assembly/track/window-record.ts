import { Packet } from "../packet";
import { State } from "../state";

/**
 * What conntrack knows of a TCP connection's windows (struct ip_ct_tcp_state, tcp_in_window): a record beside the
 * connection's, in states that were made with windows. Sequence numbers are compared as TCP does, modulo 2^32.
 */
export const WINDOWS_LEN: u32 = 64;

/** One end, as a sender. */
@unmanaged
@final
export class Side {
  /** Behind what it has sent. */
  end: u32;
  /** Behind what it may send. */
  maxEnd: u32;
  /** The largest window it gave; 0 before its first segment. */
  maxWindow: u32;
  maxAck: u32;
  scale: u32;
  /** OPTION_ bits, and those below. */
  flags: u32;

  @inline
  static at(address: usize): Side {
    return changetype<Side>(address);
  }
}

export const SIDE_LEN: u32 = 24;
/** The connection was met on its way: it is believed what it says. */
export const SIDE_LIBERAL: u32 = 1 << 8;
export const SIDE_UNACKNOWLEDGED: u32 = 1 << 9;
export const SIDE_HAS_ACK: u32 = 1 << 10;

/** Behind both sides: the last ACK's sequence number and window, its repetitions, and what an ignored SYN offered. */
@unmanaged
@final
export class Last {
  sequence: u32;
  window: u32;
  repeats: u32;
  /** OPTION_ bits | scale << 16 */
  offer: u32;

  @inline
  static at(address: usize): Last {
    return changetype<Last>(address);
  }
}

/** Octets of windows for records 0 … connections. */
export function windowsLength(connections: u32): u32 {
  return (connections + 1) * WINDOWS_LEN;
}

export function hasWindows(packet: Packet): bool {
  return packet.state.windowsAt != 0;
}

export function windowsOf(packet: Packet): usize {
  const state: State = packet.state;
  return state.to(state.windowsAt + (packet.flow >> 1) * WINDOWS_LEN);
}

export function sideOf(packet: Packet, direction: u32): Side {
  return Side.at(windowsOf(packet) + direction * SIDE_LEN);
}

export function lastOf(packet: Packet): Last {
  return Last.at(windowsOf(packet) + 2 * SIDE_LEN);
}
