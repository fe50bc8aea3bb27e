import { Image } from "../../image";
import { depthOf, RouteNode, SLOTS, STRIDE, slotOf, slotsUnder } from "./layout";

/** Where a prefix of `bits` (0 … 6) bits in a node has, or would have, its leaf among the node's. */
export function leafIndex(node: RouteNode, slot: u32, bits: u32): u32 {
  if (bits == STRIDE) return <u32>(popcnt<u64>(node.inner) + popcnt<u64>(node.full & ~(~(<u64>0) << slot)));
  const bit = (1 << bits) | (slot >> (STRIDE - bits));
  return <u32>popcnt<u64>(node.inner & ~(~(<u64>0) << bit));
}

export function hasLeaf(node: RouteNode, slot: u32, bits: u32): bool {
  if (bits == STRIDE) return ((node.full >> slot) & 1) != 0;
  return ((node.inner >> ((1 << bits) | (slot >> (STRIDE - bits)))) & 1) != 0;
}

export function leafAt(image: Image, node: RouteNode, index: u32): u32 {
  return load<u32>(image.to(node.leavesAt) + (index << 2));
}

export function hasChild(node: RouteNode, slot: u32): bool {
  return ((node.children >> slot) & 1) != 0;
}

/** The offset of the node below a slot that has one. */
export function childAt(image: Image, node: RouteNode, slot: u32): u32 {
  const index = <u32>popcnt<u64>(node.children & ~(~(<u64>0) << slot));
  return load<u32>(image.to(node.childrenAt) + (index << 2));
}

/** Bits of the longest prefix in a node that holds a slot and has less than `limit` (1 … 7) bits; -1 for none. */
export function bestBits(node: RouteNode, slot: u32, limit: u32): i32 {
  if (limit > STRIDE && ((node.full >> slot) & 1) != 0) return STRIDE;
  for (let bits = <i32>min<u32>(limit, STRIDE) - 1; bits >= 0; bits--) {
    if (hasLeaf(node, slot, bits)) return bits;
  }
  return -1;
}

/** The leaf of the longest prefix of a node that holds a slot and has less than `limit` bits there, or `inherited`. */
export function leafOver(image: Image, node: RouteNode, slot: u32, limit: u32, inherited: u32): u32 {
  const bits = bestBits(node, slot, limit);
  return bits < 0 ? inherited : leafAt(image, node, leafIndex(node, slot, bits));
}

/** The slots of a node held by prefixes of more than `bits` bits in it. */
export function slotsOfLonger(node: RouteNode, bits: i32): u64 {
  let slots = node.full;
  if (bits >= <i32>STRIDE - 1) return bits >= <i32>STRIDE ? 0 : slots;
  let inner = bits < 0 ? node.inner : node.inner & (~(<u64>0) << (2 << bits));
  while (inner != 0) {
    const bit = <u32>ctz<u64>(inner);
    const level = 31 - <u32>clz<u32>(bit);
    slots |= slotsUnder((bit << (STRIDE - level)) & (SLOTS - 1), level);
    inner &= inner - 1;
  }
  return slots;
}

/** The leaf of exactly this prefix; 0 for none. */
export function routeExact(image: Image, root: u32, high: u64, low: u64, length: u32): u32 {
  const depth = depthOf(length);
  let node = RouteNode.at(image, root);
  for (let at: u32 = 0; at < depth; at += STRIDE) {
    const slot = slotOf(high, low, at);
    if (!hasChild(node, slot)) return 0;
    node = RouteNode.at(image, childAt(image, node, slot));
  }
  const slot = slotOf(high, low, depth);
  const bits = length - depth;
  return hasLeaf(node, slot, bits) ? leafAt(image, node, leafIndex(node, slot, bits)) : 0;
}

/** The length of the longest prefix that holds a key; -1 for none. */
export function routeLongest(image: Image, root: u32, high: u64, low: u64): i32 {
  let longest = -1;
  let node = RouteNode.at(image, root);
  let depth: u32 = 0;
  while (true) {
    const slot = slotOf(high, low, depth);
    const bits = bestBits(node, slot, STRIDE + 1);
    if (bits >= 0) longest = depth + bits;
    if (!hasChild(node, slot)) return longest;
    node = RouteNode.at(image, childAt(image, node, slot));
    depth += STRIDE;
  }
}
