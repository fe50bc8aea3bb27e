import { EVENT_ROUTE } from "../abi/trace";
import { DROP_NO_ROUTE } from "../abi/verdict";
import { Packet } from "../packet";
import { fib4NextHop } from "../table/fib4/layout";
import { fib4LongestLength, fib4Lookup } from "../table/fib4/lookup";
import { HOP_KIND } from "../table/nexthop/layout";
import { nextHopAt } from "../table/nexthop/lookup";
import { record } from "../trace";

/** Finds the next hop of the packet's destination. */
export function route(packet: Packet): bool {
  const leaf = fib4Lookup(packet.image, packet.dst);
  packet.hopAddress = 0;
  if (leaf == 0) return packet.drop(DROP_NO_ROUTE);
  packet.hop = fib4NextHop(leaf);
  packet.hopAddress = <u32>nextHopAt(packet.image, packet.hop);
  packet.hopKind = load<u16>(packet.hopAddress, HOP_KIND);
  if (TRACE)
    record(packet, EVENT_ROUTE, packet.hop, fib4LongestLength(packet.image, packet.dst), packet.dst, 0, 0);
  return true;
}
