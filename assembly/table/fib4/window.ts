import { PART_FIB } from "../../abi/image";
import { Image } from "../../image";
import { giveBlock, spareOctets, takeBlock } from "../../memory/arena";
import { Fib } from "../routes/fib";
import { RouteNode, SLOTS } from "../routes/layout";
import { childAt, hasChild } from "../routes/lookup";
import { readLeaf } from "./block";
import { LEAF4_FLAG, WINDOW4_LEAVES, WINDOW4_LEN, WORD4_SHIFT } from "./layout";

/** Of an 18-bit root: words of a /8. */
const WORDS: u32 = WINDOW4_LEAVES / SLOTS;
/** A window pays for itself where three of four routes lie in it: so do the pod CIDRs of a cluster. */
const SHARE: u32 = 4;
/** No table of more routes lies in one /8. */
const ROUTES_MAX: u32 = 1 << 16;

/** Routes of a node and of those below. */
function routesUnder(image: Image, node: RouteNode): u32 {
  let count = node.leafCount;
  let rest = node.children;
  while (rest != 0) {
    count += routesUnder(image, RouteNode.at(image, childAt(image, node, <u32>ctz<u64>(rest))));
    rest &= rest - 1;
  }
  return count;
}

/** Routes of more than eight bits in a /8. */
function routesIn(image: Image, fib: Fib, first: u32): u32 {
  const root = RouteNode.at(image, fib.storeAt);
  const slot = first >> 2;
  if (!hasChild(root, slot)) return 0;
  const node = RouteNode.at(image, childAt(image, root, slot));
  let count: u32 = 0;
  for (let below = (first & 3) << 4; below <= ((first & 3) << 4) + 15; below++) {
    count += (node.full >> below) & 1 ? 1 : 0;
    if (hasChild(node, below)) count += routesUnder(image, RouteNode.at(image, childAt(image, node, below)));
  }
  return count;
}

/** The first octet of the /8 that most routes lie in; 256 for none. */
function choose(image: Image, fib: Fib): u32 {
  if (fib.bits != 18 || fib.isWide || fib.is6 != 0 || fib.routes > ROUTES_MAX) return 256;
  for (let first: u32 = 0; first < 256; first++) {
    if (routesIn(image, fib, first) > fib.routes - fib.routes / SHARE) return first;
  }
  return 256;
}

/** Writes the leaves of one word of the root to the window. */
function copyWord(image: Image, fib: Fib, word: u32, to: usize): void {
  if ((word & WORD4_SHIFT) == 0) {
    memory.copy(to, image.to(word), SLOTS * 2);
    return;
  }
  for (let slot: u32 = 0; slot < SLOTS; slot++)
    store<u16>(to + (slot << 1), <u16>readLeaf(image, fib, word, slot));
}

/** Brings what the window holds of a prefix in line with the root's words. */
export function windowRefresh(image: Image, fib: Fib, high: u64, length: u32): void {
  if (fib.windowAt == 0) return;
  const start = fib.windowFirst * WORDS;
  const from = <u32>(high >> 46);
  const to = from + (length >= 18 ? 1 : (<u32>1) << (18 - length));
  const window = image.to(fib.windowAt);
  const words = image.to(fib.rootAt);
  for (let i = max(from, start); i < min(to, start + WORDS); i++)
    copyWord(image, fib, load<u32>(words + (i << 2)), window + (i - start) * SLOTS * 2);
  store<u16>(window + WINDOW4_LEN - 2, <u16>LEAF4_FLAG);
}

/** Gives the window back, if there is one. */
export function windowClear(image: Image, fib: Fib): void {
  if (fib.windowAt != 0) giveBlock(image, fib.windowAt, WINDOW4_LEN, PART_FIB);
  fib.windowAt = 0;
}

/** Makes a window where the routes of a new look-up side ask for one and there is room. */
export function windowCreate(image: Image, fib: Fib): void {
  const first = choose(image, fib);
  if (first == 256 || spareOctets(image) < WINDOW4_LEN * 2) return;
  fib.windowAt = takeBlock(image, WINDOW4_LEN, PART_FIB);
  fib.windowFirst = first;
  windowRefresh(image, fib, 0, 0);
}
