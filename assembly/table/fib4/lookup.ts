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

  /** Goes on from a leaf that names a pool's record for the bits from `first` on. */
  static below(image: Image, address: u32, from: u32, first: u32, shift: u32): u32 {
    const last = image.capacity - IMAGE_TAIL;
    let leaf = from;
    // An address has no bits after the 32nd; what rotates in there meets slots that are alike.
    for (let depth = first; depth < 32 && (leaf & Walk.childFlag(shift)) != 0; depth += STRIDE) {
      const offset = Fib.of4(image).poolAt + ((leaf & ~Walk.childFlag(shift)) << RECORD4_SHIFT);
      const record = image.to(min<u32>(offset, last));
      const leaves = image.to(min<u32>(load<u32>(record, RECORD4_LEAVES_AT), last));
      leaf = Walk.leaf(leaves + Walk.leafOffset(record, rotl<u32>(address, depth + STRIDE), shift), shift);
    }
    return leaf;
  }

  @inline
  static one(image: Image, address: u32, bits: u32, shift: u32, records: usize): u32 {
    const leaf = Walk.leaf(Walk.rootLeafAddress(image, records, address, bits, shift), shift);
    if ((leaf & Walk.childFlag(shift)) == 0) return leaf;
    return Walk.below(image, address, leaf, bits + STRIDE, shift);
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
    if ((seen & Walk.childFlag(shift)) == 0) return;
    for (let i: u32 = 0; i < end; i += 4) {
      const leaf = load<u32>(results + i) + 1;
      if ((leaf & Walk.childFlag(shift)) == 0) continue;
      store<u32>(results + i, Walk.below(image, load<u32>(keys + i), leaf, bits + STRIDE, shift) - 1);
    }
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
