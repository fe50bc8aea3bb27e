import {
  CTSTATE_DNAT,
  CTSTATE_ESTABLISHED,
  CTSTATE_INVALID,
  CTSTATE_NEW,
  CTSTATE_RELATED,
  CTSTATE_SNAT,
} from "../abi/entry";
import { IMAGE_FLAG_VERIFY } from "../abi/image";
import { EVENT_FLOW, EVENT_NEW, EVENT_OPEN } from "../abi/trace";
import { DROP_FLOW_TABLE_FULL, DROP_NO_PORT } from "../abi/verdict";
import { ICMP_TYPE, PROTO_ICMP, PROTO_TCP, PROTO_UDP } from "../abi/wire";
import { FAULT_NONE, Packet } from "../packet";
import { flowClose, flowCommit, flowReserve } from "../table/flow/build";
import { flow6Reserve } from "../table/flow/build6";
import {
  ADDRESS_DST,
  ADDRESS_SRC,
  Connection,
  DIRECTION_ORIGINAL,
  DIRECTION_REPLY,
  FLOW_FLAG_IPVS,
  FLOW_STATE_FREE,
  FLOW_STATE_NEW,
} from "../table/flow/layout";
import { connectionAt } from "../table/flow/lookup";
import { advance, opens, reopens } from "../table/flow/state";
import { record } from "../trace";
import { choosePort } from "../track/ports";
import { dstStays, findTuple, hasTuple, setTuples, srcStays, takeDst, takeSrc } from "../track/tuple";
import { isTransportIntact } from "../wire/transport";

const ICMP_ECHO_REQUEST: u32 = 8;
const ICMP_ECHO_REPLY: u32 = 0;

export function isTracked(packet: Packet): bool {
  return packet.fault == FAULT_NONE && (packet.protocol == PROTO_TCP || packet.protocol == PROTO_UDP);
}

/** Looks the packet's tuple up; `track` says later what it means. Loads only, so that a burst's look-ups overlap. */
export function lookUp(packet: Packet): void {
  packet.flow = isTracked(packet) ? findTuple(packet) : 0;
}

/** Whether what `lookUp` found is still that connection: an earlier packet of the burst may have closed it. */
function isStill(packet: Packet): bool {
  const connection = connectionAt(packet.state, packet.flow >> 1);
  return connection.state != FLOW_STATE_FREE && hasTuple(packet, connection, packet.flow & 1);
}

/** The packet's live connection, or 0: what has expired, or is opened anew, is closed first. */
function findLive(packet: Packet): u32 {
  if (packet.flow == 0 || !isStill(packet)) lookUp(packet);
  if (packet.flow == 0) return 0;
  const connection = connectionAt(packet.state, packet.flow >> 1);
  if (connection.expires > packet.state.now && !reopens(connection, packet.tcpFlags)) return packet.flow;
  flowClose(packet.state, packet.flow >> 1);
  return 0;
}

function untracked(packet: Packet): u32 {
  if (packet.fault != FAULT_NONE) return CTSTATE_INVALID;
  if (packet.protocol != PROTO_ICMP) return CTSTATE_NEW;
  const type = <u32>load<u8>(packet.transport, ICMP_TYPE);
  if (type == ICMP_ECHO_REQUEST) return CTSTATE_NEW;
  return type == ICMP_ECHO_REPLY ? CTSTATE_ESTABLISHED : CTSTATE_RELATED;
}

/** The state of a TCP or UDP packet; moves its connection on, if it has one. */
function classify(packet: Packet): u32 {
  const state = packet.state;
  const verifies = (packet.image.flags & IMAGE_FLAG_VERIFY) != 0;
  if (verifies && !isTransportIntact(packet.ip, packet.transport, packet.segment, packet.protocol)) {
    packet.flow = 0;
    return CTSTATE_INVALID;
  }
  packet.flow = findLive(packet);
  if (packet.flow == 0) {
    return packet.protocol == PROTO_TCP && !opens(packet.tcpFlags) ? CTSTATE_INVALID : CTSTATE_NEW;
  }
  const connection = connectionAt(state, packet.flow >> 1);
  advance(connection, packet.flow & 1, packet.tcpFlags, state.now);
  packet.flowFlags = connection.flags & FLOW_FLAG_IPVS;
  const translated = connection.flags & (CTSTATE_DNAT | CTSTATE_SNAT);
  return translated | (connection.state == FLOW_STATE_NEW ? CTSTATE_NEW : CTSTATE_ESTABLISHED);
}

