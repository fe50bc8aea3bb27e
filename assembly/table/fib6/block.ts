import { Image } from "../../image";
import { WORDS_AT } from "../routes/fib";
import { belowSlot, RouteNode, SLOTS, STRIDE } from "../routes/layout";
import { childAt, hasChild, leafOver } from "../routes/lookup";
import { slotLeaf, spreadLeaves } from "../routes/slots";
import { cell6Octets, giveCell6, takeCell6 } from "./cells";
import { WORD6_BLOCK, WORD6_LEAF, WORD6_OFFSET, WORD6_SHIFT } from "./layout";
import { isList6, list6Clear, list6Collect, list6Store } from "./list";

/** Octets of a block that `bits` bits tell the slots of apart. */
export function block6Octets(bits: u32): u32 {
  return cell6Octets(4 << bits);
}

function isBlock(word: u32): bool {
  return (word & WORD6_BLOCK) != 0;
}

/** The word for addresses that all have one leaf. */
export function word6Of(leaf: u32): u32 {
  return leaf << WORD6_LEAF;
}

/** Where the word of a block's slot stands. */
export function word6Place(image: Image, word: u32, slot: u32): usize {
  return image.to(word & WORD6_OFFSET) + ((slot >> (word & WORD6_SHIFT)) << 2);
}

/** Gives back what a word names, and all below it. */
export function word6Clear(image: Image, word: u32): void {
  if (isList6(word)) list6Clear(image, word);
  if (!isBlock(word)) return;
  const bits = STRIDE - (word & WORD6_SHIFT);
  const count = (<u32>1) << bits;
  for (let i: u32 = 0; i < count; i++) word6Clear(image, load<u32>(image.to(word & WORD6_OFFSET) + (i << 2)));
  giveCell6(image, word & WORD6_OFFSET, block6Octets(bits));
}

/** Writes the leaves of a node's block where there are no children. */
function writeLeaves(image: Image, node: RouteNode, block: u32, inherited: u32): void {
  const step = (<u32>1) << (STRIDE - node.depth);
  spreadLeaves(image, node, inherited);
  let at = image.to(block);
  for (let slot: u32 = 0; slot < SLOTS; slot += step) {
    if (!hasChild(node, slot)) store<u32>(at, slotLeaf(image, slot) << WORD6_LEAF);
    at += 4;
  }
}

/** The word of a node that has none yet, with all below it; the caller has made sure of room. */
export function word6Build(image: Image, node: RouteNode, depth: u32, high: u64, inherited: u32): u32 {
  const runs = list6Collect(image, node, depth, high, inherited);
  if (runs != 0) return list6Store(image, runs, 0);
  const block = takeCell6(image, block6Octets(node.depth));
  const word = block | WORD6_BLOCK | (STRIDE - node.depth);
  writeLeaves(image, node, block, inherited);
  let rest = node.children;
  while (rest != 0) {
    const slot = <u32>ctz<u64>(rest);
    const child = RouteNode.at(image, childAt(image, node, slot));
    const leaf = leafOver(image, node, slot, STRIDE + 1, inherited);
    store<u32>(
      word6Place(image, word, slot),
      word6Build(image, child, depth + STRIDE, belowSlot(high, depth, slot), leaf),
    );
    rest &= rest - 1;
  }
  return word;
}

/**
 * Where the node whose word stands at `place` is a list, or is to be one now, writes it; false if it is a block before
 * and after. The caller has made sure of room.
 */
export function list6Settle(
  image: Image,
  place: usize,
  node: RouteNode,
  depth: u32,
  high: u64,
  inherited: u32,
): bool {
  const old = load<u32>(place);
  const runs = list6Collect(image, node, depth, high, inherited);
  if (runs == 0 && !isList6(old)) return false;
  const word = runs != 0 ? list6Store(image, runs, old) : word6Build(image, node, depth, high, inherited);
  store<u32>(place, word);
  if (word != old) word6Clear(image, old);
  return true;
}

/**
 * Rewrites a node's block, in place if its size stays; its word stands at `place`. The words below stay as they are,
 * but for that of a child which has none yet.
 */
export function block6Write(
  image: Image,
  place: usize,
  node: RouteNode,
  inherited: u32,
  slot: u32,
  child: u32,
): void {
  const old = load<u32>(place);
  const octets = block6Octets(node.depth);
  const oldOctets = block6Octets(STRIDE - (old & WORD6_SHIFT));
  const words = image.to(WORDS_AT);
  let rest = node.children;
  for (let i: u32 = 0; rest != 0; i += 4) {
    const at = <u32>ctz<u64>(rest);
    store<u32>(words + i, at == slot ? child : load<u32>(word6Place(image, old, at)));
    rest &= rest - 1;
  }
  const block = octets == oldOctets ? old & WORD6_OFFSET : takeCell6(image, octets);
  const word = block | WORD6_BLOCK | (STRIDE - node.depth);
  rest = node.children;
  for (let i: u32 = 0; rest != 0; i += 4) {
    store<u32>(word6Place(image, word, <u32>ctz<u64>(rest)), load<u32>(words + i));
    rest &= rest - 1;
  }
  writeLeaves(image, node, block, inherited);
  store<u32>(place, word);
  if (octets != oldOctets) giveCell6(image, old & WORD6_OFFSET, oldOctets);
}
