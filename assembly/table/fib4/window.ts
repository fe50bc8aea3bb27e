import { PART_FIB } from "../../abi/image";
import { Image } from "../../image";
import { giveBlock, takeBlock } from "../../memory/arena";
import { Fib } from "../routes/fib";
import { RouteNode, SLOTS, STRIDE } from "../routes/layout";
import { childAt, hasChild } from "../routes/lookup";
import { readLeaf, word4Place } from "./block";
import { isFlagged4, LEAF4_FLAG, WINDOW4_LEAVES, WINDOW4_LEN, WORD4_SHIFT } from "./layout";
import { paneGive, panePaint, panesClear, panesOctets, panesReach, panesTake, paneTake } from "./panes";

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

/** How many /24 below a node hold longer prefixes: nodes of depth 24. */
function splitUnder(image: Image, node: RouteNode, depth: u32): u32 {
  if (depth == 18) return <u32>popcnt<u64>(node.children);
  let count: u32 = 0;
  let rest = node.children;
  while (rest != 0) {
    const child = childAt(image, node, <u32>ctz<u64>(rest));
    count += splitUnder(image, RouteNode.at(image, child), depth + STRIDE);
    rest &= rest - 1;
  }
  return count;
}

/** How many /24 of a /8 that holds routes hold longer prefixes. */
function splitIn(image: Image, fib: Fib, first: u32): u32 {
  const root = RouteNode.at(image, fib.storeAt);
  const node = RouteNode.at(image, childAt(image, root, first >> 2));
  let count: u32 = 0;
  for (let below = (first & 3) << 4; below <= ((first & 3) << 4) + 15; below++) {
    if (hasChild(node, below))
      count += splitUnder(image, RouteNode.at(image, childAt(image, node, below)), STRIDE * 2);
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

/** Brings one leaf of the window, and its pane, in line with the root's word. */
function settle(image: Image, fib: Fib, to: usize, word: u32, slot: u32): void {
  const old = <u32>load<u16>(to);
  let leaf = readLeaf(image, fib, word, slot);
  let pane = isFlagged4(old) ? old & ~LEAF4_FLAG : 0;
  if (isFlagged4(leaf)) {
    if (pane == 0) pane = paneTake(image, fib);
    if (pane != 0) panePaint(image, fib, pane, load<u32>(word4Place(image, fib, word, slot)));
    leaf = LEAF4_FLAG | pane;
  } else if (pane != 0) {
    paneGive(image, fib, pane);
  }
  store<u16>(to, <u16>leaf);
}

/** Whether any of 64 leaves is flagged. */
function isAnyFlagged(leaves: usize): bool {
  let least = i16x8.splat(0);
  for (let at: usize = 0; at < SLOTS * 2; at += 16) least = i16x8.min_s(least, v128.load(leaves + at));
  return v128.any_true(i16x8.lt_s(least, i16x8.splat(-1)));
}

/** Copies the leaves of a word that has all 64, if none of them is flagged and none was; false, and nothing done, else. */
function copyPlain(image: Image, to: usize, word: u32): bool {
  if ((word & WORD4_SHIFT) != 0 || isAnyFlagged(to) || isAnyFlagged(image.to(word))) return false;
  memory.copy(to, image.to(word), SLOTS * 2);
  return true;
}

/** Brings what the window holds of a prefix in line with the root's words. */
export function windowRefresh(image: Image, fib: Fib, high: u64, length: u32): void {
  if (fib.windowAt == 0) return;
  const start = fib.windowFirst << 16;
  const window = image.to(fib.windowAt);
  const words = image.to(fib.rootAt);
  let i = max(<u32>(high >> 40), start);
  // The last leaf is not that of a /24.
  const end = min(
    <u32>(high >> 40) + (length >= 24 ? 1 : (<u32>1) << (24 - length)),
    start + WINDOW4_LEAVES - 1,
  );
  while (i < end) {
    const to = window + ((i - start) << 1);
    const word = load<u32>(words + ((i >> 6) << 2));
    if ((i & (SLOTS - 1)) == 0 && i + SLOTS <= end && copyPlain(image, to, word)) {
      i += SLOTS;
    } else {
      settle(image, fib, to, word, i & (SLOTS - 1));
      i++;
    }
  }
}

/** Gives the window back, if there is one. */
export function windowClear(image: Image, fib: Fib): void {
  if (fib.windowAt != 0) giveBlock(image, fib.windowAt, WINDOW4_LEN, PART_FIB);
  fib.windowAt = 0;
  panesClear(image, fib);
}

/** Octets that a window and its panes can take where the routes of a new look-up side ask for one. */
export function windowNeeds(image: Image, fib: Fib): u32 {
  const first = choose(image, fib);
  return first == 256 ? 0 : WINDOW4_LEN + panesOctets(splitIn(image, fib, first));
}

/** Octets that panes can take when so many routes come, one after another. */
export function windowTakes(image: Image, fib: Fib, count: u32): u32 {
  return fib.windowAt != 0 ? panesTake(image, fib, count) : 0;
}

/** Makes a window where the routes of a new look-up side ask for one; the caller has made sure of room. */
export function windowCreate(image: Image, fib: Fib): void {
  const first = choose(image, fib);
  if (first == 256) return;
  fib.windowAt = takeBlock(image, WINDOW4_LEN, PART_FIB);
  fib.windowFirst = first;
  panesReach(image, fib, splitIn(image, fib, first));
  windowRefresh(image, fib, 0, 0);
  store<u16>(image.to(fib.windowAt) + WINDOW4_LEN - 2, <u16>LEAF4_FLAG);
}
