import { NEXT_HOP_KIND_LOCAL, TUNNEL_GENEVE } from "../abi/entry";
import { IMAGE_FLAG_VERIFY } from "../abi/image";
import { INTERFACE_NODE } from "../abi/packet";
import { EVENT_DECAP } from "../abi/trace";
import {
  DROP_BAD_CHECKSUM,
  DROP_ECN,
  DROP_TRUNCATED,
  DROP_TUNNEL_CONTROL,
  DROP_TUNNEL_HEADER,
  DROP_TUNNEL_OPTION,
  DROP_UNKNOWN_VNI,
} from "../abi/verdict";
import { ETH_LEN, PROTO_UDP, UDP_LEN, VXLAN_LEN } from "../abi/wire";
import { FAULT_NONE, Packet } from "../packet";
import { fib4NextHop } from "../table/fib4/layout";
import { fib4Lookup } from "../table/fib4/lookup";
import { HOP_KIND } from "../table/nexthop/layout";
import { nextHopAt } from "../table/nexthop/lookup";
import { TUNNEL_NONE } from "../table/tunnel/layout";
import { tunnelIn, tunnelKind } from "../table/tunnel/lookup";
import { record } from "../trace";
import { ECN_DROP, ECN_MASK, innerEcn } from "../wire/ecn";
import { Geneve } from "../wire/geneve";
import { setTos, tosOf } from "../wire/ip";
import { isDatagramIntact } from "../wire/transport";
import { Udp } from "../wire/udp";
import { Vxlan } from "../wire/vxlan";

/** A tunnel's packet to this node: UDP over IPv4 to a local address and a device's port. */
export function isForTunnel(packet: Packet): bool {
  const image = packet.image;
  if (packet.family != 4 || packet.protocol != PROTO_UDP || tunnelKind(image, packet.dstPort) == TUNNEL_NONE)
    return false;
  const leaf = fib4Lookup(image, packet.dst);
  return leaf != 0 && load<u16>(nextHopAt(image, fib4NextHop(leaf)), HOP_KIND) == NEXT_HOP_KIND_LOCAL;
}

/** Octets of a VXLAN header (RFC 7348 §5); 0 has decided. */
function vxlanLength(packet: Packet): u32 {
  const vxlan = Vxlan.at(packet.transport + UDP_LEN);
  if (vxlan.isPlain) return VXLAN_LEN;
  packet.drop(vxlan.hasVni ? DROP_TUNNEL_HEADER : DROP_UNKNOWN_VNI);
  return 0;
}

/**
 * Octets of a Geneve header with its options; 0 has decided. Options are passed over: none that is critical is known,
 * and Linux' own devices know none either (geneve_rx), though they forward control messages.
 */
function geneveLength(packet: Packet, room: u32): u32 {
  const geneve = Geneve.at(packet.transport + UDP_LEN);
  const length = geneve.headerLength;
  if (!geneve.isValid) packet.drop(DROP_TUNNEL_HEADER);
  else if (room < length + ETH_LEN) packet.drop(DROP_TRUNCATED);
  else if (geneve.isControl) packet.drop(DROP_TUNNEL_CONTROL);
  else if (geneve.isCritical) packet.drop(DROP_TUNNEL_OPTION);
  else return length;
  return 0;
}

/** Takes the outer headers off: the frame goes on from the tunnel's interface, to be parsed again. */
export function decap(packet: Packet): bool {
  const image = packet.image;
  if (packet.fault != FAULT_NONE) return packet.drop(DROP_TRUNCATED);
  const room = Udp.at(packet.transport).length - UDP_LEN;
  // Both headers have 8 octets to begin with, and the VNI at the same place.
  if (room < VXLAN_LEN + ETH_LEN) return packet.drop(DROP_TRUNCATED);
  const kind = tunnelKind(image, packet.dstPort);
  const header = kind == TUNNEL_GENEVE ? geneveLength(packet, room) : vxlanLength(packet);
  if (header == 0) return false;
  const vni = Vxlan.at(packet.transport + UDP_LEN).vni;
  const device = tunnelIn(image, packet.dstPort, vni);
  if (device == INTERFACE_NODE) return packet.drop(DROP_UNKNOWN_VNI);
  if ((image.flags & IMAGE_FLAG_VERIFY) != 0 && !isDatagramIntact(packet.ip, packet.transport))
    return packet.drop(DROP_BAD_CHECKSUM);
  if (TRACE) record(packet, EVENT_DECAP, vni | (kind << 24), packet.src, packet.dst, device, 0);
  packet.tunnelTos = tosOf(packet.ip);
  packet.tunnelSum = Udp.at(packet.transport).checksum;
  packet.length = room - header;
  packet.frame = packet.transport + UDP_LEN + header;
  packet.in = device;
  return true;
}

/** Hands the tunnel's congestion mark on to the packet that was inside, once that is parsed. */
export function inheritEcn(packet: Packet): bool {
  const tos = tosOf(packet.ip);
  const ecn = innerEcn(packet.tunnelTos & ECN_MASK, tos & ECN_MASK);
  if (ecn == ECN_DROP) return packet.drop(DROP_ECN);
  if (ecn != (tos & ECN_MASK)) setTos(packet.ip, (tos & ~ECN_MASK) | ecn);
  return true;
}
