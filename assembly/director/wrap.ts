import { ENCAP_FLAG_CHECKSUM, ENCAP_FLAG_REMOTE_CHECKSUM, ENCAP_GRE, ENCAP_GUE } from "../abi/server";
import { DROP_NO_HEADROOM } from "../abi/verdict";
import {
  ETH_LEN,
  ETH_TYPE,
  ETH_TYPE_IP4,
  ETH_TYPE_IP6,
  GRE_LEN,
  GUE_LEN,
  IP4_CHECKSUM,
  IP4_DST,
  IP4_FLAG_DF,
  IP4_FRAGMENT,
  IP4_ID,
  IP4_LEN,
  IP4_SRC,
  IP4_TTL,
  IP6_LEN,
  IP6_PAYLOAD_LENGTH,
  PROTO_GRE,
  PROTO_IPIP,
  PROTO_IPV6,
  PROTO_UDP,
  UDP_LEN,
} from "../abi/wire";
import { store16, store32 } from "../bytes";
import { serverOf } from "../ipvs/session";
import { Packet } from "../packet";
import { connectionAt } from "../table/flow/lookup";
import { ipvsOf } from "../table/ipvs/layout";
import { HOP_SOURCE } from "../table/nexthop/layout";
import { sourceOf6 } from "../table/nexthop/lookup";
import { Destination, destinationAt } from "../table/ring/destinations";
import { fold, sumWords } from "../wire/checksum";
import { ECN_CE, ECN_ECT0, ECN_MASK } from "../wire/ecn";
import { pseudoSum, tosOf, ttlOf } from "../wire/ip";
import { Ip4, nextId } from "../wire/ip4";
import { Ip6 } from "../wire/ip6";

/** What a packet travels in to a real server of FORWARD_TUNNEL (ip_vs_tunnel_xmit): IP in IP, or in GUE or GRE. */

const FORWARD_KIND_SHIFT: u32 = 8;
const FORWARD_FLAGS_SHIFT: u32 = 16;
const GRE_CHECKSUM: u32 = 0x8000;
/** Ports that a kernel takes for its own (ip_local_port_range): the first, and how many it chooses from. */
const PORT_FIRST: u32 = 32768;
const PORT_COUNT: u32 = 60999 - 32768;

function destinationFor(packet: Packet, session: u32): Destination {
  return destinationAt(packet.image, connectionAt(ipvsOf(packet.state), session).detail0 - 1);
}

function kindOf(destination: Destination): u32 {
  return (destination.forward >> FORWARD_KIND_SHIFT) & 0xff;
}

/** Without a network card's help there is no checksum to complete remotely: that flag, too, asks for the outer one. */
function hasChecksum(destination: Destination): bool {
  const flags = destination.forward >> FORWARD_FLAGS_SHIFT;
  if ((flags & ENCAP_FLAG_CHECKSUM) != 0) return true;
  return kindOf(destination) == ENCAP_GUE && (flags & ENCAP_FLAG_REMOTE_CHECKSUM) != 0;
}

/** Octets between the two IP headers. */
function shimLength(destination: Destination): u32 {
  const kind = kindOf(destination);
  if (kind == ENCAP_GUE) return UDP_LEN + GUE_LEN;
  if (kind == ENCAP_GRE) return hasChecksum(destination) ? 2 * GRE_LEN : GRE_LEN;
  return 0;
}

function headerLength(packet: Packet): u32 {
  return packet.family == 6 ? IP6_LEN : IP4_LEN;
}

/** Octets that go before a packet of a session of FORWARD_TUNNEL. */
export function tunnelOverhead(packet: Packet, session: u32): u32 {
  return headerLength(packet) + shimLength(destinationFor(packet, session));
}

/** GRE's header (RFC 2784 §2.1), before `length` octets. */
function writeGre(at: usize, length: u32, is6: bool, sums: bool): void {
  store32(at, (sums ? GRE_CHECKSUM << 16 : 0) | (is6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4));
  if (!sums) return;
  store32(at + GRE_LEN, 0);
  store16(at + GRE_LEN, ~sumWords(at, 2 * GRE_LEN + length));
}

