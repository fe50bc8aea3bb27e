import { SETTING_ICMP_TIMEOUT, SETTING_ICMPV6_TIMEOUT } from "../abi/setting";
import { PROTO_ICMP, PROTO_ICMP6 } from "../abi/wire";
import { Packet } from "../packet";
import { Connection } from "../table/flow/layout";
import { Icmp } from "../wire/icmp";
import { refresh } from "./timer";

/** Types of ICMP (RFC 792, RFC 950) and ICMPv6 (RFC 4443, RFC 4620, RFC 2710, RFC 4861, RFC 3810). */
const ECHO_REPLY: u32 = 0;
const UNREACHABLE: u32 = 3;
const SOURCE_QUENCH: u32 = 4;
const REDIRECT: u32 = 5;
const ECHO: u32 = 8;
const TIME_EXCEEDED: u32 = 11;
const PARAMETER_PROBLEM: u32 = 12;
const TIMESTAMP: u32 = 13;
const TIMESTAMP_REPLY: u32 = 14;
const INFORMATION: u32 = 15;
const INFORMATION_REPLY: u32 = 16;
const MASK: u32 = 17;
const MASK_REPLY: u32 = 18;
const ECHO6: u32 = 128;
const ECHO6_REPLY: u32 = 129;
const LISTENERS_FIRST: u32 = 130;
const NEIGHBOUR_LAST: u32 = 136;
const NODE6: u32 = 139;
const NODE6_REPLY: u32 = 140;
const LISTENERS2: u32 = 143;
/** Of no query, and of no answer to one. */
export const NO_TYPE: u32 = 256;

function typeOf(packet: Packet): u32 {
  return Icmp.at(packet.transport).type;
}

/** Whether the packet is of its own family's ICMP. */
export function isIcmp(packet: Packet): bool {
  return packet.protocol == (packet.family == 6 ? PROTO_ICMP6 : PROTO_ICMP);
}

/** The type of the answer to a query (icmp_invert_tuple), or of the query to an answer; NO_TYPE of anything else. */
export function turnType(protocol: u32, type: u32): u32 {
  if (protocol == PROTO_ICMP6) {
    if (type == ECHO6 || type == NODE6) return type + 1;
    return type == ECHO6_REPLY || type == NODE6_REPLY ? type - 1 : NO_TYPE;
  }
  if (type == ECHO) return ECHO_REPLY;
  if (type == ECHO_REPLY) return ECHO;
  if (type == TIMESTAMP || type == INFORMATION || type == MASK) return type + 1;
  return type == TIMESTAMP_REPLY || type == INFORMATION_REPLY || type == MASK_REPLY ? type - 1 : NO_TYPE;
}

/** Identifier << 16 | type << 8 | code of a query or an answer, as the packet has it; 0 of any other. */
export function queryOf(packet: Packet): u32 {
  const type = typeOf(packet);
  if (turnType(packet.protocol, type) == NO_TYPE) return 0;
  const icmp = Icmp.at(packet.transport);
  return (icmp.id << 16) | (type << 8) | icmp.code;
}

/** Whether there is a query or an answer to look up: `queryOf` of it may be 0, an echo reply's with number 0. */
export function isQuery(packet: Packet): bool {
  return turnType(packet.protocol, typeOf(packet)) != NO_TYPE;
}

/** The same of the answer to a query, or of the query to an answer. */
export function turnQuery(protocol: u32, query: u32): u32 {
  const type = turnType(protocol, (query >> 8) & 0xff);
  return (query & 0xffff00ff) | (type << 8);
}

/** Whether a packet of no connection may begin one: a query. */
export function icmpBegins(packet: Packet): bool {
  const type = typeOf(packet);
  if (packet.protocol == PROTO_ICMP6) return type == ECHO6 || type == NODE6;
  return type == ECHO || type == TIMESTAMP || type == INFORMATION || type == MASK;
}

/** It tells of an error, and quotes the packet that had it (nf_conntrack_inet_error). */
export function isIcmpError(packet: Packet): bool {
  const type = typeOf(packet);
  if (packet.protocol == PROTO_ICMP6) return type < ECHO6;
  return (
    type == UNREACHABLE ||
    type == SOURCE_QUENCH ||
    type == REDIRECT ||
    type == TIME_EXCEEDED ||
    type == PARAMETER_PROBLEM
  );
}

/** Of errors, those that a router tells a sender of packets by (ip_vs_in_icmp: no redirects, no wrong options). */
export function isTold(packet: Packet): bool {
  const type = typeOf(packet);
  if (packet.protocol == PROTO_ICMP6) return type < ECHO6;
  return type == UNREACHABLE || type == SOURCE_QUENCH || type == TIME_EXCEEDED;
}

/** Whether an error is a redirect of IPv4. Those of IPv6 stay on their link. */
export function isRedirect(packet: Packet): bool {
  return packet.protocol == PROTO_ICMP && typeOf(packet) == REDIRECT;
}

/** Neighbour discovery and listener reports are not tracked (nf_conntrack_icmpv6_error). */
export function isUntracked(packet: Packet): bool {
  if (packet.protocol != PROTO_ICMP6 || packet.family != 6) return false;
  const type = typeOf(packet);
  return (type >= LISTENERS_FIRST && type <= NEIGHBOUR_LAST) || type == LISTENERS2;
}

/** Moves a connection on by one of its packets. */
export function advanceIcmp(packet: Packet, connection: Connection): void {
  const code = packet.protocol == PROTO_ICMP6 ? SETTING_ICMPV6_TIMEOUT : SETTING_ICMP_TIMEOUT;
  refresh(packet, connection, packet.image.setting(code));
}
