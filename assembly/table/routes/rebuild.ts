import { STATUS_NO_SPACE, STATUS_OK } from "../../abi/image";
import { Image } from "../../image";
import { spareOctets } from "../../memory/arena";
import { LEAF4_MAX } from "../fib4/layout";
import { windowClear, windowCreate, windowNeeds } from "../fib4/window";
import { Fib, NEXT_FIB_AT, ROOT_WIDE } from "./fib";
import { belowSlot, ROUTE_NEEDS, RouteNode, SLOTS, STRIDE } from "./layout";
import { childAt, hasChild, leafOver, slotsOfLonger } from "./lookup";
import {
  blockNeeds,
  blockWrite,
  isList,
  leavesNeed,
  listSettle,
  rootCreate,
  rootFill,
  rootNeeds,
  rootPark,
  rootPlace,
  wordBuild,
  wordClear,
  wordPlace,
} from "./words";

/**
 * The layout is chosen by the number of routes: a root of 64 words for a few, of 4,096 for pod CIDRs, of 262,144
 * for a full table. It shrinks later than it grows, so that no route that comes and goes pays for it.
 */
const MEDIUM_FROM: u32 = 64;
const LARGE_FROM: u32 = 2048;
const SHRINK: u32 = 4;

function bitsFor(routes: u32): u32 {
  if (routes >= LARGE_FROM) return 18;
  return routes >= MEDIUM_FROM ? 12 : 6;
}

/** The root's bits for so many routes, given those it has. */
function wantedBits(fib: Fib, routes: u32): u32 {
  const bits = bitsFor(routes);
  return bits >= fib.bits ? bits : min<u32>(fib.bits, bitsFor(routes * SHRINK));
}

/**
 * Hands what a node inherits down to its slots: to the nodes below them, or to the root's words. The node's own word,
 * if it has one, stands at `place`.
 */
export function handDown(
  image: Image,
  fib: Fib,
  node: RouteNode,
  depth: u32,
  high: u64,
  place: usize,
  slots: u64,
  leaf: u32,
): void {
  const isAbove = depth < fib.bits;
  let rest = isAbove ? slots : slots & node.children;
  while (rest != 0) {
    const slot = <u32>ctz<u64>(rest);
    rest &= rest - 1;
    const below = belowSlot(high, depth, slot);
    if (!hasChild(node, slot)) {
      rootFill(image, fib, below, depth + STRIDE, leaf);
      continue;
    }
    const at = isAbove ? rootPlace(image, fib, below) : wordPlace(image, fib, load<u32>(place), slot);
    inherit(image, fib, childAt(image, node, slot), depth + STRIDE, below, at, leaf);
  }
}

/** Rewrites what look-ups read of a node, and of those below, that inherits another leaf than before. */
function inherit(image: Image, fib: Fib, offset: u32, depth: u32, high: u64, place: usize, leaf: u32): void {
  const node = RouteNode.at(image, offset);
  const slots = ~slotsOfLonger(node, -1);
  if (slots == 0) return;
  if (depth >= fib.bits) {
    if (isList(fib, load<u32>(place))) {
      listSettle(image, fib, place, node, depth, high, leaf);
      return;
    }
    blockWrite(image, fib, place, node, leaf, SLOTS, 0);
  }
  handDown(image, fib, node, depth, high, place, slots, leaf);
}

/** Writes all words of a node above or at the root's depth, under a head that is being built. */
function plant(image: Image, fib: Fib, offset: u32, depth: u32, high: u64, inherited: u32): void {
  const node = RouteNode.at(image, offset);
  if (depth == fib.bits) {
    store<u32>(rootPlace(image, fib, high), wordBuild(image, fib, node, depth, high, inherited));
    return;
  }
  for (let slot: u32 = 0; slot < SLOTS; slot++) {
    const below = belowSlot(high, depth, slot);
    const leaf = leafOver(image, node, slot, STRIDE + 1, inherited);
    if (hasChild(node, slot)) plant(image, fib, childAt(image, node, slot), depth + STRIDE, below, leaf);
    else rootFill(image, fib, below, depth + STRIDE, leaf);
  }
}

/** Gives back all that the words of a root name, and parks the root. */
function uproot(image: Image, fib: Fib): void {
  const words = image.to(fib.rootAt);
  const count = (<u32>1) << fib.bits;
  for (let i: u32 = 0; i < count; i++) wordClear(image, fib, load<u32>(words + (i << 2)));
  rootPark(image, fib);
}

/** Octets that the words of a node and of all below it can need. */
function needs(image: Image, fib: Fib, offset: u32, depth: u32): u32 {
  const node = RouteNode.at(image, offset);
  let octets = depth < fib.bits ? 0 : blockNeeds(fib, node);
  let rest = node.children;
  while (rest != 0) {
    octets += needs(image, fib, childAt(image, node, <u32>ctz<u64>(rest)), depth + STRIDE);
    rest &= rest - 1;
  }
  return octets;
}

/**
 * Builds the look-up side anew beside the old one, of so many root bits and with wide leaves if asked, and puts it in
 * its place; without room nothing changes.
 */
export function rebuild(image: Image, fib: Fib, bits: u32, wide: u32): u32 {
  const next = changetype<Fib>(image.to(NEXT_FIB_AT));
  memory.copy(changetype<usize>(next), changetype<usize>(fib), offsetof<Fib>());
  next.root = bits | wide;
  const cells = needs(image, next, fib.storeAt, 0) + leavesNeed(next);
  // An eighth of what cells are cut from may be too small for the next one.
  const most = rootNeeds(next) + windowNeeds(image, next) + cells + cells / 7 + ROUTE_NEEDS;
  if (spareOctets(image) < most) return STATUS_NO_SPACE;
  rootCreate(image, next, bits, wide);
  plant(image, next, fib.storeAt, 0, 0, 0);
  image.beginRoutes();
  windowClear(image, fib);
  const old = next.root;
  next.root = fib.root;
  fib.root = old;
  fib.noneAt = next.noneAt;
  windowCreate(image, fib);
  uproot(image, next);
  keepParked(fib, next);
  image.endRoutes();
  return STATUS_OK;
}

/** Roots were taken and parked at the other head. */
function keepParked(fib: Fib, next: Fib): void {
  fib.parked6 = next.parked6;
  fib.parked12 = next.parked12;
  fib.parked18 = next.parked18;
}

/** ROOT_WIDE where leaves are wide, or this one makes them so. */
function wideFor(fib: Fib, leaf: u32): u32 {
  return fib.is6 == 0 && leaf > LEAF4_MAX ? ROOT_WIDE : fib.root & ROOT_WIDE;
}

/** Whether the layout is the one for so many routes and this leaf. */
export function isLaidOut(fib: Fib, routes: u32, leaf: u32): bool {
  return wantedBits(fib, routes) == fib.bits && wideFor(fib, leaf) == (fib.root & ROOT_WIDE);
}

/** Rebuilds (always, or) where so many routes or this leaf ask for another layout; without room nothing changes. */
export function adapt(image: Image, fib: Fib, routes: u32, leaf: u32, always: bool): u32 {
  if (!always && isLaidOut(fib, routes, leaf)) return STATUS_OK;
  return rebuild(image, fib, wantedBits(fib, routes), wideFor(fib, leaf));
}
