import { PART_FIB } from "../../abi/image";
import { Image } from "../../image";
import { giveBlock, spareOctets, takeBlock } from "../../memory/arena";
import { Fib } from "../routes/fib";
import { REMOVAL_NEEDS, SLOTS } from "../routes/layout";
import { readLeaf, word4Place } from "./block";
import { isFlagged4, LEAF4_FLAG, PANE4_LEN, PANES4_LOG2, PANES4_MAX, WORD4_SHIFT } from "./layout";

/**
 * The panes of the window, one array that doubles, and is given back with its last pane. All leaves of pane 0 are
 * flagged, so that the root is asked whoever reads them; the first two say which pane is free and how many are in use.
 * A free pane's first leaf names the next. A reader in another thread cuts numbers to the array, whose place and size it
 * loads as one word, so that it never leaves the image.
 */
const ROOM_MIN: u32 = 16;
const USED_AT: usize = 2;
/** Multiplies a leaf into four. */
const FOUR: u64 = 0x0001000100010001;

function roomOf(fib: Fib): u32 {
  return fib.panes == 0 ? 0 : 1 << (fib.panes & PANES4_LOG2);
}

function paneAt(image: Image, fib: Fib, pane: u32): usize {
  return image.to((fib.panes & ~PANES4_LOG2) + pane * PANE4_LEN);
}

function readNumber(at: usize): u32 {
  return <u32>load<u16>(at) & ~LEAF4_FLAG;
}

function writeNumber(at: usize, number: u32): void {
  store<u16>(at, <u16>(LEAF4_FLAG | number));
}

function free(image: Image, fib: Fib, pane: u32): void {
  const head = paneAt(image, fib, 0);
  writeNumber(paneAt(image, fib, pane), readNumber(head));
  writeNumber(head, pane);
}

/** Gives all panes back, if there are any. */
export function panesClear(image: Image, fib: Fib): void {
  if (fib.panes != 0) giveBlock(image, fib.panes & ~PANES4_LOG2, roomOf(fib) * PANE4_LEN, PART_FIB);
  fib.panes = 0;
}

/** The size, in panes, of an array of pane 0 and at least `count` others, but of PANES4_MAX at most; 0 for none. */
function roomFor(count: u32): u32 {
  if (count == 0) return 0;
  const log2 = 32 - <u32>clz<u32>(count);
  return min<u32>(max<u32>(1 << log2, ROOM_MIN), PANES4_MAX);
}

/** Octets that pane 0 and so many others take. */
export function panesOctets(count: u32): u32 {
  return roomFor(count) * PANE4_LEN;
}

/** Makes room for pane 0 and so many others, or as many as there may be; where the image has none, nothing changes. */
export function panesReach(image: Image, fib: Fib, count: u32): void {
  const room = roomOf(fib);
  const larger = roomFor(count);
  if (larger <= room || spareOctets(image) < panesOctets(count) + REMOVAL_NEEDS) return;
  const block = takeBlock(image, panesOctets(count), PART_FIB);
  if (room != 0) memory.copy(image.to(block), paneAt(image, fib, 0), room * PANE4_LEN);
  else for (let at: u32 = 0; at < PANE4_LEN; at += 2) writeNumber(image.to(block) + at, 0);
  panesClear(image, fib);
  fib.panes = block | <u32>ctz<u32>(larger);
  for (let pane = larger - 1; pane >= max<u32>(room, 1); pane--) free(image, fib, pane);
}

function firstFree(image: Image, fib: Fib): u32 {
  return fib.panes == 0 ? 0 : readNumber(paneAt(image, fib, 0));
}

/** Octets that so many panes more take at most, if the panes grow for them time and again. */
export function panesTake(image: Image, fib: Fib, count: u32): u32 {
  const used = fib.panes == 0 ? 0 : readNumber(paneAt(image, fib, 0) + USED_AT);
  const room = roomFor(used + count);
  return room > roomOf(fib) ? 2 * room * PANE4_LEN : 0;
}

/** The number of a pane that nobody has; 0 where there are as many as there may be, or no room. */
export function paneTake(image: Image, fib: Fib): u32 {
  if (firstFree(image, fib) == 0) panesReach(image, fib, max<u32>(roomOf(fib), 1));
  const pane = firstFree(image, fib);
  if (pane == 0) return 0;
  const head = paneAt(image, fib, 0);
  writeNumber(head, readNumber(paneAt(image, fib, pane)));
  writeNumber(head + USED_AT, readNumber(head + USED_AT) + 1);
  return pane;
}

/** Gives a pane back, and all of them after the last. */
export function paneGive(image: Image, fib: Fib, pane: u32): void {
  const used = paneAt(image, fib, 0) + USED_AT;
  free(image, fib, pane);
  writeNumber(used, readNumber(used) - 1);
  if (readNumber(used) == 0) panesClear(image, fib);
}

/** Writes so many octets (in whole fours of leaves) of one leaf. */
function fill(at: usize, octets: u32, leaf: u32): void {
  for (let end = at + octets; at < end; at += 8) store<u64>(at, <u64>leaf * FOUR);
}

/** Writes the leaves of a /24, whose word is given, to its pane. */
export function panePaint(image: Image, fib: Fib, pane: u32, word: u32): void {
  const shift = word & WORD4_SHIFT;
  let to = paneAt(image, fib, pane);
  for (let slot: u32 = 0; slot < SLOTS; slot += 1 << shift) {
    const leaf = readLeaf(image, fib, word, slot);
    if (isFlagged4(leaf)) {
      const below = load<u32>(word4Place(image, fib, word, slot));
      for (let last: u32 = 0; last < 4; last++)
        store<u16>(to + (last << 1), <u16>readLeaf(image, fib, below, last << 4));
    } else {
      fill(to, 8 << shift, leaf);
    }
    to += 8 << shift;
  }
}
