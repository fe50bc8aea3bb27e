import { PART_FIB } from "../../abi/image";
import { Image } from "../../image";
import { giveBlock, spareOctets, takeBlock } from "../../memory/arena";
import { giveCell, takeCell } from "../../memory/cells";
import { Fib } from "../routes/fib";
import { RouteNode } from "../routes/layout";
import { childAt } from "../routes/lookup";
import { setSlotLeaf, slotBoundaries, spreadLeaves, storeRuns } from "../routes/slots";
import {
  LEAF4_CHILD,
  LEAF4_WIDE_CHILD,
  RECORD4_BOUNDARIES,
  RECORD4_INLINE,
  RECORD4_INLINE_LEN,
  RECORD4_LEAVES_AT,
  RECORD4_LEN,
} from "./layout";

const POOL_MIN: u32 = 16;

function leavesOctets(boundaries: u64, shift: u32): u32 {
  return (<u32>popcnt<u64>(boundaries) + 1) << shift;
}

/** Gives back the leaves of a record that are not inline. */
export function record4Clear(image: Image, record: u32, shift: u32): void {
  const at = image.to(record);
  const octets = leavesOctets(load<u64>(at, RECORD4_BOUNDARIES), shift);
  if (octets > RECORD4_INLINE_LEN) giveCell(image, load<u32>(at, RECORD4_LEAVES_AT), octets, PART_FIB);
}

/** Makes a record's 64 slots hold one leaf, and gives back those it had. */
export function record4Fill(image: Image, record: u32, leaf: u32, shift: u32): void {
  record4Clear(image, record, shift);
  const at = image.to(record);
  store<u32>(at, leaf, RECORD4_INLINE);
  store<u32>(at, record + RECORD4_INLINE, RECORD4_LEAVES_AT);
  store<u64>(at, 0, RECORD4_BOUNDARIES);
}

/** Rewrites a record from its node; the caller has made sure of room. */
export function record4Write(image: Image, fib: Fib, node: RouteNode, record: u32, inherited: u32): void {
  const shift = fib.leafShift;
  const flag = fib.isWide ? LEAF4_WIDE_CHILD : LEAF4_CHILD;
  spreadLeaves(image, node, inherited);
  let children = node.children;
  while (children != 0) {
    const slot = <u32>ctz<u64>(children);
    setSlotLeaf(image, slot, flag | RouteNode.at(image, childAt(image, node, slot)).record);
    children &= children - 1;
  }
  const boundaries = slotBoundaries(image);
  const octets = leavesOctets(boundaries, shift);
  const leavesAt = octets <= RECORD4_INLINE_LEN ? record + RECORD4_INLINE : takeCell(image, octets, PART_FIB);
  storeRuns(image, boundaries, image.to(leavesAt), shift);
  record4Clear(image, record, shift);
  store<u64>(image.to(record), boundaries, RECORD4_BOUNDARIES);
  store<u32>(image.to(record), leavesAt, RECORD4_LEAVES_AT);
}

/** The offset of a pool's record. */
export function pool4Record(fib: Fib, index: u32): u32 {
  return fib.poolAt + index * RECORD4_LEN;
}

/** Makes room for so many more records in the pool; false, and nothing changed, unless `spare` octets are left then. */
export function pool4Reserve(image: Image, fib: Fib, more: u32, spare: u32): bool {
  const needed = fib.poolTop + more;
  if (needed <= fib.poolRoom) return true;
  let room = max<u32>(POOL_MIN, fib.poolRoom * 2);
  while (room < needed) room *= 2;
  if (spareOctets(image) < room * RECORD4_LEN + spare) return false;
  const next = takeBlock(image, room * RECORD4_LEN, PART_FIB);
  if (next == 0) return false;
  const old = fib.poolAt;
  memory.copy(image.to(next), image.to(old), fib.poolTop * RECORD4_LEN);
  for (let i: u32 = 0; i < fib.poolTop; i++) {
    const field = image.to(next + i * RECORD4_LEN) + RECORD4_LEAVES_AT;
    const inline = i * RECORD4_LEN + RECORD4_INLINE;
    if (load<u32>(field) == old + inline) store<u32>(field, next + inline);
  }
  const oldRoom = fib.poolRoom;
  fib.poolAt = next;
  fib.poolRoom = room;
  if (oldRoom != 0) giveBlock(image, old, oldRoom * RECORD4_LEN, PART_FIB);
  return true;
}

/** The number of an unused record of a pool with room. */
export function pool4Take(image: Image, fib: Fib): u32 {
  let index = fib.poolFree;
  if (index == 0) {
    index = fib.poolTop++;
  } else {
    index--;
    fib.poolFree = load<u32>(image.to(pool4Record(fib, index)), RECORD4_INLINE);
  }
  record4Fill(image, pool4Record(fib, index), 0, fib.leafShift);
  return index;
}

/** Gives back a pool's record with its leaves. */
export function pool4Give(image: Image, fib: Fib, index: u32): void {
  record4Fill(image, pool4Record(fib, index), fib.poolFree, fib.leafShift);
  fib.poolFree = index + 1;
}
