import { FORWARD_MASQUERADE } from "../abi/server";
import {
  SESSION_FLAG_CONNTRACK,
  SESSION_FLAG_ONE_PACKET,
  SESSION_FLAG_TEMPLATE,
  SESSION_FORWARD_MASK,
  VS_SCTP_ESTABLISHED,
  VS_TCP_ESTABLISHED,
  VS_TCP_SYN_RECV,
  VS_TCP_SYN_SENT,
  VS_TCP_SYNACK,
  VS_TEMPLATE_ASSURED,
} from "../abi/session";
import { SETTING_VS_SECURE_TCP } from "../abi/setting";
import { EVENT_SESSION } from "../abi/trace";
import { IP6_LEN, PROTO_SCTP, PROTO_TCP, PROTO_UDP, TCP_FLAGS, TCP_LEN } from "../abi/wire";
import { Image } from "../image";
import { Packet } from "../packet";
import { State } from "../state";
import { Connection, DIRECTION_ORIGINAL, DIRECTION_REPLY } from "../table/flow/layout";
import { connectionAt } from "../table/flow/lookup";
import { ipvsOf, Side } from "../table/ipvs/layout";
import { restart, takeDown } from "../table/ipvs/wheel";
import { record } from "../trace";
import { CHUNK_LEN, HEADER_LEN, kindOf, strideOf } from "../track/sctp-chunks";
import { CHUNK_ABORT, CHUNK_COOKIE_ACK, CHUNK_COOKIE_ECHO } from "../track/sctp-states";
import { hasDestination, setActive } from "./destination";
import { sctpNext } from "./sctp-states";
import { countPacket } from "./statistics";
import { tcpNext } from "./tcp-states";
import { sctpTimeout, tcpTimeout, udpTimeout } from "./timeouts";
import { wayOf } from "./way";

/** The setting by which secure_tcp is always on; 1 and 2 ask for memory, of which there is enough. */
const ALWAYS: u32 = 3;

/** A template is kept for its clients' sake from the first session on that was answered (ip_vs_control_assure_ct). */
function assure(ipvs: State, side: Side): void {
  if (side.control == 0) return;
  const template = connectionAt(ipvs, side.control);
  if ((template.flags & SESSION_FLAG_TEMPLATE) != 0) template.progress |= VS_TEMPLATE_ASSURED;
}

export function isTcpActive(state: u32): bool {
  return (
    state == VS_TCP_ESTABLISHED ||
    state == VS_TCP_SYN_SENT ||
    state == VS_TCP_SYN_RECV ||
    state == VS_TCP_SYNACK
  );
}

/** secure_tcp is on. */
export function isSecure(image: Image): bool {
  return image.setting(SETTING_VS_SECURE_TCP) == ALWAYS;
}

function tell(packet: Packet, session: u32, old: u32, state: u32): void {
  record(packet, EVENT_SESSION, session, packet.protocol, old, state, 0);
}

/** Moves a session to a state (set_tcp_state, set_sctp_state). */
function moveTo(
  packet: Packet,
  ipvs: State,
  session: u32,
  state: u32,
  isActive: bool,
  established: u32,
): void {
  const connection = connectionAt(ipvs, session);
  const old = connection.progress;
  if (state == old) return;
  if (connection.detail0 != 0) setActive(packet.image, ipvs, connection, isActive);
  if (state == established) assure(ipvs, Side.of(ipvs, session));
  connection.progress = state;
  if (TRACE) tell(packet, session, old, state);
}

/** Where IPVS' states read a transport header: of IPv6 right behind the fixed one, whatever stands there (tcp_state_transition). */
function headerOf(packet: Packet): usize {
  return packet.family == 6 ? packet.ip + IP6_LEN : packet.transport;
}

/** Octets of the packet from an address on. */
function roomAt(packet: Packet, at: usize): i32 {
  return <i32>(packet.transport + packet.segment - <u32>at);
}

function followTcp(packet: Packet, ipvs: State, session: u32, connection: Connection, direction: u32): void {
  const header = headerOf(packet);
  if (roomAt(packet, header) < <i32>TCP_LEN) return;
  const way = wayOf(connection, direction);
  const state = tcpNext(way, load<u8>(header, TCP_FLAGS), connection.progress, isSecure(packet.image));
  moveTo(packet, ipvs, session, state, isTcpActive(state), VS_TCP_ESTABLISHED);
  Side.of(ipvs, session).timeout = tcpTimeout(packet.image, state);
}

