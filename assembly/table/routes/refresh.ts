import { Image } from "../../image";
import { inheritedAt, pathNode } from "./change";
import { Fib } from "./fib";
import { SLOTS, STRIDE, slotOf } from "./layout";
import { hasChild } from "./lookup";
import { handDown } from "./rebuild";
import { blockWrite, listSettle, rootFill, rootPlace, wordBuild, wordClear, wordPlace } from "./words";

/** The node of the way at the root's depth has come (`isThere`) or gone. */
function refreshRoot(image: Image, fib: Fib, high: u64, isThere: bool): void {
  const bits = fib.bits;
  const place = rootPlace(image, fib, high);
  const old = load<u32>(place);
  const inherited = inheritedAt(image, bits);
  if (isThere) {
    store<u32>(place, wordBuild(image, fib, pathNode(image, bits), bits, high, inherited));
  } else {
    rootFill(image, fib, high, bits, inherited);
    wordClear(image, fib, old);
  }
}

/** A child of the noted node at `depth`, whose word stands at `place`, has come (`isThere`) or gone. */
function refreshChild(
  image: Image,
  fib: Fib,
  high: u64,
  place: usize,
  depth: u32,
  slot: u32,
  isThere: bool,
): void {
  const node = pathNode(image, depth);
  const inherited = inheritedAt(image, depth);
  if (isThere) {
    const below = depth + STRIDE;
    const child = wordBuild(image, fib, pathNode(image, below), below, high, inheritedAt(image, below));
    blockWrite(image, fib, place, node, inherited, slot, child);
  } else {
    const old = load<u32>(wordPlace(image, fib, load<u32>(place), slot));
    blockWrite(image, fib, place, node, inherited, SLOTS, 0);
    wordClear(image, fib, old);
  }
}

/**
 * Rewrites what look-ups read after the node at `depth`, at the root's depth or below, has changed: `last` is the
 * deepest noted node that was there before and is there now. Some slots of an old node have a leaf to hand down.
 */
export function refresh(
  image: Image,
  fib: Fib,
  high: u64,
  low: u64,
  last: u32,
  depth: u32,
  slots: u64,
  leaf: u32,
): void {
  const slot = slotOf(high, low, last);
  const isThere = last < depth && hasChild(pathNode(image, last), slot);
  if (last < fib.bits) {
    refreshRoot(image, fib, high, isThere);
    return;
  }
  let place = rootPlace(image, fib, high);
  for (let at = fib.bits; ; at += STRIDE) {
    if (listSettle(image, fib, place, pathNode(image, at), at, high, inheritedAt(image, at))) return;
    if (at == last) break;
    place = wordPlace(image, fib, load<u32>(place), slotOf(high, low, at));
  }
  if (last < depth) {
    refreshChild(image, fib, high, place, last, slot, isThere);
  } else {
    blockWrite(image, fib, place, pathNode(image, last), inheritedAt(image, last), SLOTS, 0);
    handDown(image, fib, pathNode(image, last), last, high, place, slots, leaf);
  }
}
