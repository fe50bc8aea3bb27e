import { STATUS_BAD_ENTRY, STATUS_NO_SPACE, STATUS_OK } from "../../abi/image";
import { Image } from "../../image";
import { spareOctets } from "../../memory/arena";
import { childInsert, childRemove, leafRemove, leafSet, nodeCreate } from "./build";
import { Fib, INHERITED_AT, PATH_AT } from "./fib";
import {
  depthOf,
  maskHigh,
  maskLow,
  NEXT_HOP_MAX,
  RouteNode,
  SLOTS,
  STRIDE,
  slotOf,
  slotsUnder,
} from "./layout";
import { childAt, hasChild, hasLeaf, leafOver, slotsOfLonger } from "./lookup";
import { adapt, handDown, rebuild } from "./rebuild";
import {
  POOL_NEEDS,
  ROUTE_NEEDS,
  recordLink,
  recordsReserve,
  recordUnlink,
  recordWrite,
  rootCreate,
} from "./records";

/** What the addition of a route leaves at least, so that a removal finds room. */
const REMOVAL_NEEDS: u32 = 12 << 10;
const LEAVES_NEEDS: u32 = SLOTS + SLOTS / 2;

/** An empty table: a root of 64 records. False without room. */
export function routesCreate(image: Image, fib: Fib, is6: u32): bool {
  fib.is6 = is6;
  fib.storeAt = nodeCreate(image);
  fib.nodes = 1;
  if (fib.storeAt == 0 || !rootCreate(image, fib, 6, 0)) return false;
  return rebuild(image, fib, 6, 0) == STATUS_OK;
}

export function isPrefix(high: u64, low: u64, length: u32): bool {
  return (high & ~maskHigh(length)) == 0 && (low & ~maskLow(length)) == 0;
}

export function pathNode(image: Image, depth: u32): RouteNode {
  return RouteNode.at(image, load<u32>(image.to(PATH_AT) + (depth / STRIDE) * 4));
}

function inheritedAt(image: Image, depth: u32): u32 {
  return load<u32>(image.to(INHERITED_AT) + (depth / STRIDE) * 4);
}

/** Notes the next node on the way down, and what it inherits. */
function note(image: Image, depth: u32, offset: u32, inherited: u32): void {
  store<u32>(image.to(PATH_AT) + (depth / STRIDE) * 4, offset);
  store<u32>(image.to(INHERITED_AT) + (depth / STRIDE) * 4, inherited);
}

/** Notes the nodes on the way to one at `depth`; the depth of the last that is there. */
export function walk(image: Image, fib: Fib, high: u64, low: u64, depth: u32): u32 {
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
export function extend(image: Image, fib: Fib, high: u64, low: u64, reached: u32, depth: u32): void {
  for (let at = reached; at < depth; at += STRIDE) {
    const node = pathNode(image, at);
    const slot = slotOf(high, low, at);
    const child = nodeCreate(image);
    childInsert(image, node, slot, child);
    fib.nodes++;
    note(image, at + STRIDE, child, leafOver(image, node, slot, STRIDE + 1, inheritedAt(image, at)));
  }
}

/** Nodes below some slots of a node. */
function nodesUnder(image: Image, node: RouteNode, slots: u64): u32 {
  let count: u32 = 0;
  let rest = node.children & slots;
  while (rest != 0) {
    const child = RouteNode.at(image, childAt(image, node, <u32>ctz<u64>(rest)));
    count += 1 + (child.children == 0 ? 0 : nodesUnder(image, child, ~(<u64>0)));
    rest &= rest - 1;
  }
  return count;
}

/**
 * Whether there is surely room for a change that needs so much, beside new leaves for each node below the slots of the
 * last node on the way.
 */
function hasRoom(image: Image, fib: Fib, needs: u32, node: RouteNode, slots: u64): bool {
  const spare = spareOctets(image);
  if (spare < needs) return false;
  const leaves = LEAVES_NEEDS << fib.leafShift;
  const nodes = (spare - needs) / leaves;
  return nodes >= fib.nodes || nodes >= nodesUnder(image, node, slots);
}

/** Adds or replaces a route. BAD_ENTRY for host bits or a next hop that is too large, NO_SPACE without room. */
export function routeSet(image: Image, fib: Fib, high: u64, low: u64, length: u32, nextHop: u32): u32 {
  if (!isPrefix(high, low, length) || nextHop > NEXT_HOP_MAX) return STATUS_BAD_ENTRY;
  const leaf = nextHop + 1;
  if (
    adapt(image, fib, fib.routes + 1, leaf, false) != STATUS_OK ||
    !recordsReserve(image, fib, POOL_NEEDS, ROUTE_NEEDS)
  )
    return STATUS_NO_SPACE;
  const depth = depthOf(length);
  const slot = slotOf(high, low, depth);
  const slots = slotsUnder(slot, length - depth);
  const reached = walk(image, fib, high, low, depth);
  const last = pathNode(image, reached);
  if (!hasRoom(image, fib, ROUTE_NEEDS, last, reached == depth ? slots : 0)) return STATUS_NO_SPACE;
  extend(image, fib, high, low, reached, depth);
  const node = pathNode(image, depth);
  const bits = length - depth;
  if (!hasLeaf(node, slot, bits)) fib.routes++;
  leafSet(image, node, slot, bits, leaf);
  image.beginRoutes();
  for (let at = reached; at < depth; at += STRIDE)
    recordLink(image, fib, pathNode(image, at), at, high, slotOf(high, low, at));
  handDown(image, fib, node, depth, keep(fib, high, depth), slots & ~slotsOfLonger(node, bits), leaf);
  rewrite(image, fib, high, reached, depth);
  image.endRoutes();
  return STATUS_OK;
}

/** The first bits of an address that say where in the root a node's records are. */
function keep(fib: Fib, high: u64, depth: u32): u64 {
  return depth < fib.bits ? high & maskHigh(depth) : high;
}

/** Rewrites the records of the noted nodes from `from` down to `depth`. */
function rewrite(image: Image, fib: Fib, high: u64, from: u32, depth: u32): void {
  for (let at = from; at <= depth; at += STRIDE) {
    if (at >= fib.bits) recordWrite(image, fib, pathNode(image, at), at, high, inheritedAt(image, at));
  }
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
  const slots = slotsUnder(slot, bits);
  if (!hasRoom(image, fib, REMOVAL_NEEDS, node, slots)) return STATUS_NO_SPACE;
  const leaf = leafOver(image, node, slot, bits, inheritedAt(image, depth));
  image.beginRoutes();
  leafRemove(image, node, slot, bits);
  fib.routes--;
  handDown(image, fib, node, depth, keep(fib, high, depth), slots & ~slotsOfLonger(node, bits), leaf);
  const left = prune(image, fib, high, low, depth);
  rewrite(image, fib, high, left, left);
  image.endRoutes();
  adapt(image, fib, fib.routes, 0, false);
  return STATUS_OK;
}

/** Removes the noted nodes that have become empty; the depth of the last that stays. */
function prune(image: Image, fib: Fib, high: u64, low: u64, depth: u32): u32 {
  let at = depth;
  while (at > 0 && pathNode(image, at).isEmpty) {
    const parent = pathNode(image, at - STRIDE);
    const slot = slotOf(high, low, at - STRIDE);
    recordUnlink(image, fib, parent, at - STRIDE, high, slot, inheritedAt(image, at));
    childRemove(image, parent, slot, load<u32>(image.to(PATH_AT) + (at / STRIDE) * 4));
    fib.nodes--;
    at -= STRIDE;
  }
  return at;
}
