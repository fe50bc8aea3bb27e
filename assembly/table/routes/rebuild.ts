import { STATUS_NO_SPACE, STATUS_OK } from "../../abi/image";
import { Image } from "../../image";
import { spareOctets } from "../../memory/arena";
import { LEAF4_MAX } from "../fib4/layout";
import { LEAF6_MAX, RECORD6_LEN } from "../fib6/layout";
import { Fib, NEXT_FIB_AT, ROOT_WIDE } from "./fib";
import { RouteNode, STRIDE } from "./layout";
import { childAt, hasChild, leafOver, slotsOfLonger } from "./lookup";
import {
  POOL_NEEDS,
  ROUTE_NEEDS,
  recordLink,
  recordsClear,
  recordsFill,
  recordsPlant,
  recordsReserve,
  recordWrite,
  rootCreate,
} from "./records";

/**
 * The layout is chosen by the number of routes: a root of 64 records for a few, of 4,096 for pod CIDRs, of 262,144
 * (IPv4) for a full table. It shrinks later than it grows, so that no route that comes and goes pays for it.
 */
const MEDIUM_FROM: u32 = 64;
const LARGE4_FROM: u32 = 2048;
const SHRINK: u32 = 4;

function bitsFor(fib: Fib, routes: u32): u32 {
  if (routes >= LARGE4_FROM && fib.is6 == 0) return 18;
  return routes >= MEDIUM_FROM ? 12 : 6;
}

/** The root's bits for so many routes, given those it has. */
function wantedBits(fib: Fib, routes: u32): u32 {
  const bits = bitsFor(fib, routes);
  return bits >= fib.bits ? bits : min<u32>(fib.bits, bitsFor(fib, routes * SHRINK));
}

/** Hands what a node inherits down to its slots: to the nodes below them, or to the root's records. */
export function handDown(
  image: Image,
  fib: Fib,
  node: RouteNode,
  depth: u32,
  high: u64,
  slots: u64,
  leaf: u32,
): void {
  let rest = depth >= fib.bits ? slots & node.children : slots;
  while (rest != 0) {
    const slot = <u32>ctz<u64>(rest);
    const below = depth < fib.bits ? high | ((<u64>slot) << (58 - depth)) : high;
    if (hasChild(node, slot)) inherit(image, fib, childAt(image, node, slot), depth + STRIDE, below, leaf);
    else recordsFill(image, fib, below, depth + STRIDE, leaf);
    rest &= rest - 1;
  }
}

/** Rewrites the record of a node, and of those below, that inherits another leaf than before. */
function inherit(image: Image, fib: Fib, offset: u32, depth: u32, high: u64, leaf: u32): void {
  const node = RouteNode.at(image, offset);
  handDown(image, fib, node, depth, high, ~slotsOfLonger(node, -1), leaf);
  if (depth >= fib.bits) recordWrite(image, fib, node, depth, high, leaf);
}

/** Writes all records of a node and of those below it, under a head that is being built. */
function plant(image: Image, fib: Fib, offset: u32, depth: u32, high: u64, inherited: u32): void {
  const node = RouteNode.at(image, offset);
  const isAbove = depth < fib.bits;
  if (!isAbove) recordsPlant(image, fib, node);
  let rest = isAbove ? ~(<u64>0) : node.children;
  while (rest != 0) {
    const slot = <u32>ctz<u64>(rest);
    const below = isAbove ? high | ((<u64>slot) << (58 - depth)) : high;
    const leaf = leafOver(image, node, slot, STRIDE + 1, inherited);
    if (!hasChild(node, slot)) {
      recordsFill(image, fib, below, depth + STRIDE, leaf);
    } else {
      if (isAbove) recordLink(image, fib, node, depth, below, slot);
      plant(image, fib, childAt(image, node, slot), depth + STRIDE, below, leaf);
    }
    rest &= rest - 1;
  }
  if (!isAbove) recordWrite(image, fib, node, depth, high, inherited);
}

/** Nodes of a node's subtree at depth `from` or deeper. */
function nodesFrom(image: Image, offset: u32, depth: u32, from: u32): u32 {
  const node = RouteNode.at(image, offset);
  const children = <u32>popcnt<u64>(node.children);
  let count: u32 = depth >= from ? 1 : 0;
  for (let i: u32 = 0; i < children; i++)
    count += nodesFrom(image, load<u32>(image.to(node.childrenAt) + (i << 2)), depth + STRIDE, from);
  return count;
}

/** Octets of leaves, and of records in cells, that the records of a whole store need at most, and what a change then needs. */
function needs(fib: Fib, shift: u32): u32 {
  const runs = fib.routes * 2 + fib.nodes * 3;
  const records = fib.is6 != 0 ? fib.nodes * RECORD6_LEN : 0;
  return (((runs << shift) + records) * 3) / 2 + ROUTE_NEEDS;
}

/**
 * Builds the look-up side anew beside the old one, of so many root bits and with wide leaves if asked or needed, and
 * puts it in its place; without room nothing changes.
 */
export function rebuild(image: Image, fib: Fib, bits: u32, asked: u32): u32 {
  const pool: u32 = fib.is6 != 0 ? 0 : nodesFrom(image, fib.storeAt, 0, bits + STRIDE);
  const wide = pool + POOL_NEEDS > LEAF4_MAX ? ROOT_WIDE : asked;
  const next = changetype<Fib>(image.to(NEXT_FIB_AT));
  memory.copy(changetype<usize>(next), changetype<usize>(fib), offsetof<Fib>());
  next.poolAt = 0;
  next.poolRoom = 0;
  next.poolTop = 0;
  next.poolFree = 0;
  if (!rootCreate(image, next, bits, wide)) return STATUS_NO_SPACE;
  const spare = needs(fib, next.leafShift);
  if (spareOctets(image) < spare || !recordsReserve(image, next, pool, spare)) {
    recordsClear(image, next);
    keepParked(fib, next);
    return STATUS_NO_SPACE;
  }
  plant(image, next, fib.storeAt, 0, 0, 0);
  image.beginRoutes();
  const old = next.root;
  next.root = fib.root;
  fib.root = old;
  exchangePools(fib, next);
  recordsClear(image, next);
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

function exchangePools(fib: Fib, next: Fib): void {
  const at = fib.poolAt;
  const room = fib.poolRoom;
  const top = fib.poolTop;
  fib.poolAt = next.poolAt;
  fib.poolRoom = next.poolRoom;
  fib.poolTop = next.poolTop;
  fib.poolFree = next.poolFree;
  next.poolAt = at;
  next.poolRoom = room;
  next.poolTop = top;
}

/** Rebuilds (always, or) where so many routes or this leaf ask for another layout; without room nothing changes. */
export function adapt(image: Image, fib: Fib, routes: u32, leaf: u32, always: bool): u32 {
  let wide = fib.root & ROOT_WIDE;
  if (leaf > (fib.is6 != 0 ? LEAF6_MAX : LEAF4_MAX) || fib.poolTop + POOL_NEEDS > LEAF4_MAX) wide = ROOT_WIDE;
  const bits = wantedBits(fib, routes);
  if (!always && bits == fib.bits && wide == (fib.root & ROOT_WIDE)) return STATUS_OK;
  return rebuild(image, fib, bits, wide);
}
