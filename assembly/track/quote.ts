import {
  EXTENSION_FRAGMENT,
  EXTENSION_LEN,
  EXTENSION_NEXT,
  EXTENSION_NONE,
  ICMP_LEN,
  IP4_LEN,
  IP6_LEN,
  PROTO_ICMP,
  PROTO_ICMP6,
} from "../abi/wire";
import { load32 } from "../bytes";
import { Packet } from "../packet";
import { flowFind } from "../table/flow/lookup";
import { flow6Find } from "../table/flow/lookup6";
import { Icmp } from "../wire/icmp";
import { Ip4 } from "../wire/ip4";
import { extensionLength, Ip6, isExtension } from "../wire/ip6";
import { NO_TYPE, turnType } from "./icmp";
import { protocolHasPorts } from "./tuple";

/** The packet that an ICMP error quotes: as much of it as there is. */

const PORTS_LEN: u32 = 4;
/** No transport can be found. */
const NO_TRANSPORT: usize = 0;

/** The address of the quoted IP header. */
export function quoteAt(packet: Packet): usize {
  return packet.transport + ICMP_LEN;
}

/** Behind what is quoted. */
export function quoteEnd(packet: Packet): usize {
  return packet.transport + packet.segment;
}

/** The protocol of the quoted packet. The caller knows that its transport was found. */
export function quotedProtocol(packet: Packet): u32 {
  const ip = quoteAt(packet);
  if (packet.family != 6) return Ip4.at(ip).protocol;
  let next = Ip6.at(ip).nextHeader;
  for (let at = ip + IP6_LEN; isExtension(next); ) {
    const length = extensionLength(at, next);
    next = load<u8>(at, EXTENSION_NEXT);
    at += length;
  }
  return next;
}

function transport4(ip: usize, end: usize): usize {
  if (ip + IP4_LEN > end) return NO_TRANSPORT;
  const header = Ip4.at(ip);
  if (header.fragmentOffset != 0) return NO_TRANSPORT;
  const at = ip + header.headerLength;
  return at > end ? NO_TRANSPORT : at;
}

function transport6(ip: usize, end: usize): usize {
  if (ip + IP6_LEN > end) return NO_TRANSPORT;
  let next = Ip6.at(ip).nextHeader;
  let at = ip + IP6_LEN;
  while (isExtension(next)) {
    if (next == EXTENSION_NONE || next == EXTENSION_FRAGMENT || at + EXTENSION_LEN > end) return NO_TRANSPORT;
    const length = extensionLength(at, next);
    next = load<u8>(at, EXTENSION_NEXT);
    at += length;
  }
  return at > end ? NO_TRANSPORT : at;
}

/** The address of the quoted transport header, of which there may be nothing; 0 where it cannot be found. */
export function quotedTransport(packet: Packet): usize {
  const end = quoteEnd(packet);
  return packet.family == 6 ? transport6(quoteAt(packet), end) : transport4(quoteAt(packet), end);
}

/** Ports, or what stands for them, of the tuple that answers the quoted packet; MAX for none (nf_ct_get_tuple). */
function answerKey(protocol: u32, at: usize, end: usize): u64 {
  if (protocolHasPorts(protocol)) return at + PORTS_LEN > end ? u64.MAX_VALUE : rotl<u32>(load32(at), 16);
  if (protocol != PROTO_ICMP && protocol != PROTO_ICMP6) return 0;
  if (at + ICMP_LEN > end) return u64.MAX_VALUE;
  const icmp = Icmp.at(at);
  const type = turnType(protocol, icmp.type);
  return type == NO_TYPE ? u64.MAX_VALUE : (icmp.id << 16) | (type << 8) | icmp.code;
}

/** record << 1 | direction of the tuple that answers the packet which an ICMP error quotes; 0 where there is none. */
export function findQuoted(packet: Packet): u32 {
  const at = quotedTransport(packet);
  if (at == NO_TRANSPORT) return 0;
  const protocol = quotedProtocol(packet);
  const key = answerKey(protocol, at, quoteEnd(packet));
  if (key == u64.MAX_VALUE) return 0;
  const ip = quoteAt(packet);
  if (packet.family != 6) return flowFind(packet.state, Ip4.at(ip).dst, Ip4.at(ip).src, <u32>key, protocol);
  return flow6Find(packet.state, Ip6.at(ip).dst, Ip6.at(ip).src, <u32>key, protocol);
}

/** Gives a descriptor the tuple that answers the quoted packet, if that has one with ports; false, and nothing given, if not. */
export function takeAnswering(packet: Packet): bool {
  const at = quotedTransport(packet);
  if (at == NO_TRANSPORT || at + PORTS_LEN > quoteEnd(packet)) return false;
  const protocol = quotedProtocol(packet);
  if (!protocolHasPorts(protocol)) return false;
  const ip = quoteAt(packet);
  packet.protocol = protocol;
  packet.ports = rotl<u32>(load32(at), 16);
  if (packet.family == 6) {
    packet.src6 = Ip6.at(ip).dst;
    packet.dst6 = Ip6.at(ip).src;
  } else {
    packet.src = Ip4.at(ip).dst;
    packet.dst = Ip4.at(ip).src;
  }
  return true;
}
