import { INTERFACE_NODE } from "../abi/packet";
import { SERVICE_FLAG_ONE_PACKET, SERVICE_FLAG_PERSISTENT } from "../abi/server";
import { SESSION_FLAG_ONE_PACKET } from "../abi/session";
import { PROTO_UDP } from "../abi/wire";
import { IPVS_QUOTES, Packet } from "../packet";
import { connectionAt } from "../table/flow/lookup";
import { hasIpvs, ipvsOf, Side } from "../table/ipvs/layout";
import { restart } from "../table/ipvs/wheel";
import { destinationAt } from "../table/ring/destinations";
import { REAL_DESTINATION, REAL_NONE, RING_FLAGS, RING_MARK, RING_PORT } from "../table/ring/layout";
import { realOf, ringAt } from "../table/ring/lookup";
import { isSpared } from "./begins";
import { numberOf } from "./destination";
import { addressOfDestination, openFor } from "./open";
import { findTurned } from "./session";
import { countConnection } from "./statistics";
import { findTemplate, openTemplate, PORT_FTP } from "./template";
import { TIMEOUT_NEW } from "./timeouts";
import { pick, positionOf, tellPick } from "./turn";

/** Why nothing was scheduled: what `begin` answers instead of a session. No server takes it: ICMP port unreachable. */
export const SCHEDULE_REFUSED: u32 = 0xfffffffc;
/** It is the local stack's. */
export const SCHEDULE_IGNORED: u32 = 0xfffffffd;
/** The table is full: dropped. */
export const SCHEDULE_FULL: u32 = 0xfffffffe;
/** drop_packet drops it. */
export const SCHEDULE_SPARED: u32 = 0xffffffff;

/** Active FTP's data connections come from here: they are never scheduled, for the client's own has made them known. */
const PORT_FTP_DATA: u32 = 20;

export function isSession(begun: u32): bool {
  return begun < SCHEDULE_REFUSED;
}

/** Nobody takes it; what came to FTP's virtual server by another port was never meant for it (ip_vs_leave). */
function refuse(packet: Packet, ring: usize): u32 {
  const isOther = load<u32>(ring, RING_PORT) == PORT_FTP && packet.dstPort != PORT_FTP;
  return isOther ? SCHEDULE_IGNORED : SCHEDULE_REFUSED;
}

function flagsOf(packet: Packet, ring: usize): u32 {
  const isOnePacket = (load<u32>(ring, RING_FLAGS) & SERVICE_FLAG_ONE_PACKET) != 0;
  return isOnePacket && packet.protocol == PROTO_UDP ? SESSION_FLAG_ONE_PACKET : 0;
}

/** Schedulers that go by destinations (dh, lblc, lblcr) go by that of a packet which an ICMP error quotes: the client. */
function pickFor(packet: Packet, number: u32): u32 {
  if ((packet.ipvs & IPVS_QUOTES) == 0) return pick(packet, number);
  const virtual = packet.dst6;
  packet.dst6 = packet.src6;
  const position = pick(packet, number);
  packet.dst6 = virtual;
  return position;
}

/** The number of the destination that the scheduler picks, or REAL_NONE. */
function choose(packet: Packet, ring: usize, number: u32): u32 {
  const position = pickFor(packet, number);
  if (position != REAL_NONE) return load<u32>(realOf(packet.image, ring, position), REAL_DESTINATION);
  if (TRACE) tellPick(packet, number, REAL_NONE, i32x4.splat(0), 0, false);
  return REAL_NONE;
}

/** Opens the packet's session to a destination's port. */
function open(packet: Packet, ring: usize, service: u32, number: u32, port: u32, kept: bool): u32 {
  const image = packet.image;
  const ipvs = ipvsOf(packet.state);
  const session = openFor(
    image,
    ipvs,
    packet.family == 6,
    packet.protocol,
    packet.src6,
    packet.dst6,
    packet.ports,
    number,
    port,
    flagsOf(packet, ring),
    TIMEOUT_NEW,
  );
  if (session == 0) return SCHEDULE_FULL;
  connectionAt(ipvs, session).mark = packet.mark;
  countConnection(ipvs, service - 1, number);
  if (TRACE) {
    const server = addressOfDestination(destinationAt(image, number));
    tellPick(packet, service - 1, positionOf(packet, service - 1, number), server, port, kept);
  }
  return session;
}

/** The port at a destination for a packet to a port that is its virtual server's own, or another. */
function portAt(packet: Packet, number: u32, isOwn: bool): u32 {
  const port = destinationAt(packet.image, number).port;
  return isOwn && port != 0 ? port : packet.dstPort;
}

/** The client's template says where to; else the scheduler does, and there is one from now on (ip_vs_sched_persist). */
function beginKept(packet: Packet, ring: usize, service: u32): u32 {
  const image = packet.image;
  const ipvs = ipvsOf(packet.state);
  let template = findTemplate(packet, ring);
  const kept = template != 0;
  if (!kept) {
    const chosen = choose(packet, ring, service - 1);
    if (chosen == REAL_NONE) return refuse(packet, ring);
    template = openTemplate(packet, ring, chosen);
    if (template == 0) return SCHEDULE_FULL;
    connectionAt(ipvs, template).mark = packet.mark;
  }
  const number = numberOf(image, ipvs, connectionAt(ipvs, template));
  const port = portAt(packet, number, packet.dstPort == load<u32>(ring, RING_PORT));
  const session = open(packet, ring, service, number, port, kept);
  if (isSession(session)) {
    Side.of(ipvs, session).control = template;
    Side.of(ipvs, template).controlled++;
  }
  restart(ipvs, template, Side.of(ipvs, template).timeout);
  return session;
}

/** Where there is no real server of any virtual one, nothing is kept. */
function beginNowhere(packet: Packet, service: u32): u32 {
  if (packet.srcPort == PORT_FTP_DATA) return SCHEDULE_IGNORED;
  if (TRACE) tellPick(packet, service - 1, REAL_NONE, i32x4.splat(0), 0, false);
  return refuse(packet, ringAt(packet.image, service - 1));
}

/**
 * Schedules a packet that belongs to no session to a virtual server (as findService has it: its number plus one), and
 * opens a session (ip_vs_schedule). A session's number, or a SCHEDULE_ code; the packet stays as it is.
 */
export function begin(packet: Packet, service: u32): u32 {
  if (!hasIpvs(packet.state)) return beginNowhere(packet, service);
  if (isSpared(packet)) return SCHEDULE_SPARED;
  if (packet.srcPort == PORT_FTP_DATA) return SCHEDULE_IGNORED;
  // The answer of a real server that the node itself is.
  if (packet.in == INTERFACE_NODE && findTurned(packet) != 0) return SCHEDULE_IGNORED;
  const ring = ringAt(packet.image, service - 1);
  if ((load<u32>(ring, RING_FLAGS) & SERVICE_FLAG_PERSISTENT) != 0) return beginKept(packet, ring, service);
  const isOwn = packet.dstPort == load<u32>(ring, RING_PORT);
  if (load<u32>(ring, RING_MARK) == 0 && !isOwn) return refuse(packet, ring);
  const number = choose(packet, ring, service - 1);
  return number == REAL_NONE ? refuse(packet, ring) : beginAt(packet, service, number);
}

/** The same of a packet to a virtual server's own port, for which the scheduler has picked a destination. */
export function beginAt(packet: Packet, service: u32, number: u32): u32 {
  const ring = ringAt(packet.image, service - 1);
  return open(packet, ring, service, number, portAt(packet, number, true), false);
}
