import { IMAGE_TAIL } from "../../abi/image";
import { Image } from "../../image";
import { Fib, ROOT_BITS, ROOT_OFFSET, ROOT_WIDE } from "../routes/fib";
import { routeLongest } from "../routes/lookup";
import {
  LEAF4_CHILD,
  LEAF4_WIDE_CHILD,
  RECORD4_BOUNDARIES,
  RECORD4_LEAVES_AT,
  RECORD4_SHIFT,
} from "./layout";

/**
 * Look-ups never leave the image, whatever a writer in another thread does meanwhile: every offset that was read from
 * a table is cut to the image (`last`) before it is followed.
 */
@unmanaged
@final
class Walk {
  /** The address of the leaf of a record's slot (the low six bits of `slot` count). */
  @inline
  static leafAddress(image: Image, record: usize, slot: u32, last: u32, shift: u32): usize {
    const rank = <u32>popcnt<u64>(load<u64>(record, RECORD4_BOUNDARIES) >> <u64>slot);
    const at = load<u32>(record, RECORD4_LEAVES_AT);
    return image.to(select<u32>(at, last, at < last)) + (rank << shift);
  }

  /** The leaf at an address, wide or not. */
  @inline
  static leaf(address: usize, shift: u32): u32 {
    return shift == 1 ? <u32>load<u16>(address) : load<u32>(address);
  }

  @inline
  static childFlag(shift: u32): u32 {
    return shift == 1 ? LEAF4_CHILD : LEAF4_WIDE_CHILD;
  }

  /** Goes on from a leaf that names a pool's record for the bits from `depth` on. */
  static below(image: Image, address: u32, from: u32, first: u32, last: u32, shift: u32): u32 {
    let leaf = from;
    // An address has no bits after the 32nd; what rotates in there meets slots that are alike.
    for (let depth = first; depth < 32 && (leaf & Walk.childFlag(shift)) != 0; depth += 6) {
      const offset = Fib.of4(image).poolAt + ((leaf & ~Walk.childFlag(shift)) << RECORD4_SHIFT);
      const record = image.to(select<u32>(offset, last, offset < last));
      leaf = Walk.leaf(Walk.leafAddress(image, record, rotl<u32>(address, depth + 6), last, shift), shift);
    }
    return leaf;
  }

  @inline
  static one(image: Image, address: u32, shift: u32, root: u32, last: u32): u32 {
    const bits = root & ROOT_BITS;
    const record = image.to(root & ROOT_OFFSET) + ((address >> (32 - bits)) << RECORD4_SHIFT);
    const leaf = Walk.leaf(Walk.leafAddress(image, record, address >> (26 - bits), last, shift), shift);
    if ((leaf & Walk.childFlag(shift)) == 0) return leaf;
    return Walk.below(image, address, leaf, bits + 6, last, shift);
  }

  /** Two passes, so that the loads of many look-ups are under way at a time; results hold the addresses between them. */
  @inline
  static burst(
    image: Image,
    keys: usize,
    count: u32,
    results: usize,
    shift: u32,
    root: u32,
    last: u32,
  ): void {
    const bits = root & ROOT_BITS;
    const down = 32 - bits;
    const slotDown = 26 - bits;
    const records = image.to(root & ROOT_OFFSET);
    const end = count << 2;
    for (let i: u32 = 0; i < end; i += 4) {
      const address = load<u32>(keys + i);
      const record = records + ((address >> down) << RECORD4_SHIFT);
      store<u32>(results + i, <u32>Walk.leafAddress(image, record, address >> slotDown, last, shift));
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
      store<u32>(results + i, Walk.below(image, load<u32>(keys + i), leaf, bits + 6, last, shift) - 1);
    }
  }
}

/** The leaf (next hop + 1) of the longest prefix that holds the address; 0 where there is none. */
export function fib4Lookup(image: Image, address: u32): u32 {
  const root = Fib.of4(image).root;
  const last = image.capacity - IMAGE_TAIL;
  if ((root & ROOT_WIDE) != 0) return Walk.one(image, address, 2, root, last);
  return Walk.one(image, address, 1, root, last);
}

/** Looks up `count` (at most 64) addresses, u32 each; next hops, or 0xffffffff, go to `results`. */
export function fib4LookupBurst(image: Image, keys: usize, count: u32, results: usize): void {
  const root = Fib.of4(image).root;
  const last = image.capacity - IMAGE_TAIL;
  if ((root & ROOT_WIDE) != 0) Walk.burst(image, keys, count, results, 2, root, last);
  else Walk.burst(image, keys, count, results, 1, root, last);
}

/** The length of the longest prefix that holds an address, from the store; -1 for none. */
export function fib4LongestLength(image: Image, address: u32): i32 {
  return routeLongest(image, Fib.of4(image).storeAt, (<u64>address) << 32, 0);
}
