import { NEXT_HOP_FLAG_BRIDGE, NEXT_HOP_KIND_UNREACHABLE, NEXT_HOP_KIND_VXLAN } from "../abi/entry";
import {
  DROP_FRAGMENTATION_NEEDED,
  DROP_NEEDS_FRAGMENTING,
  DROP_NO_NEIGHBOUR,
  DROP_TTL_EXCEEDED,
} from "../abi/verdict";
import { ETH_LEN } from "../abi/wire";
import { Packet } from "../packet";
import { HOP_FLAGS, HOP_MTU, HOP_OUT } from "../table/nexthop/layout";
import { Ip4 } from "../wire/ip4";

/** IPVS gave the packet its destination: it is sent on as by a router, even the node's own (decrement_ttl in ip_vs_xmit.c). */
export function isScheduled(packet: Packet): bool {
  return packet.flowFlags != 0 && packet.dst != packet.frameDst;
}

/** Switched by the bridge it came in by, and so not routed (br_netfilter); IPVS sends a packet on as a router. */
function isSwitched(packet: Packet): bool {
  const hop = packet.hopAddress;
  if (isScheduled(packet)) return false;
  return load<u32>(hop, HOP_OUT) == packet.in && (<u32>load<u16>(hop, HOP_FLAGS) & NEXT_HOP_FLAG_BRIDGE) != 0;
}

/** A router refuses a packet whose TTL it would take to 0 (RFC 1812 §5.3.1). */
export function checkTtl(packet: Packet): bool {
  return Ip4.at(packet.ip).ttl > 1 || isSwitched(packet) || packet.drop(DROP_TTL_EXCEEDED);
}

/** The packet fits the way out; what would have to be fragmented is left to others. */
export function checkLength(packet: Packet): bool {
  const ip = Ip4.at(packet.ip);
  if (ip.totalLength <= <u32>load<u16>(packet.hopAddress, HOP_MTU)) return true;
  return ip.dontFragment ? packet.drop(DROP_FRAGMENTATION_NEEDED) : packet.punt(DROP_NEEDS_FRAGMENTING);
}

/** The neighbour is looked for last, when all rules have let the packet pass. */
export function checkNeighbour(packet: Packet): bool {
  return packet.hopKind != NEXT_HOP_KIND_UNREACHABLE || packet.drop(DROP_NO_NEIGHBOUR);
}

/** One hop nearer. Octets behind the IPv4 packet (Ethernet padding) end here, as in ip_rcv_core. */
export function age(packet: Packet): void {
  const ip = Ip4.at(packet.ip);
  packet.length = ETH_LEN + ip.totalLength;
  if (!isSwitched(packet)) ip.decrementTtl();
}

export function isTunnelled(packet: Packet): bool {
  return packet.hopKind >= NEXT_HOP_KIND_VXLAN;
}
