import { FORWARD_MASQUERADE } from "../abi/server";
import {
  SESSION_FLAG_CONNTRACK,
  SESSION_FLAG_NO_OUTPUT,
  SESSION_FORWARD_MASK,
  VS_SCTP_CLOSED,
  VS_TCP_CLOSE,
  VS_TCP_FIN_WAIT,
  VS_TCP_TIME_WAIT,
} from "../abi/session";
import { PROTO_SCTP, PROTO_TCP } from "../abi/wire";
import { Packet } from "../packet";
import { State } from "../state";
import { ADDRESS_DST, ADDRESS_SRC, DIRECTION_ORIGINAL, DIRECTION_REPLY } from "../table/flow/layout";
import { connectionAt } from "../table/flow/lookup";
import { addressOf } from "../table/flow/lookup6";
import { hasIpvs, ipvsOf, Side } from "../table/ipvs/layout";
import { session6In, session6Out, sessionIn, sessionOut } from "../table/ipvs/lookup";
import { destinationAt } from "../table/ring/destinations";
import { hasDestination, NO_DESTINATION, numberOf } from "./destination";

/** What the stages ask of sessions. A session is the number of its record. */

/** The session that the packet's present tuple is a request of, 0 for none (ip_vs_conn_in_get). */
export function findIn(packet: Packet): u32 {
  if (!hasIpvs(packet.state)) return 0;
  const ipvs = ipvsOf(packet.state);
  if (packet.family != 6) return sessionIn(ipvs, packet.src, packet.dst, packet.ports, packet.protocol);
  return session6In(ipvs, packet.src6, packet.dst6, packet.ports, packet.protocol);
}

/** The session whose client gets the packet as an answer, 0 for none (ip_vs_conn_out_get). */
export function findOut(packet: Packet): u32 {
  if (!hasIpvs(packet.state)) return 0;
  const ipvs = ipvsOf(packet.state);
  if (packet.family != 6) return sessionOut(ipvs, packet.src, packet.dst, packet.ports, packet.protocol);
  return session6Out(ipvs, packet.src6, packet.dst6, packet.ports, packet.protocol);
}

/** The session that the packet, turned round, would be a request of: it comes from a virtual address. */
export function findTurned(packet: Packet): u32 {
  const ipvs = ipvsOf(packet.state);
  const ports = rotl<u32>(packet.ports, 16);
  if (packet.family != 6) return sessionIn(ipvs, packet.dst, packet.src, ports, packet.protocol);
  return session6In(ipvs, packet.dst6, packet.src6, ports, packet.protocol);
}

/** The packet goes to the session's real server. */
export function serverOf(packet: Packet, session: u32): void {
  const ipvs = ipvsOf(packet.state);
  const connection = connectionAt(ipvs, session);
  if (packet.family == 6) packet.dst6 = addressOf(ipvs, connection, (DIRECTION_REPLY << 1) + ADDRESS_SRC);
  else packet.dst = connection.replySrc;
  packet.ports = (packet.ports & 0xffff0000) | (connection.replyPorts >> 16);
}

/** The packet comes from the session's virtual address. */
export function virtualOf(packet: Packet, session: u32): void {
  const ipvs = ipvsOf(packet.state);
  const connection = connectionAt(ipvs, session);
  if (packet.family == 6) packet.src6 = addressOf(ipvs, connection, (DIRECTION_ORIGINAL << 1) + ADDRESS_DST);
  else packet.src = connection.dst;
  packet.ports = (connection.ports << 16) | (packet.ports & 0xffff);
}

/** A FORWARD_ code. */
export function forwardOf(state: State, session: u32): u32 {
  return connectionAt(ipvsOf(state), session).flags & SESSION_FORWARD_MASK;
}

export function isMasqueraded(state: State, session: u32): bool {
  return forwardOf(state, session) == FORWARD_MASQUERADE;
}

/** The number of its destination plus one, 0 where that is known no more. */
export function destinationOf(packet: Packet, session: u32): u32 {
  const ipvs = ipvsOf(packet.state);
  return numberOf(packet.image, ipvs, connectionAt(ipvs, session)) + 1;
}

/** conntrack follows it too (IP_VS_CONN_F_NFCT). */
export function hasConntrack(state: State, session: u32): bool {
  return (connectionAt(ipvsOf(state), session).flags & SESSION_FLAG_CONNTRACK) != 0;
}

/** What conntrack knows of it is another's from now on: it is not forgotten with the session. */
export function forsakeConntrack(state: State, session: u32): void {
  connectionAt(ipvsOf(state), session).flags &= ~SESSION_FLAG_CONNTRACK;
}

/** Other sessions need it (n_control). */
export function isControlling(state: State, session: u32): bool {
  return Side.of(ipvsOf(state), session).controlled != 0;
}

/** Its destination has not left. */
export function isAvailable(packet: Packet, session: u32): bool {
  const ipvs = ipvsOf(packet.state);
  return hasDestination(packet.image, ipvs, connectionAt(ipvs, session));
}

/** The weight of its destination, 0 where that is known no more. */
export function weightOf(packet: Packet, session: u32): u32 {
  const ipvs = ipvsOf(packet.state);
  const number = numberOf(packet.image, ipvs, connectionAt(ipvs, session));
  return number == NO_DESTINATION ? 0 : destinationAt(packet.image, number).weight;
}

/** Whether a packet that begins a connection may end this one, by conn_reuse_mode (is_new_conn_expected). */
export function isReusable(packet: Packet, session: u32, mode: u32): bool {
  const ipvs = ipvsOf(packet.state);
  const connection = connectionAt(ipvs, session);
  if (Side.of(ipvs, session).control != 0) return false;
  const state = connection.progress;
  if (connection.protocol == PROTO_SCTP) return state == VS_SCTP_CLOSED;
  if (connection.protocol != PROTO_TCP) return false;
  if (state == VS_TCP_TIME_WAIT || state == VS_TCP_CLOSE) return true;
  const isSilent = (connection.flags & SESSION_FLAG_NO_OUTPUT) != 0;
  return (mode & 2) != 0 && state == VS_TCP_FIN_WAIT && isSilent;
}
