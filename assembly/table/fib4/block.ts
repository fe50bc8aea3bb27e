import { PART_FIB } from "../../abi/image";
import { Image } from "../../image";
import { cellOctets, giveCell, takeCell } from "../../memory/cells";
import { nextHopLeafCell } from "../nexthop/lookup";
import { Fib, WORDS_AT } from "../routes/fib";
import { RouteNode, SLOTS, STRIDE } from "../routes/layout";
import { childAt, leafOver } from "../routes/lookup";
import { slotLeaf, spreadLeaves } from "../routes/slots";
import {
  BLOCK4_ALIGNMENT,
  LEAF4_CHILD,
  LEAF4_FLAG,
  LEAF4_WIDE_FLAG,
  WORD4_SHIFT,
  WORD4_UNIFORM,
} from "./layout";

/** Octets of a leaf. */
function leafLength(fib: Fib): u32 {
  return fib.isWide ? 3 : 2;
}

/** Where the words behind a block of 64 leaves begin. */
function wordsAt(image: Image, fib: Fib, word: u32): usize {
  return image.to(word) + SLOTS * leafLength(fib);
}

/** A leaf as it stands in a word's block. */
export function readLeaf(image: Image, fib: Fib, word: u32, slot: u32): u32 {
  const leaf = image.to(word) + (slot >> (word & WORD4_SHIFT)) * leafLength(fib);
  return fib.isWide ? load<u32>(leaf) & 0xffffff : <u32>load<u16>(leaf);
}

function writeLeaf(fib: Fib, at: usize, leaf: u32): void {
  store<u16>(at, <u16>leaf);
  if (fib.isWide) store<u8>(at, <u8>(leaf >> 16), 2);
}

/** The number of a leaf's word behind the leaves, 64 for a leaf that names none. */
function childOf(fib: Fib, leaf: u32): u32 {
  const flag = fib.isWide ? LEAF4_WIDE_FLAG : LEAF4_FLAG;
  return (leaf & flag) != 0 && (leaf & LEAF4_CHILD) + flag == leaf ? leaf & LEAF4_CHILD : SLOTS;
}

/** Words behind a block's leaves: as many as the last that a leaf names. */
function wordCount(image: Image, fib: Fib, word: u32): u32 {
  if ((word & WORD4_SHIFT) != 0) return 0;
  for (let slot: i32 = SLOTS - 1; slot >= 0; slot--) {
    const child = childOf(fib, readLeaf(image, fib, word, slot));
    if (child != SLOTS) return child + 1;
  }
  return 0;
}

/** Octets of the cell that holds so many leaves and words behind them, and before them as many as the shift. */
function blockOctets(fib: Fib, bits: u32, words: u32): u32 {
  const octets = STRIDE - bits + (leafLength(fib) << bits) + (words << 2);
  return fib.isWide ? octets : (octets + BLOCK4_ALIGNMENT - 1) & ~(BLOCK4_ALIGNMENT - 1);
}

/** Octets of the cell that a node's block takes. */
export function block4Needs(fib: Fib, node: RouteNode): u32 {
  return cellOctets(blockOctets(fib, node.depth, <u32>popcnt<u64>(node.children)));
}

/** The word that gives all slots one leaf of the store; 0 without room for its cell. */
export function word4Of(image: Image, fib: Fib, leaf: u32): u32 {
  const field =
    leaf == 0 ? changetype<usize>(fib) + offsetof<Fib>("noneAt") : nextHopLeafCell(image, leaf - 1);
  let cell = load<u32>(field);
  if (cell == 0) {
    cell = takeCell(image, fib.isWide ? 16 : BLOCK4_ALIGNMENT, PART_FIB);
    if (cell == 0) return 0;
    store<u32>(image.to(cell) + WORD4_UNIFORM, leaf - 1);
    store<u32>(field, cell);
  }
  return cell | WORD4_UNIFORM;
}

