import {
  CTSTATE_DNAT,
  CTSTATE_ESTABLISHED,
  CTSTATE_INVALID,
  CTSTATE_NEW,
  CTSTATE_RELATED,
  CTSTATE_SNAT,
  CTSTATE_UNTRACKED,
  HOOK_OUTPUT,
  NEXT_HOP_KIND_LOCAL,
} from "../abi/entry";
import { IMAGE_FLAG_VERIFY } from "../abi/image";
import { INTERFACE_NODE } from "../abi/packet";
import { EVENT_FLOW, EVENT_NEW, EVENT_OPEN } from "../abi/trace";
import { DROP_FLOW_TABLE_FULL, DROP_NO_PORT, DROP_REDIRECT } from "../abi/verdict";
import { PROTO_SCTP } from "../abi/wire";
import { FAULT_CUT, FAULT_NONE, IPVS_AGAIN, IPVS_BEHIND_DNAT, Packet } from "../packet";
import { flowClose, flowCommit, flowReserve } from "../table/flow/build";
import { flow6Reserve } from "../table/flow/build6";
import { flowHasRoom, flowMakeRoom } from "../table/flow/evict";
import {
  Connection,
  DIRECTION_ORIGINAL,
  FLOW_FLAG_OWN,
  FLOW_STATE_FREE,
  FLOW_STATE_NEW,
} from "../table/flow/layout";
import { connectionAt } from "../table/flow/lookup";
import { forgetWalk } from "../table/flow/walks";
import { record } from "../trace";
import { errorHasDst, errorHasSrc } from "../track/error";
import { isIcmp, isIcmpError, isQuery, isRedirect, isUntracked, queryOf } from "../track/icmp";
import { OUTCOME_INVALID, OUTCOME_REPEAT } from "../track/outcome";
import { choosePort } from "../track/ports";
import { advance, begin, begins, isSound } from "../track/protocols";
import { findQuoted } from "../track/quote";
import { bucketOfTuple, findTuple, hasTuple, isTo, natOf, setTuples, takeDst, takeSrc } from "../track/tuple";
import { isTransportIntact } from "../wire/transport";

/** An ICMP error about another packet, of a family whose ICMP it is. */
function isError(packet: Packet): bool {
  return packet.fault == FAULT_NONE && isIcmp(packet) && isIcmpError(packet);
}

/** Whether the packet has a tuple of its own: what has not, or is an error, opens nothing. */
function hasOwnTuple(packet: Packet): bool {
  if (packet.fault == FAULT_CUT) return false;
  return !isIcmp(packet) || (packet.fault == FAULT_NONE && isQuery(packet));
}

/** Looks the packet's tuple up; `track` says later what it means. Loads only, so that a burst's look-ups overlap. */
export function lookUp(packet: Packet): void {
  packet.query = packet.frameQuery = 0;
  if (isError(packet)) packet.flow = findQuoted(packet);
  else if (!hasOwnTuple(packet)) packet.flow = 0;
  else {
    if (isIcmp(packet)) packet.query = packet.frameQuery = queryOf(packet);
    packet.flow = findTuple(packet);
  }
}

/** Whether what `lookUp` found is still that connection: an earlier packet of the burst may have closed it. */
function isStill(packet: Packet): bool {
  if (isError(packet)) return false;
  const connection = connectionAt(packet.state, packet.flow >> 1);
  return connection.state != FLOW_STATE_FREE && hasTuple(packet, connection, packet.flow & 1);
}

/** The packet's live connection, or 0: what has expired is closed first. */
function findLive(packet: Packet): u32 {
  if (packet.flow == 0 || !isStill(packet)) lookUp(packet);
  if (packet.flow == 0) return 0;
  if (connectionAt(packet.state, packet.flow >> 1).expires > packet.state.now) return packet.flow;
  flowClose(packet.state, packet.flow >> 1);
  return 0;
}

/**
 * Checksums are verified of what comes in, as a kernel does without NIC offload (nf_conntrack_checksum); SCTP's not where a
 * tunnel's own sum covered the packet (sctp_error asks for CHECKSUM_NONE), nor what IPVS sends on, at OUTPUT.
 */
function isIntact(packet: Packet): bool {
  if ((packet.image.flags & IMAGE_FLAG_VERIFY) == 0 || packet.in == INTERFACE_NODE) return true;
  if (packet.hook == HOOK_OUTPUT) return true;
  if (packet.protocol == PROTO_SCTP && packet.tunnelSum != 0) return true;
  return isTransportIntact(packet.ip, packet.transport, packet.segment, packet.protocol);
}

function invalid(packet: Packet): u32 {
  packet.flow = 0;
  return CTSTATE_INVALID;
}

function translations(connection: Connection): u32 {
  return connection.flags & (CTSTATE_DNAT | CTSTATE_SNAT);
}

/** The state of an error: that of the connection about whose packet it is, if it goes to that packet's sender. */
function relate(packet: Packet): u32 {
  packet.flow = isIntact(packet) ? findLive(packet) : 0;
  if (packet.flow == 0) return CTSTATE_INVALID;
  const connection = connectionAt(packet.state, packet.flow >> 1);
  if (!isTo(packet, connection, packet.flow & 1)) return invalid(packet);
  // Nobody could follow it (nf_nat_icmp_reply_translation).
  if (translations(connection) != 0 && isRedirect(packet)) packet.drop(DROP_REDIRECT);
  return translations(connection) | CTSTATE_RELATED;
}

