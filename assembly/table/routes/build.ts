import { PART_ROUTES } from "../../abi/image";
import { Image } from "../../image";
import { spareOctets } from "../../memory/arena";
import { cellOctets, giveCell, takeCell } from "../../memory/cells";
import { ROUTE_NEEDS, RouteNode, STRIDE } from "./layout";
import { hasLeaf, leafIndex } from "./lookup";

const NODE_LEN: u32 = offsetof<RouteNode>();

/** The offset of an empty node; 0 without room. */
export function nodeCreate(image: Image): u32 {
  const offset = takeCell(image, NODE_LEN, PART_ROUTES);
  if (offset != 0) memory.fill(image.to(offset), 0, NODE_LEN);
  return offset;
}

/** The offset of an array of `count` words with a word inserted; the old array is given back. 0 without room. */
function arrayInsert(image: Image, array: u32, count: u32, index: u32, word: u32): u32 {
  let next = array;
  if (array == 0 || cellOctets(count << 2) != cellOctets((count + 1) << 2)) {
    next = takeCell(image, (count + 1) << 2, PART_ROUTES);
    if (next == 0) return 0;
    if (array != 0) memory.copy(image.to(next), image.to(array), index << 2);
  }
  const at = image.to(next) + (index << 2);
  if (array != 0) memory.copy(at + 4, image.to(array) + (index << 2), (count - index) << 2);
  store<u32>(at, word);
  if (array != 0 && array != next) giveCell(image, array, count << 2, PART_ROUTES);
  return next;
}

/** The offset of an array of `count` words with one taken out, in place if there is no smaller cell for it; 0 if empty. */
function arrayRemove(image: Image, array: u32, count: u32, index: u32): u32 {
  const at = image.to(array) + (index << 2);
  memory.copy(at, at + 4, (count - index - 1) << 2);
  if (count > 1 && cellOctets(count << 2) == cellOctets((count - 1) << 2)) return array;
  let next: u32 = 0;
  if (count > 1) {
    next = takeCell(image, (count - 1) << 2, PART_ROUTES);
    memory.copy(image.to(next), image.to(array), (count - 1) << 2);
  }
  giveCell(image, array, count << 2, PART_ROUTES);
  return next;
}

/** Adds or replaces the leaf of a prefix of a node; false, and nothing changed, without room. */
export function leafSet(image: Image, node: RouteNode, slot: u32, bits: u32, leaf: u32): bool {
  const index = leafIndex(node, slot, bits);
  if (hasLeaf(node, slot, bits)) {
    store<u32>(image.to(node.leavesAt) + (index << 2), leaf);
    return true;
  }
  const leaves = arrayInsert(image, node.leavesAt, node.leafCount, index, leaf);
  if (leaves == 0) return false;
  node.leavesAt = leaves;
  if (bits == STRIDE) node.full |= (<u64>1) << slot;
  else node.inner |= (<u64>1) << ((1 << bits) | (slot >> (STRIDE - bits)));
  return true;
}

/** Removes a leaf that is there. */
export function leafRemove(image: Image, node: RouteNode, slot: u32, bits: u32): void {
  node.leavesAt = arrayRemove(image, node.leavesAt, node.leafCount, leafIndex(node, slot, bits));
  if (bits == STRIDE) node.full &= ~((<u64>1) << slot);
  else node.inner &= ~((<u64>1) << ((1 << bits) | (slot >> (STRIDE - bits))));
}

/** Hangs a node below a slot that has none; false, and nothing changed, without room. */
export function childInsert(image: Image, node: RouteNode, slot: u32, child: u32): bool {
  const index = <u32>popcnt<u64>(node.children & ~(~(<u64>0) << slot));
  const children = arrayInsert(image, node.childrenAt, <u32>popcnt<u64>(node.children), index, child);
  if (children == 0) return false;
  node.childrenAt = children;
  node.children |= (<u64>1) << slot;
  return true;
}

/** Takes an empty node away from below a slot, and gives it back. */
export function childRemove(image: Image, node: RouteNode, slot: u32, child: u32): void {
  const index = <u32>popcnt<u64>(node.children & ~(~(<u64>0) << slot));
  node.childrenAt = arrayRemove(image, node.childrenAt, <u32>popcnt<u64>(node.children), index);
  node.children &= ~((<u64>1) << slot);
  giveCell(image, child, NODE_LEN, PART_ROUTES);
}

/** A copy of an array of `count` words; 0 for none. */
function arrayCopy(image: Image, array: u32, count: u32): u32 {
  if (count == 0) return 0;
  const copy = takeCell(image, count << 2, PART_ROUTES);
  memory.copy(image.to(copy), image.to(array), count << 2);
  return copy;
}

/** The offset of a copy of a node and all below it; 0 without room. */
export function nodeCopy(image: Image, offset: u32): u32 {
  if (spareOctets(image) < ROUTE_NEEDS) return 0;
  const copy = nodeCreate(image);
  memory.copy(image.to(copy), image.to(offset), NODE_LEN);
  const node = RouteNode.at(image, copy);
  const children = <u32>popcnt<u64>(node.children);
  node.leavesAt = arrayCopy(image, node.leavesAt, node.leafCount);
  node.childrenAt = arrayCopy(image, node.childrenAt, children);
  for (let i: u32 = 0; i < children; i++) {
    const at = image.to(node.childrenAt) + (i << 2);
    const child = nodeCopy(image, load<u32>(at));
    if (child == 0) return 0;
    store<u32>(at, child);
  }
  return copy;
}

/** Gives back a node and all below it. */
export function nodeClear(image: Image, offset: u32): void {
  const node = RouteNode.at(image, offset);
  const children = <u32>popcnt<u64>(node.children);
  for (let i: u32 = 0; i < children; i++) nodeClear(image, load<u32>(image.to(node.childrenAt) + (i << 2)));
  if (children != 0) giveCell(image, node.childrenAt, children << 2, PART_ROUTES);
  if (node.leafCount != 0) giveCell(image, node.leavesAt, node.leafCount << 2, PART_ROUTES);
  giveCell(image, offset, NODE_LEN, PART_ROUTES);
}
