import { IMAGE_TAIL } from "../../abi/image";
import { Image } from "../../image";
import { SLOTS, STRIDE } from "../routes/layout";
import { LEAF4_CHILD, WORD4_SHIFT } from "./layout";

/** Keys that one turn of the first pass takes, and octets of them. */
export const TURN: u32 = 16;
const NONE: i32 = -1;
/** Keys that a mask of u64 tells apart. */
export const GROUP: u32 = 64;

/**
 * Look-ups never leave the image, whatever a writer in another thread does meanwhile: roots stay roots, so that their
 * words always name places within it; words behind leaves may be anything by now, and are cut to the image (`last`)
 * before they are followed.
 *
 * A leaf is read with its sign: a next hop, -1 for none, or less, and then it is flagged.
 */
@unmanaged
@final
class Walk {
  /** The leaf at `index` of a block. */
  @inline
  static leaf(block: usize, index: u32, wide: bool): i32 {
    if (wide) return <i32>(load<u32>(block + index * 3) << 8) >> 8;
    return <i32>load<i16>(block + (index << 1));
  }

  /** The leaf of a slot by a word: where leaves are not wide, its low five bits are its shift. */
  @inline
  static follow(image: Image, word: u32, slot: u32, wide: bool): i32 {
    return Walk.leaf(image.to(word), slot >> (wide ? word & WORD4_SHIFT : word), wide);
  }

  /** The six bits of an address from a depth on; after the 32nd come any bits, and slots that are alike. */
  @inline
  static slot(address: u32, depth: u32): u32 {
    return rotl<u32>(address, depth + STRIDE) & (SLOTS - 1);
  }

  /** The word behind a block's leaves that a flagged leaf names. */
  @inline
  static wordBelow(image: Image, word: u32, leaf: i32, last: u32, wide: bool): u32 {
    const child = load<u32>(image.to(word) + SLOTS * (wide ? 3 : 2) + ((leaf & LEAF4_CHILD) << 2));
    return select<u32>(child, last, child < last);
  }

  /** The leaf at the root's depth. */
  @inline
  static leafOf(image: Image, address: u32, bits: u32, records: usize, wide: bool): i32 {
    const word = load<u32>(records + ((address >> (32 - bits)) << 2));
    return Walk.follow(image, word, Walk.slot(address, bits), wide);
  }

  @inline
  static one(image: Image, address: u32, bits: u32, records: usize, wide: bool): u32 {
    let word = load<u32>(records + ((address >> (32 - bits)) << 2));
    let leaf = Walk.follow(image, word, Walk.slot(address, bits), wide);
    const last = image.capacity - IMAGE_TAIL;
    for (let depth = bits + STRIDE; leaf < NONE && depth < 32; depth += STRIDE) {
      word = Walk.wordBelow(image, word, leaf, last, wide);
      leaf = Walk.follow(image, word, Walk.slot(address, depth), wide);
    }
    return leaf + 1;
  }

  /** Where the root's words for four keys stand; results get the keys' slots meanwhile. */
  @inline
  static words(keys: usize, results: usize, records: v128): v128 {
    const four = v128.load(keys);
    const slots = i32x4.shr_u(four, 8);
    v128.store(results, v128.and(slots, i32x4.splat(SLOTS - 1)));
    return i32x4.add(i32x4.shl(i32x4.shr_u(four, 14), 2), records);
  }

  /** The leaves of four slots by their words, all in a row so that their loads are under way at a time. */
  @inline
  static leaves(image: Image, words: v128, results: usize): void {
    const left = i64x2.extract_lane(words, 0);
    const right = i64x2.extract_lane(words, 1);
    const word0 = load<u32>(<usize>(<u32>left));
    const word1 = load<u32>(<usize>(left >> 32));
    const word2 = load<u32>(<usize>(<u32>right));
    const word3 = load<u32>(<usize>(right >> 32));
    store<i32>(results, Walk.follow(image, word0, load<u32>(results), false));
    store<i32>(results, Walk.follow(image, word1, load<u32>(results, 4), false), 4);
    store<i32>(results, Walk.follow(image, word2, load<u32>(results, 8), false), 8);
    store<i32>(results, Walk.follow(image, word3, load<u32>(results, 12), false), 12);
  }

  /** The first level of sixteen keys. */
  @inline
  static turn(image: Image, keys: usize, results: usize, records: v128): void {
    const words0 = Walk.words(keys, results, records);
    const words1 = Walk.words(keys + 16, results + 16, records);
    const words2 = Walk.words(keys + 32, results + 32, records);
    const words3 = Walk.words(keys + 48, results + 48, records);
    Walk.leaves(image, words0, results);
    Walk.leaves(image, words1, results + 16);
    Walk.leaves(image, words2, results + 32);
    Walk.leaves(image, words3, results + 48);
  }

  /** The least of sixteen results, place by place. */
  @inline
  static least(results: usize): v128 {
    return i32x4.min_s(
      i32x4.min_s(v128.load(results), v128.load(results, 16)),
      i32x4.min_s(v128.load(results, 32), v128.load(results, 48)),
    );
  }

  /** Whether any of `count` results, in whole turns, is flagged. */
  @inline
  static isAnyFlagged(results: usize, count: u32): bool {
    let least = i32x4.splat(0);
    const end = count << 2;
    for (let i: u32 = 0; i < end; i += TURN << 2) least = i32x4.min_s(least, Walk.least(results + i));
    return i32x4.bitmask(i32x4.lt_s(least, i32x4.splat(NONE))) != 0;
  }

