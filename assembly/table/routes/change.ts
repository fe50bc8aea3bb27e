import { STATUS_BAD_ENTRY, STATUS_NO_SPACE, STATUS_OK } from "../../abi/image";
import { Image } from "../../image";
import { spareOctets } from "../../memory/arena";
import { windowRefresh } from "../fib4/window";
import { childInsert, childRemove, leafRemove, leafSet, nodeCreate } from "./build";
import { Fib, INHERITED_AT, PATH_AT } from "./fib";
import {
  depthOf,
  maskHigh,
  maskLow,
  NEXT_HOP_MAX,
  REMOVAL_NEEDS,
  ROUTE_NEEDS,
  RouteNode,
  STRIDE,
  slotOf,
  slotsUnder,
} from "./layout";
import { childAt, hasChild, hasLeaf, leafOver, slotsOfLonger } from "./lookup";
import { adapt, handDown } from "./rebuild";
import { refresh } from "./refresh";
import { rootCreate, rootFill } from "./words";

/** An empty table: a root of 64 words. False without room. */
export function routesCreate(image: Image, fib: Fib, is6: u32): bool {
  fib.is6 = is6;
  fib.storeAt = nodeCreate(image);
  fib.nodes = 1;
  if (fib.storeAt == 0 || !rootCreate(image, fib, 6, 0) || spareOctets(image) < REMOVAL_NEEDS) return false;
  rootFill(image, fib, 0, 0, 0);
  return true;
}

/** Whether a key has no bits behind the length. */
export function isPrefix(high: u64, low: u64, length: u32): bool {
  return (high & ~maskHigh(length)) == 0 && (low & ~maskLow(length)) == 0;
}

export function pathNode(image: Image, depth: u32): RouteNode {
  return RouteNode.at(image, load<u32>(image.to(PATH_AT) + (depth / STRIDE) * 4));
}

export function inheritedAt(image: Image, depth: u32): u32 {
  return load<u32>(image.to(INHERITED_AT) + (depth / STRIDE) * 4);
}

/** Notes the next node on the way down, and what it inherits. */
function note(image: Image, depth: u32, offset: u32, inherited: u32): void {
  store<u32>(image.to(PATH_AT) + (depth / STRIDE) * 4, offset);
  store<u32>(image.to(INHERITED_AT) + (depth / STRIDE) * 4, inherited);
}

/** Notes the nodes on the way to one at `depth`; the depth of the last that is there. */
function walk(image: Image, fib: Fib, high: u64, low: u64, depth: u32): u32 {
  note(image, 0, fib.storeAt, 0);
  for (let at: u32 = 0; at < depth; at += STRIDE) {
    const node = pathNode(image, at);
    const slot = slotOf(high, low, at);
    if (!hasChild(node, slot)) return at;
    const inherited = leafOver(image, node, slot, STRIDE + 1, inheritedAt(image, at));
    note(image, at + STRIDE, childAt(image, node, slot), inherited);
  }
  return depth;
}

/** Makes the nodes that are missing on the way down from `reached`; the caller has made sure of room. */
function extend(image: Image, fib: Fib, high: u64, low: u64, reached: u32, depth: u32): void {
  for (let at = reached; at < depth; at += STRIDE) {
    const node = pathNode(image, at);
    const slot = slotOf(high, low, at);
    const child = nodeCreate(image);
    childInsert(image, node, slot, child);
    fib.nodes++;
    note(image, at + STRIDE, child, leafOver(image, node, slot, STRIDE + 1, inheritedAt(image, at)));
  }
}

