import { IMAGE_TAIL } from "../../abi/image";
import { Image } from "../../image";
import { Fib, ROOT_BITS, ROOT_OFFSET, ROOT_WIDE } from "../routes/fib";
import { STRIDE } from "../routes/layout";
import { routeLongest } from "../routes/lookup";
import {
  LEAF4_CHILD,
  LEAF4_WIDE_CHILD,
  RECORD4_BOUNDARIES,
  RECORD4_LEAVES_AT,
  RECORD4_SHIFT,
} from "./layout";

/**
 * Look-ups never leave the image, whatever a writer in another thread does meanwhile: roots stay roots, so that their
 * records always hold offsets of leaves; the pool's place may be anyone's by now, and what is read there is cut to the
 * image (`last`) before it is followed.
 *
 * `shift` (1, or 2 for wide leaves) and `bits` are constants where the caller says so: each layout has a loop of its own.
 */
@unmanaged
@final
class Walk {
  /** Where the leaf of a record's slot (the low six bits of `slot` count) is among its leaves. */
  @inline
  static leafOffset(record: usize, slot: u32, shift: u32): u32 {
    return (<u32>popcnt<u64>(load<u64>(record, RECORD4_BOUNDARIES) >> <u64>slot)) << shift;
  }

  @inline
  static leaf(address: usize, shift: u32): u32 {
    return shift == 1 ? <u32>load<u16>(address) : load<u32>(address);
  }

  @inline
  static childFlag(shift: u32): u32 {
    return shift == 1 ? LEAF4_CHILD : LEAF4_WIDE_CHILD;
  }

  /** The address of the leaf of the root's record that holds an address. */
  @inline
  static rootLeafAddress(image: Image, records: usize, address: u32, bits: u32, shift: u32): usize {
    const record = records + ((address >> (32 - bits)) << RECORD4_SHIFT);
    const leaves = image.to(load<u32>(record, RECORD4_LEAVES_AT));
    return leaves + Walk.leafOffset(record, address >> (26 - bits), shift);
  }

  /** The leaf that a leaf naming a pool's record leads to, by the six bits from `depth` on. */
  @inline
  static below(image: Image, address: u32, from: u32, depth: u32, shift: u32, poolAt: u32, last: u32): u32 {
    const offset = poolAt + ((from & ~Walk.childFlag(shift)) << RECORD4_SHIFT);
    const record = image.to(select<u32>(offset, last, offset < last));
    const at = load<u32>(record, RECORD4_LEAVES_AT);
    const leaves = image.to(select<u32>(at, last, at < last));
    // An address has no bits after the 32nd; what rotates in there meets slots that are alike.
    return Walk.leaf(leaves + Walk.leafOffset(record, rotl<u32>(address, depth + STRIDE), shift), shift);
  }

  /** One level of the keys whose results (bits of `active`) name records; which of them still do. */
  @inline
  static level(
    image: Image,
    keys: usize,
    results: usize,
    active: u64,
    depth: u32,
    shift: u32,
    poolAt: u32,
    last: u32,
  ): u64 {
    let rest = active;
    let next: u64 = 0;
    while (rest != 0) {
      const i = ctz<u64>(rest);
      const at = (<usize>i) << 2;
      const from = load<u32>(results + at) + 1;
      const leaf = Walk.below(image, load<u32>(keys + at), from, depth, shift, poolAt, last);
      store<u32>(results + at, leaf - 1);
      next |= (<u64>((leaf & Walk.childFlag(shift)) >> (shift == 1 ? 15 : 31))) << i;
      rest &= rest - 1;
    }
    return next;
  }

  /** Level by level over all keys whose leaves name records: no branch is a guess. */
  static deeper(image: Image, keys: usize, count: u32, results: usize, first: u32, shift: u32): void {
    let active: u64 = 0;
    for (let i: u32 = 0; i < count; i++) {
      const leaf = load<u32>(results + (i << 2)) + 1;
      active |= (<u64>((leaf & Walk.childFlag(shift)) >> (shift == 1 ? 15 : 31))) << i;
    }
    const poolAt = Fib.of4(image).poolAt;
    const last = image.capacity - IMAGE_TAIL;
    for (let depth = first; depth < 32 && active != 0; depth += STRIDE) {
      if (shift == 1) active = Walk.level(image, keys, results, active, depth, 1, poolAt, last);
      else active = Walk.level(image, keys, results, active, depth, 2, poolAt, last);
    }
  }

  @inline
  static one(image: Image, address: u32, bits: u32, shift: u32, records: usize): u32 {
    let leaf = Walk.leaf(Walk.rootLeafAddress(image, records, address, bits, shift), shift);
    if ((leaf & Walk.childFlag(shift)) == 0) return leaf;
    const poolAt = Fib.of4(image).poolAt;
    const last = image.capacity - IMAGE_TAIL;
    for (let depth = bits + STRIDE; depth < 32 && (leaf & Walk.childFlag(shift)) != 0; depth += STRIDE)
      leaf = Walk.below(image, address, leaf, depth, shift, poolAt, last);
    return leaf;
  }

  /** Two passes, so that the loads of many look-ups are under way at a time; results hold the addresses between them. */
  @inline
  static burst(
    image: Image,
    keys: usize,
    count: u32,
    results: usize,
    bits: u32,
    shift: u32,
    records: usize,
  ): void {
    const end = count << 2;
    for (let i: u32 = 0; i < end; i += 4) {
      const at = Walk.rootLeafAddress(image, records, load<u32>(keys + i), bits, shift);
      store<u32>(results + i, <u32>at);
    }
    let seen: u32 = 0;
    for (let i: u32 = 0; i < end; i += 4) {
      const leaf = Walk.leaf(<usize>load<u32>(results + i), shift);
      seen |= leaf;
      store<u32>(results + i, leaf - 1);
    }
    if ((seen & Walk.childFlag(shift)) != 0) Walk.deeper(image, keys, count, results, bits + STRIDE, shift);
  }
}

/** The leaf (next hop + 1) of the longest prefix that holds the address; 0 where there is none. */
export function fib4Lookup(image: Image, address: u32): u32 {
  const root = Fib.of4(image).root;
  const bits = root & ROOT_BITS;
  const records = image.to(root & ROOT_OFFSET);
  if ((root & ROOT_WIDE) != 0) return Walk.one(image, address, bits, 2, records);
  return Walk.one(image, address, bits, 1, records);
}

/** Looks up `count` (at most 64) addresses, u32 each; next hops, or 0xffffffff, go to `results`. */
export function fib4LookupBurst(image: Image, keys: usize, count: u32, results: usize): void {
  const root = Fib.of4(image).root;
  const bits = root & ROOT_BITS;
  const records = image.to(root & ROOT_OFFSET);
  if ((root & ROOT_WIDE) != 0) Walk.burst(image, keys, count, results, bits, 2, records);
  else if (bits == 18) Walk.burst(image, keys, count, results, 18, 1, records);
  else Walk.burst(image, keys, count, results, bits, 1, records);
}

/** The length of the longest prefix that holds an address, from the store; -1 for none. */
export function fib4LongestLength(image: Image, address: u32): i32 {
  return routeLongest(image, Fib.of4(image).storeAt, (<u64>address) << 32, 0);
}