  /** Bits for sixteen results that are less than `limit`, of 16 bits; a narrowed result is no less flagged. */
  @inline
  static areBelow(results: usize, limit: v128): u32 {
    const low = i16x8.narrow_i32x4_s(v128.load(results), v128.load(results, 16));
    const high = i16x8.narrow_i32x4_s(v128.load(results, 32), v128.load(results, 48));
    return i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.lt_s(low, limit), i16x8.lt_s(high, limit)));
  }

  /** Bit i for every one of `count` results that is less than `limit` (-32767 … -1). */
  @inline
  static below(results: usize, count: u32, limit: i32): u64 {
    const limits = i16x8.splat(<i16>limit);
    let bits: u64 = 0;
    const whole = count & ~(TURN - 1);
    for (let i: u32 = 0; i < whole; i += TURN) bits |= (<u64>Walk.areBelow(results + (i << 2), limits)) << i;
    for (let i = whole; i < count; i++) bits |= (<u64>u32(load<i32>(results + (i << 2)) < limit)) << i;
    return bits;
  }

  /** Level by level over all keys whose leaves are flagged: no branch is a guess. */
  static deeper(
    image: Image,
    keys: usize,
    count: u32,
    results: usize,
    bits: u32,
    records: usize,
    wide: bool,
  ): void {
    let active = Walk.below(results, count, NONE);
    const last = image.capacity - IMAGE_TAIL;
    for (let rest = active; rest != 0; rest &= rest - 1) {
      const at = (<usize>ctz<u64>(rest)) << 2;
      store<u32>(results + at, load<u32>(records + ((load<u32>(keys + at) >> (32 - bits)) << 2)));
    }
    for (let depth = bits; depth < 32 && active != 0; depth += STRIDE) {
      let next: u64 = 0;
      for (let rest = active; rest != 0; rest &= rest - 1) {
        const i = ctz<u64>(rest);
        const at = (<usize>i) << 2;
        const address = load<u32>(keys + at);
        const above = load<u32>(results + at);
        const flagged = Walk.follow(image, above, Walk.slot(address, depth), wide);
        const word = Walk.wordBelow(image, above, flagged, last, wide);
        const leaf = Walk.follow(image, word, Walk.slot(address, depth + STRIDE), wide);
        const isFlagged = leaf < NONE;
        store<u32>(results + at, isFlagged ? word : <u32>leaf);
        next |= (<u64>u32(isFlagged)) << i;
      }
      active = next;
    }
  }

  /** Looks many up by any root. */
  @inline
  static any(
    image: Image,
    keys: usize,
    count: u32,
    results: usize,
    bits: u32,
    records: usize,
    wide: bool,
  ): void {
    let isFlagged = false;
    const end = count << 2;
    for (let i: u32 = 0; i < end; i += 4) {
      const leaf = Walk.leafOf(image, load<u32>(keys + i), bits, records, wide);
      store<i32>(results + i, leaf);
      isFlagged = isFlagged || leaf < NONE;
    }
    if (isFlagged) Walk.rest(image, keys, count, results, bits, records, wide);
  }

  /** Looks many up, in whole turns, by a root of 18 bits. */
  static turns(image: Image, keys: usize, count: u32, results: usize, records: usize): void {
    const base = i32x4.splat(<i32>records);
    const end = count << 2;
    for (let i: u32 = 0; i < end; i += TURN << 2) Walk.turn(image, keys + i, results + i, base);
    if (Walk.isAnyFlagged(results, count)) Walk.rest(image, keys, count, results, 18, records, false);
  }

  /** The levels below the root's, group by group. */
  static rest(
    image: Image,
    keys: usize,
    count: u32,
    results: usize,
    bits: u32,
    records: usize,
    wide: bool,
  ): void {
    for (let i: u32 = 0; i < count; i += GROUP) {
      const at = i << 2;
      Walk.deeper(image, keys + at, min<u32>(GROUP, count - i), results + at, bits, records, wide);
    }
  }
}

/** The leaf of the store (next hop + 1) of an address, 0 for none. */
export function leafOf(image: Image, address: u32, bits: u32, records: usize, wide: bool): u32 {
  if (wide) return Walk.one(image, address, bits, records, true);
  return Walk.one(image, address, bits, records, false);
}

/** Looks many up, in whole turns, by a root of 18 bits. */
export function walkTurns(image: Image, keys: usize, count: u32, results: usize, records: usize): void {
  Walk.turns(image, keys, count, results, records);
}

/** Looks many up by any root. */
export function walkAny(
  image: Image,
  keys: usize,
  count: u32,
  results: usize,
  bits: u32,
  records: usize,
  wide: bool,
): void {
  if (wide) Walk.any(image, keys, count, results, bits, records, true);
  else Walk.any(image, keys, count, results, bits, records, false);
}

/** Bit i for every one of `count` (at most 64, in whole turns) results that is flagged. */
export function flaggedResults(results: usize, count: u32): u64 {
  return Walk.isAnyFlagged(results, count) ? Walk.below(results, count, NONE) : 0;
}

/** Bit i for every one of `count` (at most 64) results that is less than `limit` (-32767 … -1). */
export function resultsBelow(results: usize, count: u32, limit: i32): u64 {
  return Walk.below(results, count, limit);
}