/** Gives back a word's block, and those of the words behind it. */
export function word4Clear(image: Image, fib: Fib, word: u32): void {
  const shift = word & WORD4_SHIFT;
  if (shift == WORD4_UNIFORM) return;
  const words = wordCount(image, fib, word);
  const at = wordsAt(image, fib, word);
  for (let i: u32 = 0; i < words; i++) word4Clear(image, fib, load<u32>(at + (i << 2)));
  giveCell(image, word & ~WORD4_SHIFT, blockOctets(fib, STRIDE - shift, words), PART_FIB);
}

/** Writes the leaves of a node's block; slots with nodes below them get the numbers of their words. */
function writeLeaves(image: Image, fib: Fib, node: RouteNode, block: u32, inherited: u32): void {
  const length = leafLength(fib);
  const shift = STRIDE - node.depth;
  const flag = fib.isWide ? LEAF4_WIDE_FLAG : LEAF4_FLAG;
  spreadLeaves(image, node, inherited);
  let at = image.to(block) + shift;
  let child: u32 = 0;
  for (let slot: u32 = 0; slot < SLOTS; slot += 1 << shift) {
    const isChild = ((node.children >> slot) & 1) != 0;
    writeLeaf(fib, at, isChild ? flag | child++ : slotLeaf(image, slot) - 1);
    at += length;
  }
}

/** The word of a node that has none yet, with all below it; the caller has made sure of room. */
export function word4Build(image: Image, fib: Fib, node: RouteNode, inherited: u32): u32 {
  const bits = node.depth;
  const block = takeCell(image, blockOctets(fib, bits, <u32>popcnt<u64>(node.children)), PART_FIB);
  const word = block | (STRIDE - bits);
  writeLeaves(image, fib, node, block, inherited);
  let at = wordsAt(image, fib, word);
  let rest = node.children;
  while (rest != 0) {
    const slot = <u32>ctz<u64>(rest);
    const leaf = leafOver(image, node, slot, STRIDE + 1, inherited);
    store<u32>(at, word4Build(image, fib, RouteNode.at(image, childAt(image, node, slot)), leaf));
    at += 4;
    rest &= rest - 1;
  }
  return word;
}

/** Where the word of a slot that has a node below it stands. */
export function word4Place(image: Image, fib: Fib, word: u32, slot: u32): usize {
  return wordsAt(image, fib, word) + (childOf(fib, readLeaf(image, fib, word, slot)) << 2);
}

/** Lays out (scratch) the words of a node's children: those of an old block, and `child` for the slot that has none there. */
function gatherWords(image: Image, fib: Fib, node: RouteNode, old: u32, child: u32): void {
  let to = image.to(WORDS_AT);
  let rest = node.children;
  while (rest != 0) {
    const slot = <u32>ctz<u64>(rest);
    const number = childOf(fib, readLeaf(image, fib, old, slot));
    store<u32>(to, number == SLOTS ? child : load<u32>(wordsAt(image, fib, old) + (number << 2)));
    to += 4;
    rest &= rest - 1;
  }
}

/**
 * Rewrites a node's block, in place if its size stays; its word stands at `place`. The words below stay as they are,
 * but for that of a child which has none yet.
 */
export function block4Write(
  image: Image,
  fib: Fib,
  place: usize,
  node: RouteNode,
  inherited: u32,
  child: u32,
): void {
  const old = load<u32>(place);
  const words = <u32>popcnt<u64>(node.children);
  const octets = blockOctets(fib, node.depth, words);
  const oldOctets = blockOctets(fib, STRIDE - (old & WORD4_SHIFT), wordCount(image, fib, old));
  gatherWords(image, fib, node, old, child);
  const block = octets == oldOctets ? old & ~WORD4_SHIFT : takeCell(image, octets, PART_FIB);
  const word = block | (STRIDE - node.depth);
  if (words != 0) memory.copy(wordsAt(image, fib, word), image.to(WORDS_AT), words << 2);
  writeLeaves(image, fib, node, block, inherited);
  store<u32>(place, word);
  if (octets != oldOctets) giveCell(image, old & ~WORD4_SHIFT, oldOctets, PART_FIB);
}
