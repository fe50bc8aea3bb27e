import { NEXT_HOP_KIND_UNREACHABLE, NEXT_HOP_KIND_VXLAN } from "../abi/entry";
import { INTERFACE_NODE } from "../abi/packet";
import {
  DROP_BEYOND_SCOPE,
  DROP_FRAGMENTATION_NEEDED,
  DROP_MARTIAN,
  DROP_MULTICAST,
  DROP_NO_NEIGHBOUR,
  DROP_TTL_EXCEEDED,
} from "../abi/verdict";
import { ETH_LEN } from "../abi/wire";
import { Packet } from "../packet";
import { HOP_MTU, HOP_OUT } from "../table/nexthop/layout";
import { isSwitched } from "../table/nexthop/lookup";
import { decrementTtl, ttlOf } from "../wire/ip";
import { Ip4 } from "../wire/ip4";
import { isLinkLocal, isUnspecified } from "../wire/scope6";

/** What came in a frame to many is for nobody else (PACKET_HOST in ip_forward); a bridge passes it on. */
export function checkFrame(packet: Packet): bool {
  return !packet.isForMany || isSwitched(packet) || packet.drop(DROP_MULTICAST);
}

/** A router refuses a packet whose TTL it would take to 0 (RFC 1812 §5.3.1). */
export function checkTtl(packet: Packet): bool {
  return ttlOf(packet.ip) > packet.aged + 1 || isSwitched(packet) || packet.drop(DROP_TTL_EXCEEDED);
}

/** What no router sends on to another link (ip6_forward): sources of no host, and those of one link. */
export function checkSource(packet: Packet): bool {
  if (packet.family != 6 || load<u32>(packet.hopAddress, HOP_OUT) == packet.in) return true;
  const src = packet.src6;
  if (isUnspecified(src)) return packet.drop(DROP_MARTIAN);
  return !isLinkLocal(src) || packet.drop(DROP_BEYOND_SCOPE);
}

function mtuOf(packet: Packet): u32 {
  return load<u16>(packet.hopAddress, HOP_MTU);
}

/** IPv6 is cut by its sender alone (RFC 8200 §5). */
function mayBeCut(packet: Packet): bool {
  return packet.family != 6 && !Ip4.at(packet.ip).dontFragment;
}

/** The packet fits the way out, or may be cut to fit. */
export function checkLength(packet: Packet): bool {
  const mtu = mtuOf(packet);
  if (packet.ipLength <= mtu || mayBeCut(packet)) return true;
  // What came in fragments may leave in such, none larger than those that came.
  if (packet.largest != 0 && packet.largest <= mtu) return true;
  return packet.drop(DROP_FRAGMENTATION_NEEDED);
}

/**
 * The same as IPVS asks it of a packet that so many octets are to be put before: IPv4's that came in fragments is one packet
 * to it (ensure_mtu_is_adequate).
 */
export function checkLengthWith(packet: Packet, overhead: u32): bool {
  const isApart = packet.family == 6 && packet.largest != 0;
  const length = (isApart ? packet.largest : packet.ipLength) + overhead;
  return length <= mtuOf(packet) || mayBeCut(packet) || packet.drop(DROP_FRAGMENTATION_NEEDED);
}

/** The neighbour is looked for last, when all rules have let the packet pass. */
export function checkNeighbour(packet: Packet): bool {
  return packet.hopKind != NEXT_HOP_KIND_UNREACHABLE || packet.drop(DROP_NO_NEIGHBOUR);
}

/** Octets behind the IP packet (Ethernet padding) end here, as in ip_rcv_core. */
export function trim(packet: Packet): void {
  packet.length = ETH_LEN + packet.ipLength;
}

/** A router has it one hop nearer, which the frame does not say yet; a bridge has not. */
export function pass(packet: Packet): void {
  if (!isSwitched(packet)) packet.aged++;
}

/** As many hops nearer as are behind it; what came in loses what stands behind the packet. */
export function age(packet: Packet): void {
  if (packet.in != INTERFACE_NODE || packet.aged != 0) trim(packet);
  for (let hops = packet.aged; hops != 0; hops--) decrementTtl(packet.ip);
}

export function isTunnelled(packet: Packet): bool {
  return packet.hopKind >= NEXT_HOP_KIND_VXLAN;
}
