import { Image } from "../../image";

/**
 * The store of routes: a trie of strides of six bits over 128-bit keys (an IPv4 address is the first 32 of them).
 * The node at depth d (a multiple of 6) holds the prefixes of d + 1 … d + 6 bits below one prefix of d bits:
 *
 *   inner     bit 2^k | v for the prefix whose k (1 … 5) bits after the node's are v; at the root also k = 0
 *   full      bit v for the prefix of six more bits v
 *   children  bit v where there is a node six bits further down
 *
 * Two arrays follow those bits in order: the routes' leaves (inner, then full) and the children's offsets.
 * A leaf is a next hop's number + 1; 0 means that there is no route.
 */
@unmanaged
@final
export class RouteNode {
  inner: u64;
  full: u64;
  children: u64;
  leavesAt: u32;
  childrenAt: u32;

  @inline
  static at(image: Image, offset: u32): RouteNode {
    return changetype<RouteNode>(image.to(offset));
  }

  @inline
  get isEmpty(): bool {
    return (this.inner | this.full | this.children) == 0;
  }

  /** Bits (1 … 6) that tell the node's slots apart, by the longest of its prefixes. */
  get depth(): u32 {
    if ((this.full | this.children) != 0) return STRIDE;
    return 31 - <u32>clz<u32>(63 - <u32>clz<u64>(this.inner));
  }

  @inline
  get leafCount(): u32 {
    return <u32>(popcnt<u64>(this.inner) + popcnt<u64>(this.full));
  }
}

export const STRIDE: u32 = 6;
export const SLOTS: u32 = 64;
/** Nodes on the longest way down: depths 0, 6 … 126. */
export const LEVELS: u32 = 22;
export const NEXT_HOP_MAX: u32 = (1 << 23) - 2;

/** The depth of the node that holds prefixes of a length. */
export function depthOf(length: u32): u32 {
  return length == 0 ? 0 : ((length - 1) / STRIDE) * STRIDE;
}

/** The six bits of a key from a depth on; bits after the 128th are 0. */
export function slotOf(high: u64, low: u64, depth: u32): u32 {
  if (depth <= 58) return <u32>(high >> (58 - depth)) & 63;
  if (depth == 60) return <u32>((high << 2) | (low >> 62)) & 63;
  return depth <= 122 ? <u32>(low >> (122 - depth)) & 63 : <u32>(low << 4) & 63;
}

/** The slots below the prefix whose first `bits` (0 … 6) bits are those of a slot. */
export function slotsUnder(slot: u32, bits: u32): u64 {
  const count = SLOTS >> bits;
  const first = slot & ~(count - 1);
  return (~(<u64>0) >> (SLOTS - count)) << first;
}

/** The first `length` bits of a 128-bit key, as the mask of its high (low) half. */
export function maskHigh(length: u32): u64 {
  return length == 0 ? 0 : length >= 64 ? ~(<u64>0) : ~(<u64>0) << (64 - length);
}

export function maskLow(length: u32): u64 {
  return length <= 64 ? 0 : ~(<u64>0) << (128 - length);
}

/** The high half of the prefix of a node below a slot of the node at `depth`. */
export function belowSlot(high: u64, depth: u32, slot: u32): u64 {
  return depth <= 58 ? (high & maskHigh(depth)) | ((<u64>slot) << (58 - depth)) : high;
}

/** Octets that one route can need beside those it gives back: nodes, their arrays and blocks on the way, and copies. */
export const ROUTE_NEEDS: u32 = 24 << 10;
/** What the addition of a route leaves of them at least, so that a removal finds room. */
export const REMOVAL_NEEDS: u32 = 12 << 10;
