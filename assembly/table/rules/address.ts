import { NEXT_HOP_FLAG_BRIDGE, NEXT_HOP_KIND_LOCAL } from "../../abi/entry";
import {
  ADDRESS_TYPE_BROADCAST,
  ADDRESS_TYPE_LOCAL,
  ADDRESS_TYPE_MULTICAST,
  ADDRESS_TYPE_UNICAST,
  ADDRESS_TYPE_UNSPEC,
  LIMIT_IN,
  LIMIT_NONE,
  RPFILTER_ACCEPT_LOCAL,
  RPFILTER_LOOSE,
} from "../../abi/rule";
import { halves } from "../../bytes";
import { Image } from "../../image";
import { Packet } from "../../packet";
import { fib4NextHop } from "../fib4/layout";
import { fib4Lookup } from "../fib4/lookup";
import { fib6Lookup } from "../fib6/lookup";
import { HOP_FLAGS, HOP_KIND, HOP_OUT, HOP_REFUSAL } from "../nexthop/layout";
import { nextHopAt } from "../nexthop/lookup";
import { outOf } from "./interface";

/** What rules ask routes about a packet's addresses. */

/** The next hop of a leaf of either family; 0 where there is none. */
function hopOf(image: Image, leaf: u32): usize {
  return leaf == 0 ? 0 : nextHopAt(image, fib4NextHop(leaf));
}

/** The next hop towards an address of the packet's family (of IPv6 its words in their order); 0 where there is no route. */
function hopTo(packet: Packet, address: u32, address6: v128): usize {
  const image = packet.image;
  if (packet.family != 6) return hopOf(image, fib4Lookup(image, address));
  const key = halves(address6);
  return hopOf(image, fib6Lookup(image, v128.extract_lane<u64>(key, 0), v128.extract_lane<u64>(key, 1)));
}

function hopOfSide(packet: Packet, isDst: bool): usize {
  return isDst ? hopTo(packet, packet.dst, packet.dst6) : hopTo(packet, packet.src, packet.src6);
}

function isHopLocal(hop: usize): bool {
  return hop != 0 && load<u16>(hop, HOP_KIND) == NEXT_HOP_KIND_LOCAL;
}

/** Whether an IPv4 address is one of the node's own. */
export function isLocal(image: Image, address: u32): bool {
  return isHopLocal(hopOf(image, fib4Lookup(image, address)));
}

/** Whether the packet's source, or destination, is one of the node's own. */
export function isSideLocal(packet: Packet, isDst: bool): bool {
  return isHopLocal(hopOfSide(packet, isDst));
}

/** The bridge that the packet came in by: its interface has bridged next hops. */
export function isBridged(packet: Packet): bool {
  const hop = hopTo(packet, packet.frameSrc, packet.frameSrc6);
  if (hop == 0) return false;
  return (<u32>load<u16>(hop, HOP_FLAGS) & NEXT_HOP_FLAG_BRIDGE) != 0 && load<u32>(hop, HOP_OUT) == packet.in;
}

/** Whether an address is of the node, and of one interface if the match is limited to that. */
function isLocalWithin(packet: Packet, isDst: bool, limit: u32): bool {
  const hop = hopOfSide(packet, isDst);
  if (!isHopLocal(hop)) return false;
  if (limit == LIMIT_NONE) return true;
  return load<u32>(hop, HOP_OUT) == (limit == LIMIT_IN ? packet.in : outOf(packet));
}

/** The type of an IPv4 address by the kernel's local table (__inet_dev_addr_type). */
function typeOf(packet: Packet, isDst: bool, limit: u32): u32 {
  const address = isDst ? packet.dst : packet.src;
  if (address == 0 || address == 0xffffffff) return ADDRESS_TYPE_BROADCAST;
  if (address >> 28 == 14) return ADDRESS_TYPE_MULTICAST;
  return isLocalWithin(packet, isDst, limit) ? ADDRESS_TYPE_LOCAL : ADDRESS_TYPE_UNICAST;
}

/** Of IPv6 each type that is named must be true of the address (match_type6 in xt_addrtype.c). */
function hasTypes6(packet: Packet, isDst: bool, types: u32, limit: u32): bool {
  const address = isDst ? packet.dst6 : packet.src6;
  const isMulticast = v128.extract_lane<u32>(address, 0) >> 24 == 0xff;
  const isAny = !v128.any_true(address);
  if ((types & ADDRESS_TYPE_MULTICAST) != 0 && !isMulticast) return false;
  if ((types & ADDRESS_TYPE_UNICAST) != 0 && (isMulticast || isAny)) return false;
  if ((types & ADDRESS_TYPE_UNSPEC) != 0 && !isAny) return false;
  return (types & ADDRESS_TYPE_LOCAL) == 0 || isLocalWithin(packet, isDst, limit);
}

/** MATCH_ADDRESS_TYPE. */
export function hasType(packet: Packet, side: u32, types: u32, limit: u32): bool {
  if (packet.family == 6) return hasTypes6(packet, side != 0, types, limit);
  return (typeOf(packet, side != 0, limit) & types) != 0;
}

/** MATCH_RPFILTER (rpfilter_lookup_reverse in ipt_rpfilter.c). */
export function isFromThere(packet: Packet, flags: u32): bool {
  const hop = hopOfSide(packet, false);
  if (hop == 0 || load<u16>(hop, HOP_REFUSAL) != 0) return false;
  if (isHopLocal(hop) && (flags & RPFILTER_ACCEPT_LOCAL) == 0) return false;
  return (flags & RPFILTER_LOOSE) != 0 || load<u32>(hop, HOP_OUT) == packet.in;
}