/** UDP's and GUE's (draft-ietf-intarea-gue: version 0, data, no options), but for UDP's checksum. */
function writeGue(at: usize, length: u32, next: u32, hash: u32, port: u32): void {
  const mixed = hash ^ (hash << 16);
  store16(at, PORT_FIRST + <u32>((<u64>mixed * PORT_COUNT) >> 32));
  store16(at + 2, port);
  store32(at + 4, (UDP_LEN + GUE_LEN + length) << 16);
  store32(at + UDP_LEN, next << 16);
}

/** The whole datagram's checksum, its IP header before it. */
function sealGue(ip: usize, at: usize, length: u32): void {
  const sum = ~fold(pseudoSum(ip, PROTO_UDP, length) + sumWords(at, length)) & 0xffff;
  store16(at + 6, sum == 0 ? 0xffff : sum);
}

/** Congestion that is not the tunnel's own is not told outside (INET_ECN_encapsulate). */
function outerTos(tos: u32): u32 {
  return (tos & ECN_MASK) == ECN_CE ? (tos & ~ECN_MASK) | ECN_ECT0 : tos;
}

/** What stays whole needs no identification (ip_select_ident). */
function writeIp4(packet: Packet, ip: usize, total: u32, protocol: u32): void {
  const inner = Ip4.at(packet.ip);
  const state = packet.state;
  const id = inner.dontFragment ? 0 : nextId(state.outerId);
  if (id != 0) state.outerId = id;
  store32(ip, (0x45 << 24) | (outerTos(inner.tos) << 16) | total);
  store16(ip + IP4_ID, id);
  store16(ip + IP4_FRAGMENT, inner.dontFragment ? IP4_FLAG_DF : 0);
  store32(ip + IP4_TTL, (inner.ttl << 24) | (protocol << 16));
  store32(ip + IP4_SRC, load<u32>(packet.hopAddress, HOP_SOURCE));
  store32(ip + IP4_DST, packet.dst);
  store16(ip + IP4_CHECKSUM, ~sumWords(ip, IP4_LEN));
}

function writeIp6(packet: Packet, ip: usize, total: u32, protocol: u32): void {
  store32(ip, (6 << 28) | (outerTos(tosOf(packet.ip)) << 20));
  store32(ip + IP6_PAYLOAD_LENGTH, ((total - IP6_LEN) << 16) | (protocol << 8) | ttlOf(packet.ip));
  Ip6.at(ip).src = sourceOf6(packet.image, packet.hop);
  Ip6.at(ip).dst = packet.dst6;
}

function writeShim(packet: Packet, at: usize, length: u32, destination: Destination): u32 {
  const is6 = packet.family == 6;
  const next = is6 ? PROTO_IPV6 : PROTO_IPIP;
  const kind = kindOf(destination);
  if (kind == ENCAP_GRE) {
    writeGre(at, length, is6, hasChecksum(destination));
    return PROTO_GRE;
  }
  if (kind != ENCAP_GUE) return next;
  writeGue(at, length, next, packet.tupleHash, destination.tunnelPort);
  return PROTO_UDP;
}

/**
 * Puts a packet, rewritten and aged, into another to its session's server, by the next hop that it has: a packet of the
 * node's own, to be parsed anew. False where there is no headroom.
 */
export function wrap(packet: Packet): bool {
  const overhead = tunnelOverhead(packet, packet.session);
  if (packet.frame - packet.slot < overhead) return packet.drop(DROP_NO_HEADROOM);
  const destination = destinationFor(packet, packet.session);
  const length = packet.ipLength;
  const total = length + overhead;
  const ip = packet.ip - overhead;
  const shim = ip + headerLength(packet);
  const protocol = writeShim(packet, shim, length, destination);
  serverOf(packet, packet.session);
  if (packet.family == 6) writeIp6(packet, ip, total, protocol);
  else writeIp4(packet, ip, total, protocol);
  if (protocol == PROTO_UDP && hasChecksum(destination)) sealGue(ip, shim, total - headerLength(packet));
  packet.frame -= overhead;
  packet.length = ETH_LEN + total;
  memory.fill(packet.frame, 0, ETH_TYPE);
  store16(packet.frame + ETH_TYPE, packet.family == 6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4);
  return true;
}
