import { INTERFACE_NODE } from "../abi/packet";
import { SETTING_ROUTE_ANYWHERE } from "../abi/setting";
import { EVENT_PARSE } from "../abi/trace";
import {
  DROP_BAD_CHECKSUM,
  DROP_BAD_HEADER,
  DROP_FRAGMENT,
  DROP_IP4_OPTION,
  DROP_IP6_AUTH,
  DROP_IP6_OPTION,
  DROP_LINK_LOCAL,
  DROP_MARTIAN,
  DROP_MULTICAST,
  DROP_NOT_IP,
  DROP_TRUNCATED,
  DROP_VLAN,
} from "../abi/verdict";
import {
  ETH_LEN,
  ETH_TYPE_IP4,
  ETH_TYPE_IP6,
  ETH_TYPE_QINQ,
  ETH_TYPE_VLAN,
  EXTENSION_AUTH,
  EXTENSION_FRAGMENT,
  EXTENSION_HOP_BY_HOP,
  EXTENSION_LEN,
  EXTENSION_NEXT,
  EXTENSION_NONE,
  FRAGMENT_LEN,
  IP4_LEN,
  IP6_LEN,
  PROTO_SCTP,
  PROTO_TCP,
  PROTO_UDP,
  TCP_FLAGS,
} from "../abi/wire";
import { load32 } from "../bytes";
import { FAULT_CUT, FAULT_LENGTH, FAULT_NONE, Packet } from "../packet";
import { recordEnds } from "../trace";
import { Ethernet } from "../wire/ethernet";
import { Fragment6 } from "../wire/fragment6";
import { Ip4 } from "../wire/ip4";
import { extensionLength, Ip6, isExtension } from "../wire/ip6";
import { areOptionsStill } from "../wire/options4";
import { areHopOptionsGood } from "../wire/options6";
import { isLinkLocal, isLoopback, isMulticast, isMulticastOfNobody } from "../wire/scope6";
import { Tcp } from "../wire/tcp";
import { transportHeaderLength } from "../wire/transport";
import { Udp } from "../wire/udp";

const PORTS_LEN: u32 = 4;

/** What is wrong with the transport header. A router sends such a packet on; conntrack calls it INVALID. */
function faultOf(packet: Packet): u32 {
  const room = packet.segment;
  if (room < transportHeaderLength(packet.protocol)) return FAULT_CUT;
  if (packet.protocol == PROTO_TCP && !Tcp.at(packet.transport).isValid(room)) return FAULT_LENGTH;
  if (packet.protocol == PROTO_UDP && !Udp.at(packet.transport).isValid(room)) return FAULT_LENGTH;
  return FAULT_NONE;
}

/** Reads `length` octets from the transport header to the packet's end, as far as anything asks for them. */
function parseTransport(packet: Packet, transport: u32, length: u32): bool {
  packet.transport = transport;
  packet.segment = length;
  packet.fault = max<u32>(packet.fault, faultOf(packet));
  packet.ports = packet.tcpFlags = 0;
  const protocol = packet.protocol;
  const hasPorts = protocol == PROTO_TCP || protocol == PROTO_UDP || protocol == PROTO_SCTP;
  if (hasPorts && length >= PORTS_LEN) packet.ports = load32(transport);
  if (protocol == PROTO_TCP && length > TCP_FLAGS) packet.tcpFlags = Tcp.at(transport).flags;
  packet.framePorts = packet.ports;
  if (TRACE)
    recordEnds(
      packet,
      EVENT_PARSE,
      packet.src,
      packet.dst,
      packet.ports,
      protocol,
      packet.length,
      packet.src6,
      packet.dst6,
    );
  return true;
}

const BROADCAST: u32 = 0xffffffff;

function isMulticast4(address: u32): bool {
  return address >> 28 == 14;
}

/** Sources that no packet from outside has, wherever it goes (ip_route_input_slow). */
function isMartian4(src: u32): bool {
  return src == BROADCAST || isMulticast4(src);
}

/** To many; from nowhere to nowhere is an old broadcast. */
function isToMany4(src: u32, dst: u32): bool {
  return dst == BROADCAST || isMulticast4(dst) || (src | dst) == 0;
}

/** Sources that no packet to one host has; of 127/8 the node itself has all. */
function isNobody4(src: u32): bool {
  return src == 0 || src >> 24 == 127;
}

function parse4(packet: Packet, room: u32): bool {
  if (room < IP4_LEN) return packet.drop(DROP_TRUNCATED);
  const ip = Ip4.at(packet.ip);
  if (!ip.isValid(room)) return packet.drop(ip.totalLength > room ? DROP_TRUNCATED : DROP_BAD_HEADER);
  if (!ip.isIntact) return packet.drop(DROP_BAD_CHECKSUM);
  const zero = i32x4.splat(0);
  packet.src = packet.frameSrc = ip.src;
  packet.dst = packet.frameDst = ip.dst;
  packet.srcHigh = packet.frameSrcHigh = packet.dstHigh = packet.frameDstHigh = zero;
  packet.protocol = ip.protocol;
  const isForeign = packet.in != INTERFACE_NODE;
  if (isForeign && isMartian4(packet.src)) return packet.drop(DROP_MARTIAN);
  if (isToMany4(packet.src, packet.dst)) return packet.punt(DROP_MULTICAST);
  if (isForeign && isNobody4(packet.src)) return packet.drop(DROP_MARTIAN);
  if (ip.isFragment) return packet.punt(DROP_FRAGMENT);
  if (ip.headerLength != IP4_LEN && !areOptionsStill(packet.ip, ip.headerLength))
    return packet.punt(DROP_IP4_OPTION);
  return parseTransport(packet, packet.ip + ip.headerLength, ip.totalLength - ip.headerLength);
}