/** Gives the packet its ctstate and, if it belongs to a connection, moves that on. Never decides. */
export function track(packet: Packet): void {
  packet.ctstate = isTracked(packet) ? classify(packet) : untracked(packet);
  if (TRACE) {
    if (packet.flow != 0) record(packet, EVENT_FLOW, packet.flow >> 1, packet.flow & 1, packet.ctstate, 0, 0);
    else record(packet, EVENT_NEW, packet.ctstate, 0, 0, 0, 0);
  }
}

/** Closes the packet's connection: it is the first of a new one. */
export function forget(packet: Packet): void {
  flowClose(packet.state, packet.flow >> 1);
  packet.flow = 0;
  packet.ctstate = CTSTATE_NEW;
}

/** The first packet of a connection that conntrack accepts. */
export function isFirst(packet: Packet): bool {
  return packet.flow == 0 && isTracked(packet) && (packet.ctstate & CTSTATE_NEW) != 0;
}

/** Of the two directions of its connection, the one of the first packet. */
export function isOriginal(packet: Packet): bool {
  return (packet.flow & 1) == DIRECTION_ORIGINAL;
}

/** Gives a packet of a known connection the destination that conntrack knows (PREROUTING's half of NAT). */
export function redirect(packet: Packet): void {
  if (packet.flow == 0) return;
  const connection = connectionAt(packet.state, packet.flow >> 1);
  if (!isOriginal(packet)) {
    takeDst(packet, connection, (DIRECTION_ORIGINAL << 1) + ADDRESS_SRC);
    packet.ports = (packet.ports & 0xffff0000) | (connection.ports >> 16);
  } else if (packet.flowFlags == 0) {
    takeDestination(packet, connection);
  }
}

/** The destination of an original-direction packet, for IPVS to give at its own place. */
export function takeDestination(packet: Packet, connection: Connection): void {
  takeDst(packet, connection, (DIRECTION_REPLY << 1) + ADDRESS_SRC);
  packet.ports = (packet.ports & 0xffff0000) | (connection.replyPorts >> 16);
}

/** Gives a packet of a known connection its source (POSTROUTING's half of NAT). */
export function resource(packet: Packet): void {
  const connection = connectionAt(packet.state, packet.flow >> 1);
  const original = isOriginal(packet);
  takeSrc(packet, connection, ((original ? DIRECTION_REPLY : DIRECTION_ORIGINAL) << 1) + ADDRESS_DST);
  packet.ports = (packet.ports & 0xffff) | ((original ? connection.replyPorts : connection.ports) << 16);
}

/**
 * Opens the connection of a first packet, once everything let it pass, with a reply tuple that no other has:
 * masquerading and clashes may give it another source port.
 */
export function open(packet: Packet): bool {
  const state = packet.state;
  if (!choosePort(packet)) return packet.drop(DROP_NO_PORT);
  const number = packet.family == 6 ? flow6Reserve(state, state.now) : flowReserve(state, state.now);
  if (number == 0) return packet.drop(DROP_FLOW_TABLE_FULL);
  const connection = connectionAt(state, number);
  setTuples(packet, connection);
  connection.mark = packet.connmark;
  connection.flags =
    (dstStays(packet) ? 0 : CTSTATE_DNAT) | (srcStays(packet) ? 0 : CTSTATE_SNAT) | packet.flowFlags;
  flowCommit(state, number, connection);
  advance(connection, DIRECTION_ORIGINAL, packet.tcpFlags, state.now);
  packet.flow = number << 1;
  if (TRACE) record(packet, EVENT_OPEN, number, 0, 0, 0, 0);
  return true;
}
