import { PART_FIB6 } from "../../abi/image";
import { Image } from "../../image";
import { cellOctets, giveCell, takeCell } from "../../memory/cells";
import { Fib } from "../routes/fib";
import { RouteNode, SLOTS } from "../routes/layout";
import { setSlotLeaf, slotBoundaries, slotLeaf, spreadLeaves, storeRuns } from "../routes/slots";
import {
  RECORD6_BOUNDARIES,
  RECORD6_CHILDREN,
  RECORD6_CHILDREN_AT,
  RECORD6_INLINE,
  RECORD6_INLINE_LEN,
  RECORD6_LEAVES_AT,
  RECORD6_LEN,
} from "./layout";

function leavesOctets(boundaries: u64, shift: u32): u32 {
  return (<u32>popcnt<u64>(boundaries) + 1) << shift;
}

/** Gives back the leaves of a record that are not inline. */
function leavesClear(image: Image, record: u32, shift: u32): void {
  const at = image.to(record);
  const octets = leavesOctets(load<u64>(at, RECORD6_BOUNDARIES), shift);
  if (octets > RECORD6_INLINE_LEN) giveCell(image, load<u32>(at, RECORD6_LEAVES_AT), octets, PART_FIB6);
}

/** Makes a record's 64 slots hold one leaf, and gives back whatever it had. */
export function record6Fill(image: Image, fib: Fib, record: u32, leaf: u32): void {
  record6Clear(image, record, fib.leafShift);
  record6Empty(image, record);
  store<u32>(image.to(record), leaf, RECORD6_INLINE);
}

/** Makes unused octets a record of no routes. */
export function record6Empty(image: Image, record: u32): void {
  memory.fill(image.to(record), 0, RECORD6_LEN);
  store<u32>(image.to(record), record + RECORD6_INLINE, RECORD6_LEAVES_AT);
}

/** Gives back a record's leaves and all records below it. */
export function record6Clear(image: Image, record: u32, shift: u32): void {
  leavesClear(image, record, shift);
  const count = <u32>popcnt<u64>(load<u64>(image.to(record), RECORD6_CHILDREN));
  const children = load<u32>(image.to(record), RECORD6_CHILDREN_AT);
  for (let i: u32 = 0; i < count; i++) record6Clear(image, children + i * RECORD6_LEN, shift);
  if (count != 0) giveCell(image, children, count * RECORD6_LEN, PART_FIB6);
}

/** Slots with records of their own take the leaf of the slot after them, so that they end no run. */
function joinRuns(image: Image, children: u64): void {
  let rest = children & ~((<u64>1) << (SLOTS - 1));
  while (rest != 0) {
    const slot = 63 - <u32>clz<u64>(rest);
    setSlotLeaf(image, slot, slotLeaf(image, slot + 1));
    rest &= ~((<u64>1) << slot);
  }
}

/** Rewrites a record's leaves from its node; the caller has made sure of room. Its children are as they are linked. */
export function record6Write(image: Image, fib: Fib, node: RouteNode, record: u32, inherited: u32): void {
  const shift = fib.leafShift;
  spreadLeaves(image, node, inherited);
  joinRuns(image, node.children);
  const boundaries = slotBoundaries(image);
  const octets = leavesOctets(boundaries, shift);
  const leavesAt =
    octets <= RECORD6_INLINE_LEN ? record + RECORD6_INLINE : takeCell(image, octets, PART_FIB6);
  storeRuns(image, boundaries, image.to(leavesAt), shift);
  leavesClear(image, record, shift);
  store<u64>(image.to(record), boundaries, RECORD6_BOUNDARIES);
  store<u32>(image.to(record), leavesAt, RECORD6_LEAVES_AT);
}

/** Moves a record; its node learns where it is. */
function move(image: Image, node: RouteNode, child: u32, from: u32, to: u32): void {
  memory.copy(image.to(to), image.to(from), RECORD6_LEN);
  if (load<u32>(image.to(to), RECORD6_LEAVES_AT) == from + RECORD6_INLINE)
    store<u32>(image.to(to), to + RECORD6_INLINE, RECORD6_LEAVES_AT);
  RouteNode.at(image, load<u32>(image.to(node.childrenAt) + (child << 2))).record = to;
}

/** Gives the node that was just hung below a slot its record, beside those of its siblings. */
export function record6Link(image: Image, node: RouteNode, slot: u32): void {
  const at = image.to(node.record);
  const count = <u32>popcnt<u64>(node.children);
  const index = <u32>popcnt<u64>(node.children & ~(~(<u64>0) << slot));
  const old = load<u32>(at, RECORD6_CHILDREN_AT);
  let next = old;
  if (count == 1 || cellOctets((count - 1) * RECORD6_LEN) != cellOctets(count * RECORD6_LEN))
    next = takeCell(image, count * RECORD6_LEN, PART_FIB6);
  for (let i = count - 1; i > index; i--)
    move(image, node, i, old + (i - 1) * RECORD6_LEN, next + i * RECORD6_LEN);
  if (next != old)
    for (let i: u32 = 0; i < index; i++) move(image, node, i, old + i * RECORD6_LEN, next + i * RECORD6_LEN);
  record6Empty(image, next + index * RECORD6_LEN);
  RouteNode.at(image, load<u32>(image.to(node.childrenAt) + (index << 2))).record =
    next + index * RECORD6_LEN;
  store<u32>(at, next, RECORD6_CHILDREN_AT);
  store<u64>(at, node.children, RECORD6_CHILDREN);
  if (next != old && count > 1) giveCell(image, old, (count - 1) * RECORD6_LEN, PART_FIB6);
}

/** Takes the record of the empty node below a slot away, before the node itself is. */
export function record6Unlink(image: Image, fib: Fib, node: RouteNode, slot: u32): void {
  const at = image.to(node.record);
  const count = <u32>popcnt<u64>(node.children);
  const index = <u32>popcnt<u64>(node.children & ~(~(<u64>0) << slot));
  const old = load<u32>(at, RECORD6_CHILDREN_AT);
  leavesClear(image, old + index * RECORD6_LEN, fib.leafShift);
  let next = old;
  if (count == 1) next = 0;
  else if (cellOctets((count - 1) * RECORD6_LEN) != cellOctets(count * RECORD6_LEN))
    next = takeCell(image, (count - 1) * RECORD6_LEN, PART_FIB6);
  if (next != old)
    for (let i: u32 = 0; i < index; i++) move(image, node, i, old + i * RECORD6_LEN, next + i * RECORD6_LEN);
  for (let i = index + 1; i < count; i++)
    move(image, node, i, old + i * RECORD6_LEN, next + (i - 1) * RECORD6_LEN);
  store<u32>(at, next, RECORD6_CHILDREN_AT);
  store<u64>(at, node.children & ~((<u64>1) << slot), RECORD6_CHILDREN);
  if (next != old) giveCell(image, old, count * RECORD6_LEN, PART_FIB6);
}

/** Gives all nodes below a node their records, in a new array; the node's own record is fresh. */
export function record6Plant(image: Image, node: RouteNode): void {
  const count = <u32>popcnt<u64>(node.children);
  const at = image.to(node.record);
  store<u64>(at, node.children, RECORD6_CHILDREN);
  if (count == 0) return;
  const array = takeCell(image, count * RECORD6_LEN, PART_FIB6);
  store<u32>(at, array, RECORD6_CHILDREN_AT);
  for (let i: u32 = 0; i < count; i++) {
    record6Empty(image, array + i * RECORD6_LEN);
    RouteNode.at(image, load<u32>(image.to(node.childrenAt) + (i << 2))).record = array + i * RECORD6_LEN;
  }
}
