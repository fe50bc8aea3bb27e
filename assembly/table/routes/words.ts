import { PART_FIB, PART_FIB6 } from "../../abi/image";
import { Image } from "../../image";
import { account, takeBlock } from "../../memory/arena";
import { block4Needs, block4Write, word4Build, word4Clear, word4Of, word4Place } from "../fib4/block";
import { BLOCK4_ALIGNMENT } from "../fib4/layout";
import {
  block6Octets,
  block6Write,
  list6Settle,
  word6Build,
  word6Clear,
  word6Of,
  word6Place,
} from "../fib6/block";
import { isList6 } from "../fib6/list";
import { Fib } from "./fib";
import { RouteNode, STRIDE } from "./layout";

/** The words of a store's nodes, of either family: every difference between the two look-up sides is here. */

const WORD_LEN: u32 = 4;

function partOf(fib: Fib): u32 {
  return fib.is6 != 0 ? PART_FIB6 : PART_FIB;
}

/** Where the first parked root of so many bits is noted. */
function parkedField(fib: Fib, bits: u32): usize {
  return changetype<usize>(fib) + offsetof<Fib>("parked6") + ((bits / STRIDE - 1) << 2);
}

/** Octets that a root of a head's bits takes beside the parked ones. */
export function rootNeeds(fib: Fib): u32 {
  return load<u32>(parkedField(fib, fib.bits)) == 0 ? WORD_LEN << fib.bits : 0;
}

/** A root for the first `bits` bits, of zeros, at a head that has none; false without room. */
export function rootCreate(image: Image, fib: Fib, bits: u32, wide: u32): bool {
  const octets = WORD_LEN << bits;
  const field = parkedField(fib, bits);
  let root = load<u32>(field);
  if (root == 0) {
    root = takeBlock(image, octets, partOf(fib));
  } else {
    store<u32>(field, load<u32>(image.to(root)));
    account(image, partOf(fib), octets);
  }
  fib.root = root | bits | wide;
  return root != 0;
}

/**
 * Puts a root out of use. It is never given back to the arena: a reader in another thread may be on its way through,
 * and must find words there.
 */
export function rootPark(image: Image, fib: Fib): void {
  const field = parkedField(fib, fib.bits);
  store<u32>(image.to(fib.rootAt), load<u32>(field));
  store<u32>(field, fib.rootAt);
  account(image, partOf(fib), 0 - (WORD_LEN << fib.bits));
}

/** Where the root's word for an address stands. */
export function rootPlace(image: Image, fib: Fib, high: u64): usize {
  return image.to(fib.rootAt) + <u32>(high >> (64 - fib.bits)) * WORD_LEN;
}

/** The addresses below a prefix of at most `bits` bits, under which there is no node, get one leaf. */
export function rootFill(image: Image, fib: Fib, high: u64, length: u32, leaf: u32): void {
  const word = wordOf(image, fib, leaf);
  const first = rootPlace(image, fib, high);
  const count = (<u32>1) << (fib.bits - length);
  for (let i: u32 = 0; i < count; i++) store<u32>(first + i * WORD_LEN, word);
}

/** The word for addresses that all have one leaf. */
function wordOf(image: Image, fib: Fib, leaf: u32): u32 {
  return fib.is6 != 0 ? word6Of(leaf) : word4Of(image, fib, leaf);
}

/** The word of a node at depth `bits` or below that has none yet, with all below it; the caller has made sure of room. */
export function wordBuild(
  image: Image,
  fib: Fib,
  node: RouteNode,
  depth: u32,
  high: u64,
  inherited: u32,
): u32 {
  return fib.is6 != 0
    ? word6Build(image, node, depth, high, inherited)
    : word4Build(image, fib, node, inherited);
}

/** Gives back what a word names, and all below it. */
export function wordClear(image: Image, fib: Fib, word: u32): void {
  if (fib.is6 != 0) word6Clear(image, word);
  else word4Clear(image, fib, word);
}

/** Where the word of a child stands in the block of a word. */
export function wordPlace(image: Image, fib: Fib, word: u32, slot: u32): usize {
  return fib.is6 != 0 ? word6Place(image, word, slot) : word4Place(image, fib, word, slot);
}

/** Rewrites the block of a node whose word stands at `place`; `child` is the word for a slot that has none there yet. */
export function blockWrite(
  image: Image,
  fib: Fib,
  place: usize,
  node: RouteNode,
  inherited: u32,
  slot: u32,
  child: u32,
): void {
  if (fib.is6 != 0) block6Write(image, place, node, inherited, slot, child);
  else block4Write(image, fib, place, node, inherited, child);
}

/** Whether the node whose word stands at `place` is, or has become, a list, or has ceased to be one: it is written then. */
export function listSettle(
  image: Image,
  fib: Fib,
  place: usize,
  node: RouteNode,
  depth: u32,
  high: u64,
  inherited: u32,
): bool {
  return fib.is6 != 0 && list6Settle(image, place, node, depth, high, inherited);
}

export function isList(fib: Fib, word: u32): bool {
  return fib.is6 != 0 && isList6(word);
}

/** Octets that a node's block can need. */
export function blockNeeds(fib: Fib, node: RouteNode): u32 {
  return fib.is6 != 0 ? block6Octets(node.depth) : block4Needs(fib, node);
}

/** Octets that cells for one leaf each can need. */
export function leavesNeed(fib: Fib): u32 {
  return fib.is6 != 0 ? 0 : min(fib.routes + 1, (<u32>1) << fib.bits) * BLOCK4_ALIGNMENT;
}
