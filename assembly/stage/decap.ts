import { NEXT_HOP_KIND_LOCAL } from "../abi/entry";
import { IMAGE_FLAG_VERIFY } from "../abi/image";
import { EVENT_DECAP } from "../abi/trace";
import { DROP_BAD_CHECKSUM, DROP_ECN, DROP_TRUNCATED, DROP_UNKNOWN_VNI } from "../abi/verdict";
import { ETH_LEN, PROTO_UDP, UDP_LEN, VXLAN_LEN } from "../abi/wire";
import { Packet } from "../packet";
import { fib4NextHop } from "../table/fib4/layout";
import { fib4Lookup } from "../table/fib4/lookup";
import { HOP_KIND } from "../table/nexthop/layout";
import { nextHopAt } from "../table/nexthop/lookup";
import { record } from "../trace";
import { ECN_DROP, ECN_MASK, innerEcn } from "../wire/ecn";
import { Ip4 } from "../wire/ip4";
import { isSegmentIntact } from "../wire/transport";
import { Udp } from "../wire/udp";
import { Vxlan } from "../wire/vxlan";

/** VXLAN to this node's tunnel endpoint: UDP to a local address and the device's port. */
export function isForTunnel(packet: Packet): bool {
  const image = packet.image;
  if (packet.protocol != PROTO_UDP || image.vxlanPort == 0 || packet.dstPort != image.vxlanPort) return false;
  const leaf = fib4Lookup(image, packet.dst);
  return leaf != 0 && load<u32>(nextHopAt(image, fib4NextHop(leaf)), HOP_KIND) == NEXT_HOP_KIND_LOCAL;
}

/** Takes the outer headers off (RFC 7348 §4.1): the frame goes on from the tunnel interface, to be parsed again. */
export function decap(packet: Packet): bool {
  const image = packet.image;
  const udp = Udp.at(packet.transport);
  if (udp.length < UDP_LEN + VXLAN_LEN + ETH_LEN) return packet.drop(DROP_TRUNCATED);
  const vxlan = Vxlan.at(packet.transport + UDP_LEN);
  if (!vxlan.hasVni || vxlan.vni != image.vxlanVni) return packet.drop(DROP_UNKNOWN_VNI);
  if ((image.flags & IMAGE_FLAG_VERIFY) != 0 && !isSegmentIntact(Ip4.at(packet.ip)))
    return packet.drop(DROP_BAD_CHECKSUM);
  if (TRACE) record(packet, EVENT_DECAP, vxlan.vni, packet.src, packet.dst, image.vxlanIn, 0);
  packet.tunnelTos = Ip4.at(packet.ip).tos;
  packet.length = udp.length - UDP_LEN - VXLAN_LEN;
  packet.frame = packet.transport + UDP_LEN + VXLAN_LEN;
  packet.in = image.vxlanIn;
  return true;
}

/** Hands the tunnel's congestion mark on to the packet that was inside, once that is parsed. */
export function inheritEcn(packet: Packet): bool {
  const ip = Ip4.at(packet.ip);
  const ecn = innerEcn(packet.tunnelTos & ECN_MASK, ip.tos & ECN_MASK);
  if (ecn == ECN_DROP) return packet.drop(DROP_ECN);
  if (ecn != (ip.tos & ECN_MASK)) ip.retos((ip.tos & ~ECN_MASK) | ecn);
  return true;
}