/** Adds or replaces a route. BAD_ENTRY for host bits or a next hop that is too large, NO_SPACE without room. */
export function routeSet(image: Image, fib: Fib, high: u64, low: u64, length: u32, nextHop: u32): u32 {
  if (!isPrefix(high, low, length) || nextHop > NEXT_HOP_MAX) return STATUS_BAD_ENTRY;
  const leaf = nextHop + 1;
  if (adapt(image, fib, fib.routes + 1, leaf, false) != STATUS_OK) return STATUS_NO_SPACE;
  if (spareOctets(image) < ROUTE_NEEDS) return STATUS_NO_SPACE;
  const depth = depthOf(length);
  const bits = length - depth;
  const slot = slotOf(high, low, depth);
  const reached = walk(image, fib, high, low, depth);
  extend(image, fib, high, low, reached, depth);
  const node = pathNode(image, depth);
  if (!hasLeaf(node, slot, bits)) fib.routes++;
  leafSet(image, node, slot, bits, leaf);
  const slots = slotsUnder(slot, bits) & ~slotsOfLonger(node, bits);
  image.beginRoutes();
  if (depth < fib.bits) handDown(image, fib, node, depth, high, 0, slots, leaf);
  else refresh(image, fib, high, low, reached, depth, slots, leaf);
  windowRefresh(image, fib, high, length);
  image.endRoutes();
  return STATUS_OK;
}

/** Removes a route; its addresses fall to the next shorter prefix that holds them. BAD_ENTRY for an unknown one. */
export function routeDelete(image: Image, fib: Fib, high: u64, low: u64, length: u32): u32 {
  if (!isPrefix(high, low, length)) return STATUS_BAD_ENTRY;
  const depth = depthOf(length);
  const bits = length - depth;
  const slot = slotOf(high, low, depth);
  if (walk(image, fib, high, low, depth) < depth) return STATUS_BAD_ENTRY;
  const node = pathNode(image, depth);
  if (!hasLeaf(node, slot, bits)) return STATUS_BAD_ENTRY;
  if (spareOctets(image) < REMOVAL_NEEDS) return STATUS_NO_SPACE;
  const leaf = leafOver(image, node, slot, bits, inheritedAt(image, depth));
  const slots = slotsUnder(slot, bits) & ~slotsOfLonger(node, bits);
  image.beginRoutes();
  leafRemove(image, node, slot, bits);
  fib.routes--;
  if (depth < fib.bits) handDown(image, fib, node, depth, high, 0, slots, leaf);
  const left = prune(image, fib, high, low, depth);
  if (depth >= fib.bits) refresh(image, fib, high, low, left, depth, slots, leaf);
  windowRefresh(image, fib, high, length);
  image.endRoutes();
  adapt(image, fib, fib.routes, 0, false);
  return STATUS_OK;
}

/** Adds or replaces a route in the store alone; the caller has made sure of room. */
export function storeSet(image: Image, fib: Fib, high: u64, low: u64, length: u32, leaf: u32): void {
  const depth = depthOf(length);
  const slot = slotOf(high, low, depth);
  const reached = walk(image, fib, high, low, depth);
  extend(image, fib, high, low, reached, depth);
  const node = pathNode(image, depth);
  if (!hasLeaf(node, slot, length - depth)) fib.routes++;
  leafSet(image, node, slot, length - depth, leaf);
}

/** Removes a route from the store alone, if it is there; the caller has made sure of room. */
export function storeDelete(image: Image, fib: Fib, high: u64, low: u64, length: u32): void {
  const depth = depthOf(length);
  const slot = slotOf(high, low, depth);
  if (walk(image, fib, high, low, depth) < depth) return;
  if (!hasLeaf(pathNode(image, depth), slot, length - depth)) return;
  leafRemove(image, pathNode(image, depth), slot, length - depth);
  fib.routes--;
  prune(image, fib, high, low, depth);
}

/** Removes the noted nodes that have become empty; the depth of the last that stays. */
function prune(image: Image, fib: Fib, high: u64, low: u64, depth: u32): u32 {
  let at = depth;
  while (at > 0 && pathNode(image, at).isEmpty) {
    const slot = slotOf(high, low, at - STRIDE);
    childRemove(image, pathNode(image, at - STRIDE), slot, load<u32>(image.to(PATH_AT) + (at / STRIDE) * 4));
    fib.nodes--;
    at -= STRIDE;
  }
  return at;
}
