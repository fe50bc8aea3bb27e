import { MATCH_LEN, NEXT_HOP_FLAG_BRIDGE, NEXT_HOP_KIND_LOCAL } from "../../abi/entry";
import { halves } from "../../bytes";
import { Image } from "../../image";
import { Packet } from "../../packet";
import { fib4NextHop } from "../fib4/layout";
import { fib4Lookup } from "../fib4/lookup";
import { fib6Lookup } from "../fib6/lookup";
import { HOP_FLAGS, HOP_KIND, HOP_OUT } from "../nexthop/layout";
import { nextHopAt } from "../nexthop/lookup";

/** What rules ask of addresses. */

/** The next hop of a leaf of either family; 0 where there is none. */
function hopOf(image: Image, leaf: u32): usize {
  return leaf == 0 ? 0 : nextHopAt(image, fib4NextHop(leaf));
}

/** The next hop towards an IPv4 address, or an IPv6 one by its words in their order; 0 where there is no route. */
function hopTo(packet: Packet, address: u32, address6: v128): usize {
  const image = packet.image;
  if (packet.family != 6) return hopOf(image, fib4Lookup(image, address));
  const key = halves(address6);
  return hopOf(image, fib6Lookup(image, v128.extract_lane<u64>(key, 0), v128.extract_lane<u64>(key, 1)));
}

function isHopLocal(hop: usize): bool {
  return hop != 0 && load<u16>(hop, HOP_KIND) == NEXT_HOP_KIND_LOCAL;
}

/** Whether an IPv4 address is one of the node's own. */
export function isLocal(image: Image, address: u32): bool {
  return isHopLocal(hopOf(image, fib4Lookup(image, address)));
}

/** The next hop towards the packet's source, or its destination. */
export function hopOfSide(packet: Packet, isDst: bool): usize {
  return isDst ? hopTo(packet, packet.dst, packet.dst6) : hopTo(packet, packet.src, packet.src6);
}

/** Whether the packet's source, or destination, is one of the node's own. */
export function isSideLocal(packet: Packet, isDst: bool): bool {
  return isHopLocal(hopOfSide(packet, isDst));
}

/** The bridge that the packet came in by: its interface has bridged next hops. */
export function isBridged(packet: Packet): bool {
  const address6 = v128.replace_lane<u32>(packet.frameSrcHigh, 3, packet.frameSrc);
  const hop = hopTo(packet, packet.frameSrc, address6);
  if (hop == 0) return false;
  return (<u32>load<u16>(hop, HOP_FLAGS) & NEXT_HOP_FLAG_BRIDGE) != 0 && load<u32>(hop, HOP_OUT) == packet.in;
}

/** Whether an IPv4 address is within one of the prefixes of a match (MATCH_SRC). */
export function isWithin4(match: usize, address: u32): bool {
  const end = match + MATCH_LEN + (load<u32>(match, 4) << 3);
  for (let prefix = match + MATCH_LEN; prefix != end; prefix += 8)
    if ((address & load<u32>(prefix, 4)) == load<u32>(prefix)) return true;
  return false;
}

/** Whether an IPv6 address is within one of the prefixes of a match (MATCH_SRC6). */
export function isWithin6(match: usize, address: v128): bool {
  const step = load<u32>(match, 8) * MATCH_LEN;
  const end = match + MATCH_LEN + load<u32>(match, 4) * step;
  for (let prefix = match + MATCH_LEN; prefix != end; prefix += step) {
    const masked = step == MATCH_LEN ? address : v128.and(address, v128.load(prefix, MATCH_LEN));
    if (!v128.any_true(v128.xor(masked, v128.load(prefix)))) return true;
  }
  return false;
}