/** Whether a destination that no packet from outside is routed to stops this one all the same. */
function isBounded(packet: Packet): bool {
  return packet.image.setting(SETTING_ROUTE_ANYWHERE) == 0;
}

/** As ip6_rcv_core. */
function isMartian6(packet: Packet, src: v128, dst: v128): bool {
  if (isLoopback(src) || isMulticast(src) || isMulticastOfNobody(dst)) return true;
  return isLoopback(dst) && isBounded(packet);
}

/** The hop-by-hop header, which stands first and which every router reads, lets the packet pass. */
function passesHop(packet: Packet, room: u32): bool {
  const header = packet.ip + IP6_LEN;
  if (Ip6.at(packet.ip).nextHeader != EXTENSION_HOP_BY_HOP) return true;
  if (room < EXTENSION_LEN) return false;
  const length = extensionLength(header, EXTENSION_HOP_BY_HOP);
  return length <= room && areHopOptionsGood(header, length);
}

/** A fragment is left to whoever gathers them, who finds its header where the transport's would be. */
function leaveFragment(packet: Packet, at: u32, left: u32): bool {
  packet.transport = at;
  packet.segment = left;
  return packet.punt(DROP_FRAGMENT);
}

/** A later fragment that goes on as it is has no transport header, but that of its datagram has a protocol. */
function passFragment(packet: Packet, at: u32, left: u32): bool {
  packet.protocol = load<u8>(at, EXTENSION_NEXT);
  packet.fault = FAULT_CUT;
  return parseTransport(packet, at + left, 0);
}

/**
 * Goes past extension headers, of `room` octets with what follows, to the transport, as ipv6_skip_exthdr does. Where
 * they do not end there is none, and the protocol is the header's that is missing.
 */
function skipExtensions(packet: Packet, room: u32): bool {
  let next = Ip6.at(packet.ip).nextHeader;
  let at = packet.ip + IP6_LEN;
  let left = room;
  while (isExtension(next) && next != EXTENSION_NONE) {
    if (next == EXTENSION_FRAGMENT) {
      if (packet.isLoose == 0) return leaveFragment(packet, at, left);
      if (left >= FRAGMENT_LEN && Fragment6.at(at).offset != 0) return passFragment(packet, at, left);
    }
    if (left < EXTENSION_LEN) break;
    if (next == EXTENSION_AUTH) return packet.punt(DROP_IP6_AUTH);
    const header = next == EXTENSION_FRAGMENT ? FRAGMENT_LEN : extensionLength(at, next);
    const length = min<u32>(header, left);
    next = load<u8>(at, EXTENSION_NEXT);
    at += length;
    left -= length;
  }
  packet.protocol = next;
  packet.fault = isExtension(next) ? FAULT_CUT : FAULT_NONE;
  return parseTransport(packet, at, left);
}

function parse6(packet: Packet, room: u32): bool {
  if (room < IP6_LEN) return packet.drop(DROP_TRUNCATED);
  const ip = Ip6.at(packet.ip);
  if (ip.version != 6) return packet.drop(DROP_BAD_HEADER);
  packet.src6 = ip.src;
  packet.dst6 = ip.dst;
  packet.frameSrc = packet.src;
  packet.frameDst = packet.dst;
  packet.frameSrcHigh = packet.srcHigh;
  packet.frameDstHigh = packet.dstHigh;
  if (packet.in != INTERFACE_NODE && isMartian6(packet, ip.src, ip.dst)) return packet.drop(DROP_MARTIAN);
  // A length of 0 before a hop-by-hop header would be a jumbogram's (RFC 2675 §3): the frame is as long as it is.
  const isOpen = ip.payloadLength == 0 && ip.nextHeader == EXTENSION_HOP_BY_HOP;
  const length = isOpen ? room - IP6_LEN : ip.payloadLength;
  if (length > room - IP6_LEN) return packet.drop(DROP_TRUNCATED);
  if (!passesHop(packet, length)) return packet.drop(DROP_IP6_OPTION);
  if (isMulticast(ip.dst)) return packet.punt(DROP_MULTICAST);
  if (isLinkLocal(ip.dst) && isBounded(packet)) return packet.punt(DROP_LINK_LOCAL);
  return skipExtensions(packet, length);
}

/** Validates the frame once, from its Ethernet header to its ports, and reads what later stages ask for. */
export function parse(packet: Packet): bool {
  if (packet.length < ETH_LEN) return packet.drop(DROP_TRUNCATED);
  const type = Ethernet.at(packet.frame).type;
  const room = packet.length - ETH_LEN;
  packet.ip = packet.frame + ETH_LEN;
  packet.fault = FAULT_NONE;
  packet.family = type == ETH_TYPE_IP6 ? 6 : 4;
  if (type == ETH_TYPE_IP4) return parse4(packet, room);
  if (type == ETH_TYPE_IP6) return parse6(packet, room);
  return packet.punt(type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ ? DROP_VLAN : DROP_NOT_IP);
}
