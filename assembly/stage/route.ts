import { EVENT_ROUTE } from "../abi/trace";
import { DROP_NO_ROUTE, DROP_NONE } from "../abi/verdict";
import { halves } from "../bytes";
import { Packet } from "../packet";
import { fib4LongestLength, fib4Lookup } from "../table/fib4/lookup";
import { fib6LongestLength, fib6Lookup } from "../table/fib6/lookup";
import { HOP_KIND, HOP_REFUSAL } from "../table/nexthop/layout";
import { nextHopAt } from "../table/nexthop/lookup";
import { recordEnds } from "../trace";

/** The leaf (next hop + 1) of the packet's destination; 0 where there is none. */
function find(packet: Packet): u32 {
  if (packet.family != 6) return fib4Lookup(packet.image, packet.dst);
  const dst = halves(packet.dst6);
  return fib6Lookup(packet.image, v128.extract_lane<u64>(dst, 0), v128.extract_lane<u64>(dst, 1));
}

function longestLength(packet: Packet): u32 {
  if (packet.family != 6) return fib4LongestLength(packet.image, packet.dst);
  const dst = halves(packet.dst6);
  return fib6LongestLength(packet.image, v128.extract_lane<u64>(dst, 0), v128.extract_lane<u64>(dst, 1));
}

/** Finds the next hop of the packet's destination; DROP_NONE, or why there is none: a route may be there to refuse packets. */
export function findRoute(packet: Packet): u32 {
  const leaf = find(packet);
  packet.hopAddress = 0;
  if (leaf == 0) return DROP_NO_ROUTE;
  packet.hop = leaf - 1;
  packet.hopAddress = <u32>nextHopAt(packet.image, packet.hop);
  packet.hopKind = load<u16>(packet.hopAddress, HOP_KIND);
  if (TRACE) {
    const length = longestLength(packet);
    recordEnds(packet, EVENT_ROUTE, packet.hop, length, packet.dst, 0, 0, packet.dst6, i32x4.splat(0));
  }
  return load<u16>(packet.hopAddress, HOP_REFUSAL);
}

/** The same, where a packet that finds none is dropped. */
export function route(packet: Packet): bool {
  const refusal = findRoute(packet);
  return refusal == DROP_NONE || packet.drop(refusal);
}