function makeRoom(packet: Packet): bool {
  const state = packet.state;
  const records: u32 = packet.family == 6 ? 2 : 1;
  return flowHasRoom(state, records) || flowMakeRoom(state, state.now, bucketOfTuple(packet), records);
}

/** The state of a packet of no connection. There is room for one before it is asked whether it may open it. */
function meet(packet: Packet): u32 {
  if (!makeRoom(packet)) {
    packet.drop(DROP_FLOW_TABLE_FULL);
    return CTSTATE_INVALID;
  }
  const isGood = packet.fault == FAULT_NONE && isIntact(packet) && isSound(packet);
  return isGood && begins(packet) ? CTSTATE_NEW : CTSTATE_INVALID;
}

/** The state of a packet of a connection, which it moves on. */
function follow(packet: Packet): u32 {
  if (packet.fault != FAULT_NONE || !isIntact(packet) || !isSound(packet)) return invalid(packet);
  const connection = connectionAt(packet.state, packet.flow >> 1);
  const isNew = connection.state == FLOW_STATE_NEW && isOriginal(packet);
  const outcome = advance(packet, connection, packet.flow & 1);
  if (outcome == OUTCOME_INVALID) return invalid(packet);
  if (outcome == OUTCOME_REPEAT) {
    flowClose(packet.state, packet.flow >> 1);
    packet.flow = 0;
    return meet(packet);
  }
  return translations(connection) | (isNew ? CTSTATE_NEW : CTSTATE_ESTABLISHED);
}

/** The state of a packet; moves its connection on, if it has one (nf_conntrack_in). */
function classify(packet: Packet): u32 {
  if (packet.fault == FAULT_NONE) {
    if (isUntracked(packet)) return CTSTATE_UNTRACKED;
    if (isError(packet)) return relate(packet);
  }
  if (!hasOwnTuple(packet)) return invalid(packet);
  packet.flow = findLive(packet);
  return packet.flow == 0 ? meet(packet) : follow(packet);
}

/** Gives the packet its ctstate and, if it belongs to a connection, moves that on; drops it where the table is full. */
export function track(packet: Packet): bool {
  packet.ctstate = classify(packet);
  if (TRACE) {
    if (packet.flow != 0) record(packet, EVENT_FLOW, packet.flow >> 1, packet.flow & 1, packet.ctstate, 0, 0);
    else record(packet, EVENT_NEW, packet.ctstate, 0, 0, 0, 0);
  }
  return packet.isUndecided;
}

/** Looks at the packet once more, as IPVS sends it on: at PREROUTING it was of no connection (nf_conntrack_in at LOCAL_OUT). */
export function trackAgain(packet: Packet): bool {
  if ((packet.ctstate & CTSTATE_INVALID) == 0 || isError(packet)) return true;
  packet.frameSrc = packet.src;
  packet.frameDst = packet.dst;
  packet.frameSrcHigh = packet.srcHigh;
  packet.frameDstHigh = packet.dstHigh;
  packet.framePorts = packet.ports;
  packet.ipvs &= ~IPVS_BEHIND_DNAT;
  packet.ipvs |= IPVS_AGAIN;
  lookUp(packet);
  return track(packet);
}

/** conntrack knows nothing of the packet from here on (ip_vs_notrack). */
export function untrack(packet: Packet): void {
  if ((packet.ctstate & CTSTATE_INVALID) != 0) return;
  packet.flow = 0;
  packet.ctstate = CTSTATE_UNTRACKED;
}

/** The first packet of a connection that conntrack accepts. */
export function isFirst(packet: Packet): bool {
  return packet.flow == 0 && (packet.ctstate & CTSTATE_NEW) != 0;
}

/** An ICMP error about a packet of its connection. */
function isRelated(packet: Packet): bool {
  return (packet.ctstate & CTSTATE_RELATED) != 0;
}

/** Of the two directions of its connection, the one of the first packet. */
export function isOriginal(packet: Packet): bool {
  return (packet.flow & 1) == DIRECTION_ORIGINAL;
}

/** Gives a packet of a known connection the destination that conntrack has for it (PREROUTING's half of NAT). */
export function redirect(packet: Packet): void {
  if (packet.flow == 0) return;
  const connection = connectionAt(packet.state, packet.flow >> 1);
  const direction = packet.flow & 1;
  if (errorHasDst(connection, direction)) takeDst(packet, connection, direction ^ 1, isRelated(packet));
}

/** Gives a packet of a known connection its source (POSTROUTING's half of NAT). */
export function resource(packet: Packet): void {
  const connection = connectionAt(packet.state, packet.flow >> 1);
  const direction = packet.flow & 1;
  if (errorHasSrc(connection, direction)) takeSrc(packet, connection, direction ^ 1, isRelated(packet));
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
  forgetWalk(state, number);
  setTuples(packet, connection);
  connection.mark = packet.connmark;
  const isOwn = packet.in == INTERFACE_NODE || packet.hopKind == NEXT_HOP_KIND_LOCAL;
  connection.flags = natOf(packet) | (isOwn ? FLOW_FLAG_OWN : 0);
  flowCommit(state, number, connection);
  packet.flow = number << 1;
  begin(packet, connection);
  if (TRACE) record(packet, EVENT_OPEN, number, 0, 0, 0, 0);
  return true;
}
