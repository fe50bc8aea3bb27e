import { IMAGE_FLAG_VERIFY } from "../abi/image";
import {
  DROP_ADMIN_PROHIBITED,
  DROP_FRAGMENTATION_NEEDED,
  DROP_HOST_PROHIBITED,
  DROP_HOST_UNREACHABLE,
  DROP_NET_PROHIBITED,
  DROP_NET_UNREACHABLE,
  DROP_NO_DESTINATION,
  DROP_NO_NEIGHBOUR,
  DROP_NO_ROUTE,
  DROP_POLICY_FAIL,
  DROP_PORT_UNREACHABLE,
  DROP_PROTOCOL_UNREACHABLE,
  DROP_REJECT_ROUTE,
  DROP_ROUTE_PROHIBITED,
  DROP_ROUTE_UNREACHABLE,
  DROP_TTL_EXCEEDED,
  VERDICT_REJECT,
} from "../abi/verdict";
import {
  PROTO_AH,
  PROTO_DCCP,
  PROTO_ESP,
  PROTO_GRE,
  PROTO_ICMP,
  PROTO_ICMP6,
  PROTO_SCTP,
  PROTO_TCP,
  PROTO_UDP,
  PROTO_UDPLITE,
} from "../abi/wire";
import { Packet } from "../packet";
import { fold, sumWords } from "../wire/checksum";
import { Icmp } from "../wire/icmp";
import { pseudoSum } from "../wire/ip";
import { isMulticast, isUnspecified } from "../wire/scope6";
import { Udp } from "../wire/udp";

/** Whether a packet that was dropped or refused is answered, and by which ICMP error. */

/** No error says why. */
export const NO_ERROR: u32 = 0xffff;

/** type << 8 | code of the ICMP error for a DROP_ reason (RFC 792, RFC 1812 §5.2.7), or NO_ERROR. */
function errorOf4(reason: u32): u32 {
  if (reason == DROP_PORT_UNREACHABLE || reason == DROP_NO_DESTINATION) return 0x0303;
  if (reason == DROP_TTL_EXCEEDED) return 0x0b00;
  if (reason == DROP_NO_ROUTE || reason == DROP_NET_UNREACHABLE) return 0x0300;
  if (reason == DROP_NO_NEIGHBOUR || reason == DROP_HOST_UNREACHABLE) return 0x0301;
  if (reason == DROP_ROUTE_UNREACHABLE) return 0x0301;
  if (reason == DROP_PROTOCOL_UNREACHABLE) return 0x0302;
  if (reason == DROP_FRAGMENTATION_NEEDED) return 0x0304;
  if (reason == DROP_NET_PROHIBITED) return 0x0309;
  if (reason == DROP_HOST_PROHIBITED) return 0x030a;
  return reason == DROP_ADMIN_PROHIBITED || reason == DROP_ROUTE_PROHIBITED ? 0x030d : NO_ERROR;
}

/** The same of ICMPv6 (RFC 4443 §3). */
function errorOf6(reason: u32): u32 {
  if (reason == DROP_PORT_UNREACHABLE || reason == DROP_NO_DESTINATION) return 0x0104;
  if (reason == DROP_TTL_EXCEEDED) return 0x0300;
  if (reason == DROP_NO_ROUTE || reason == DROP_NET_UNREACHABLE) return 0x0100;
  if (reason == DROP_NO_NEIGHBOUR || reason == DROP_HOST_UNREACHABLE) return 0x0103;
  if (reason == DROP_ROUTE_UNREACHABLE) return 0x0100;
  if (reason == DROP_FRAGMENTATION_NEEDED) return 0x0200;
  if (reason == DROP_ADMIN_PROHIBITED || reason == DROP_ROUTE_PROHIBITED) return 0x0101;
  if (reason == DROP_POLICY_FAIL) return 0x0105;
  return reason == DROP_REJECT_ROUTE ? 0x0106 : NO_ERROR;
}

export function errorOf(packet: Packet, reason: u32): u32 {
  return packet.family == 6 ? errorOf6(reason) : errorOf4(reason);
}

const ICMP_ECHO_REPLY: u32 = 0;
const ICMP_ECHO: u32 = 8;
const ICMP_TIMESTAMP: u32 = 13;
const ICMP_MASK_REPLY: u32 = 18;
const ICMP6_INFORMATIONAL: u32 = 128;

/** An ICMP message that may be no error: those of a type that nobody knows might be one (icmp_send, is_ineligible). */
function isQuestion(packet: Packet): bool {
  if (packet.segment == 0) return false;
  const type = Icmp.at(packet.transport).type;
  if (packet.family == 6) return type >= ICMP6_INFORMATIONAL;
  return type == ICMP_ECHO_REPLY || type == ICMP_ECHO || (type >= ICMP_TIMESTAMP && type <= ICMP_MASK_REPLY);
}

const BROADCAST: u32 = 0xffffffff;
const MULTICAST: u32 = 14;

/** One host has the packet's source address; 240/4 are hosts too. */
function isFromHost(packet: Packet): bool {
  if (packet.family == 6) return !isUnspecified(packet.src6) && !isMulticast(packet.src6);
  return packet.src != 0 && packet.src != BROADCAST && packet.src >> 28 != MULTICAST;
}

/** No ICMP error is about another one, or goes to many (RFC 1122 §3.2.2, RFC 4443 §2.4(e)). */
export function isAnswerable(packet: Packet): bool {
  const own = packet.family == 6 ? PROTO_ICMP6 : PROTO_ICMP;
  return isFromHost(packet) && (packet.protocol != own || isQuestion(packet));
}

/** Protocols whose checksum REJECT does not look at (nf_reject_verify_csum). */
function isExempt(packet: Packet): bool {
  const protocol = packet.protocol;
  if (protocol == PROTO_UDP)
    return packet.segment > 0 && packet.fault == 0 && Udp.at(packet.transport).checksum == 0;
  return (
    protocol == PROTO_GRE ||
    protocol == PROTO_SCTP ||
    protocol == PROTO_AH ||
    protocol == PROTO_ESP ||
    protocol == PROTO_UDPLITE ||
    protocol == PROTO_DCCP
  );
}

/** What a checksum over the whole segment should come to, whatever the protocol (nf_ip_checksum, nf_ip6_checksum). */
function isIntact(packet: Packet): bool {
  const protocol = packet.protocol;
  const hasPseudo = packet.family == 6 || protocol == PROTO_TCP || protocol == PROTO_UDP;
  const pseudo = hasPseudo ? pseudoSum(packet.ip, protocol, packet.segment) : 0;
  return fold(pseudo + sumWords(packet.transport, packet.segment)) == 0xffff;
}

/** Reasons of a route look-up: the program on the node that sends such a packet is told by its own call. */
export function isOfRoute(reason: u32): bool {
  return reason == DROP_NO_ROUTE || reason == DROP_ROUTE_UNREACHABLE || reason == DROP_ROUTE_PROHIBITED;
}

/** A rule that rejects is silent about packets that came damaged; IPVS is not. */
export function isWorthAnswer(packet: Packet, verdict: u32, reason: u32): bool {
  if (verdict != VERDICT_REJECT || reason == DROP_NO_DESTINATION) return true;
  if ((packet.image.flags & IMAGE_FLAG_VERIFY) == 0) return true;
  return isExempt(packet) || isIntact(packet);
}
