import { STATUS_NO_SPACE, STATUS_OK } from "../../abi/image";
import { Image } from "../../image";
import { spareOctets } from "../../memory/arena";
import { leafSet, nodeClear, nodeCreate } from "./build";
import { extend, isPrefix, pathNode, walk } from "./change";
import { Fib } from "./fib";
import { depthOf, NEXT_HOP_MAX, ROUTE_NEEDS, slotOf } from "./layout";
import { hasLeaf } from "./lookup";
import { adapt } from "./rebuild";

/** Loads an empty table: all routes go to the store first, and what look-ups read is built once. */

/** Whether so many routes are better loaded than added one by one. */
export function isLoad(fib: Fib, count: u32): bool {
  return fib.routes == 0 && count > 16;
}

export function isRoute(high: u64, low: u64, length: u32, nextHop: u32): bool {
  return length <= 128 && nextHop <= NEXT_HOP_MAX && isPrefix(high, low, length);
}

/** Adds or replaces a valid route in the store alone; NO_SPACE without room. */
export function routeStore(image: Image, fib: Fib, high: u64, low: u64, length: u32, nextHop: u32): u32 {
  if (spareOctets(image) < ROUTE_NEEDS) return STATUS_NO_SPACE;
  const depth = depthOf(length);
  const slot = slotOf(high, low, depth);
  const reached = walk(image, fib, high, low, depth);
  extend(image, fib, high, low, reached, depth);
  const node = pathNode(image, depth);
  if (!hasLeaf(node, slot, length - depth)) fib.routes++;
  leafSet(image, node, slot, length - depth, nextHop + 1);
  return STATUS_OK;
}

/** Builds what look-ups read of a store that was loaded, whose largest leaf is given; without room the table is empty again. */
export function routesLoaded(image: Image, fib: Fib, status: u32, leaf: u32): u32 {
  if (status == STATUS_OK && adapt(image, fib, fib.routes, leaf, true) == STATUS_OK) return STATUS_OK;
  nodeClear(image, fib.storeAt);
  fib.storeAt = nodeCreate(image);
  fib.routes = 0;
  fib.nodes = 1;
  return STATUS_NO_SPACE;
}
