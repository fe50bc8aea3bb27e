import { Image } from "../../image";
import { SLOTS_AT } from "./fib";
import { RouteNode, SLOTS, STRIDE } from "./layout";

function paint(slots: usize, count: u32, leaf: u32): void {
  for (let i: u32 = 0; i < count; i++) store<u32>(slots + (i << 2), leaf);
}

/** Lays a node's leaves out over its 64 slots (scratch): the longest prefix of the node that holds a slot, or `inherited`. */
export function spreadLeaves(image: Image, node: RouteNode, inherited: u32): void {
  const slots = image.to(SLOTS_AT);
  const all = v128.splat<u32>(inherited);
  for (let i: usize = 0; i < SLOTS * 4; i += 16) v128.store(slots + i, all);
  let leaf = image.to(node.leavesAt);
  let bits = node.inner;
  while (bits != 0) {
    const bit = <u32>ctz<u64>(bits);
    const down = STRIDE - (31 - <u32>clz<u32>(bit));
    paint(slots + (((bit << down) & (SLOTS - 1)) << 2), 1 << down, load<u32>(leaf));
    leaf += 4;
    bits &= bits - 1;
  }
  bits = node.full;
  while (bits != 0) {
    store<u32>(slots + ((<u32>ctz<u64>(bits)) << 2), load<u32>(leaf));
    leaf += 4;
    bits &= bits - 1;
  }
}

export function slotLeaf(image: Image, slot: u32): u32 {
  return load<u32>(image.to(SLOTS_AT) + (slot << 2));
}

export function setSlotLeaf(image: Image, slot: u32, leaf: u32): void {
  store<u32>(image.to(SLOTS_AT) + (slot << 2), leaf);
}

/** Bit i for every slot i whose leaf is not that of slot i + 1. */
export function slotBoundaries(image: Image): u64 {
  const slots = image.to(SLOTS_AT);
  let boundaries: u64 = 0;
  for (let i: u32 = 0; i < SLOTS - 1; i++) {
    const at = slots + (i << 2);
    boundaries |= (<u64>u32(load<u32>(at) != load<u32>(at, 4))) << i;
  }
  return boundaries;
}

/** Writes the leaves of the runs that boundaries cut, last slot first, as 1 << `shift` octets each. */
export function storeRuns(image: Image, boundaries: u64, to: usize, shift: u32): void {
  let rest = boundaries | ((<u64>1) << 63);
  let at = to;
  while (rest != 0) {
    const slot = 63 - <u32>clz<u64>(rest);
    const leaf = slotLeaf(image, slot);
    if (shift == 1) store<u16>(at, <u16>leaf);
    else store<u32>(at, leaf);
    at += (<usize>1) << shift;
    rest &= ~((<u64>1) << slot);
  }
}
