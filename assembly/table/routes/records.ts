import { PART_FIB, PART_FIB6 } from "../../abi/image";
import { Image } from "../../image";
import { account, giveBlock, takeBlock } from "../../memory/arena";
import { RECORD4_LEN } from "../fib4/layout";
import {
  pool4Give,
  pool4Record,
  pool4Reserve,
  pool4Take,
  record4Clear,
  record4Fill,
  record4Write,
} from "../fib4/record";
import { RECORD6_LEN } from "../fib6/layout";
import {
  record6Clear,
  record6Fill,
  record6Link,
  record6Plant,
  record6Unlink,
  record6Write,
} from "../fib6/record";
import { Fib } from "./fib";
import { RouteNode, STRIDE } from "./layout";
import { childAt } from "./lookup";

/** The records of a store's nodes, of either family: every difference between the two look-up sides is here. */

/** What one route can need: records of the pool, and octets for nodes, leaves and arrays with the copies of those that grow. */
export const ROUTE_NEEDS: u32 = 24 << 10;
export const POOL_NEEDS: u32 = 6;

function recordLength(fib: Fib): u32 {
  return fib.is6 != 0 ? RECORD6_LEN : RECORD4_LEN;
}

function rootRecord(fib: Fib, high: u64): u32 {
  return fib.rootAt + <u32>(high >> (64 - fib.bits)) * recordLength(fib);
}

/** Where the first parked root of so many bits is noted. */
function parkedField(fib: Fib, bits: u32): usize {
  return changetype<usize>(fib) + offsetof<Fib>("parked6") + ((bits / STRIDE - 1) << 2);
}

function partOf(fib: Fib): u32 {
  return fib.is6 != 0 ? PART_FIB6 : PART_FIB;
}

/** An empty root for the first `bits` bits, at a head that has none; false without room. */
export function rootCreate(image: Image, fib: Fib, bits: u32, wide: u32): bool {
  const octets = recordLength(fib) << bits;
  const field = parkedField(fib, bits);
  let root = load<u32>(field);
  if (root == 0) {
    root = takeBlock(image, octets, partOf(fib));
  } else {
    store<u32>(field, load<u32>(image.to(root)));
    memory.fill(image.to(root), 0, octets);
    account(image, partOf(fib), octets);
  }
  fib.root = root | bits | wide;
  return root != 0;
}

/**
 * Puts a root out of use. It is never given back to the arena: a reader in another thread may be on its way through,
 * and must find offsets of leaves there.
 */
function rootPark(image: Image, fib: Fib): void {
  const field = parkedField(fib, fib.bits);
  store<u32>(image.to(fib.rootAt), load<u32>(field));
  store<u32>(field, fib.rootAt);
  account(image, partOf(fib), 0 - (recordLength(fib) << fib.bits));
}

/** Makes room in the pool for so many more records, unless fewer than `spare` octets would be left. */
export function recordsReserve(image: Image, fib: Fib, more: u32, spare: u32): bool {
  return fib.is6 != 0 || pool4Reserve(image, fib, more, spare);
}

/** Gives back all records, and parks the root. */
export function recordsClear(image: Image, fib: Fib): void {
  const shift = fib.leafShift;
  const count = (<u32>1) << fib.bits;
  for (let i: u32 = 0; i < count; i++) {
    if (fib.is6 != 0) record6Clear(image, fib.rootAt + i * RECORD6_LEN, shift);
    else record4Clear(image, fib.rootAt + i * RECORD4_LEN, shift);
  }
  for (let i: u32 = 0; i < fib.poolTop; i++) record4Clear(image, pool4Record(fib, i), shift);
  if (fib.poolRoom != 0) giveBlock(image, fib.poolAt, fib.poolRoom * RECORD4_LEN, PART_FIB);
  rootPark(image, fib);
}

/** The addresses below a prefix of at most `bits` bits, under which there is no node, get one leaf. */
export function recordsFill(image: Image, fib: Fib, high: u64, length: u32, leaf: u32): void {
  const first = rootRecord(fib, high);
  const count = (<u32>1) << (fib.bits - length);
  for (let i: u32 = 0; i < count; i++) {
    if (fib.is6 != 0) record6Fill(image, fib, first + i * RECORD6_LEN, leaf);
    else record4Fill(image, first + i * RECORD4_LEN, leaf, fib.leafShift);
  }
}

/** Writes the record of a node at depth `bits` or below. */
export function recordWrite(
  image: Image,
  fib: Fib,
  node: RouteNode,
  depth: u32,
  high: u64,
  inherited: u32,
): void {
  if (fib.is6 != 0) {
    record6Write(image, fib, node, node.record, inherited);
  } else {
    const record = depth == fib.bits ? rootRecord(fib, high) : pool4Record(fib, node.record);
    record4Write(image, fib, node, record, inherited);
  }
}

/** Gives the node that was just hung below a slot of a node at `depth` its record. */
export function recordLink(image: Image, fib: Fib, node: RouteNode, depth: u32, high: u64, slot: u32): void {
  if (depth + STRIDE < fib.bits) return;
  if (depth >= fib.bits && fib.is6 != 0) {
    record6Link(image, node, slot);
    return;
  }
  const child = RouteNode.at(image, childAt(image, node, slot));
  child.record = depth < fib.bits ? rootRecord(fib, high) : pool4Take(image, fib);
}

/** Takes the record of the empty node below a slot away; where it was at the root, its addresses get what it inherited. */
export function recordUnlink(
  image: Image,
  fib: Fib,
  node: RouteNode,
  depth: u32,
  high: u64,
  slot: u32,
  inherited: u32,
): void {
  if (depth + STRIDE == fib.bits) recordsFill(image, fib, high, fib.bits, inherited);
  else if (depth < fib.bits) return;
  else if (fib.is6 != 0) record6Unlink(image, fib, node, slot);
  else pool4Give(image, fib, RouteNode.at(image, childAt(image, node, slot)).record);
}

/** Gives all nodes below a node their records, under a head that is being built. */
export function recordsPlant(image: Image, fib: Fib, node: RouteNode): void {
  if (fib.is6 != 0) {
    record6Plant(image, node);
    return;
  }
  let children = node.children;
  while (children != 0) {
    RouteNode.at(image, childAt(image, node, <u32>ctz<u64>(children))).record = pool4Take(image, fib);
    children &= children - 1;
  }
}