/** The kind of chunk that decides: the first one, but for an ABORT behind a cookie. */
function chunkOf(packet: Packet, first: usize): u32 {
  const kind = kindOf(first);
  const stride = strideOf(first);
  if ((kind != CHUNK_COOKIE_ECHO && kind != CHUNK_COOKIE_ACK) || stride < CHUNK_LEN) return kind;
  if (roomAt(packet, first + stride) < <i32>CHUNK_LEN) return kind;
  return kindOf(first + stride) == CHUNK_ABORT ? CHUNK_ABORT : kind;
}

function followSctp(packet: Packet, ipvs: State, session: u32, connection: Connection, direction: u32): void {
  const first = headerOf(packet) + HEADER_LEN;
  if (roomAt(packet, first) < <i32>CHUNK_LEN) return;
  const state = sctpNext(wayOf(connection, direction), chunkOf(packet, first), connection.progress);
  moveTo(packet, ipvs, session, state, state == VS_SCTP_ESTABLISHED, VS_SCTP_ESTABLISHED);
  Side.of(ipvs, session).timeout = sctpTimeout(state);
}

function followUdp(packet: Packet, ipvs: State, session: u32, direction: u32): void {
  const side = Side.of(ipvs, session);
  side.timeout = udpTimeout(packet.image);
  if (direction == DIRECTION_REPLY) assure(ipvs, side);
}

/** Counts a client's packet; one of a one-packet session is its template's (ip_vs_in_hook). */
function countIn(ipvs: State, connection: Connection, side: Side): void {
  if ((connection.flags & SESSION_FLAG_ONE_PACKET) == 0) side.packets++;
  else if (side.control != 0) Side.of(ipvs, side.control).packets++;
}

/**
 * A packet of a session is on its way in one direction: statistics, state, and the timer begins again (ip_vs_set_state,
 * ip_vs_conn_put).
 */
export function follow(packet: Packet, session: u32, direction: u32): void {
  const ipvs = ipvsOf(packet.state);
  const connection = connectionAt(ipvs, session);
  const side = Side.of(ipvs, session);
  countPacket(packet.image, ipvs, connection, direction, packet.ipLength);
  if (packet.protocol == PROTO_TCP) followTcp(packet, ipvs, session, connection, direction);
  else if (packet.protocol == PROTO_SCTP) followSctp(packet, ipvs, session, connection, direction);
  else if (packet.protocol == PROTO_UDP) followUdp(packet, ipvs, session, direction);
  if (direction == DIRECTION_ORIGINAL) countIn(ipvs, connection, side);
  // Behind its first packet it hangs where it expires then, as if it never had another timer.
  if (side.packets == 1) takeDown(ipvs, session);
  restart(ipvs, session, (connection.flags & SESSION_FLAG_ONE_PACKET) != 0 ? 0 : side.timeout);
}

/**
 * An ICMP error about a session's packets is on its way: statistics, and neither state nor timer (handle_response_icmp,
 * ip_vs_in_icmp). What is not NAT'ed has come from the client, for drop_entry too (ip_vs_icmp_xmit).
 */
export function followError(packet: Packet, session: u32, direction: u32): void {
  const ipvs = ipvsOf(packet.state);
  const connection = connectionAt(ipvs, session);
  countPacket(packet.image, ipvs, connection, direction, packet.ipLength);
  const isNat = (connection.flags & SESSION_FORWARD_MASK) == FORWARD_MASQUERADE;
  if (direction == DIRECTION_ORIGINAL && !isNat) Side.of(ipvs, session).packets++;
}

/**
 * Whether a plain packet (of TCP an ACK that neither begins nor ends anything, of UDP any) moves but a session's timer, and is
 * masqueraded to a destination that is there.
 */
export function isSteady(image: Image, ipvs: State, session: u32): bool {
  const connection = connectionAt(ipvs, session);
  const flags = connection.flags;
  if ((flags & SESSION_FORWARD_MASK) != FORWARD_MASQUERADE || (flags & SESSION_FLAG_ONE_PACKET) != 0)
    return false;
  if ((flags & SESSION_FLAG_CONNTRACK) == 0 || !hasDestination(image, ipvs, connection)) return false;
  return connection.protocol == PROTO_UDP || connection.progress == VS_TCP_ESTABLISHED;
}

/** What `follow` does for such a packet, of so many octets. */
export function followSteady(image: Image, ipvs: State, session: u32, direction: u32, octets: u32): void {
  const connection = connectionAt(ipvs, session);
  const side = Side.of(ipvs, session);
  countPacket(image, ipvs, connection, direction, octets);
  if (connection.protocol == PROTO_TCP) side.timeout = tcpTimeout(image, VS_TCP_ESTABLISHED);
  else side.timeout = udpTimeout(image);
  if (direction == DIRECTION_ORIGINAL) side.packets++;
  else if (connection.protocol == PROTO_UDP) assure(ipvs, side);
  restart(ipvs, session, side.timeout);
}
