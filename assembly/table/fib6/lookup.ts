import { Image } from "../../image";
import { Fib, ROOT_BITS, ROOT_OFFSET } from "../routes/fib";
import { SLOTS, STRIDE, slotOf } from "../routes/layout";
import { routeLongest } from "../routes/lookup";
import {
  LIST6_RUNS_MIN,
  LIST6_TO,
  LIST6_TURN,
  WORD6_BLOCK,
  WORD6_KIND,
  WORD6_LEAF,
  WORD6_LIST,
  WORD6_OFFSET,
} from "./layout";

/** A key: the address's halves, two u64 in the host's order, high before low. */
const KEY_LEN: u32 = 16;
/** Where a key's slot is put, so that the low five bits of a block's word are the shift that finds its word. */
const SLOT_AT: u32 = 16;
const SLOT_MASK: u32 = (SLOTS << SLOT_AT) - 1;

/**
 * Look-ups never leave the image, whatever a writer in another thread does meanwhile: blocks never become anything but
 * blocks, and roots stay roots, so that what is read there is always a word.
 */
@unmanaged
@final
class Step {
  /** The word of a slot (from bit 16 on; those below may be anything) in a block. */
  @inline
  static follow(image: Image, word: u32, slot: u32): u32 {
    return load<u32>(image.to(word & WORD6_OFFSET) + ((slot >> word) << 2));
  }

  /** Bit i for each of four places before an address's. */
  @inline
  static passed(place: v128, places: usize): u32 {
    return <u32>i32x4.bitmask(i32x4.gt_s(place, v128.load(places)));
  }

  /** The leaf of a list of 4 << `size` runs, as a word. */
  @inline
  static search(image: Image, word: u32, high: u64, size: u32): u32 {
    const list = image.to(word & WORD6_OFFSET);
    const place = i32x4.splat(<i32>(<u32>(high >> (64 - LIST6_TO)) ^ LIST6_TURN));
    let passed = Step.passed(place, list);
    if (size > 0) passed |= Step.passed(place, list + 16) << 4;
    if (size > 1) passed |= (Step.passed(place, list + 32) << 8) | (Step.passed(place, list + 48) << 12);
    const run = <u32>popcnt<u32>(passed & ((1 << ((LIST6_RUNS_MIN << size) - 1)) - 1));
    return load<u32>(list + (LIST6_RUNS_MIN << (2 + size)) + (run << 2));
  }

  /** One level of the keys (bits of `active`) whose results are words of blocks; which of them still are. */
  @inline
  static level(image: Image, keys: usize, results: usize, active: u64, half: usize, turn: u64): u64 {
    let next: u64 = 0;
    for (let rest = active; rest != 0; rest &= rest - 1) {
      const i = ctz<u64>(rest);
      const result = results + ((<usize>i) << 2);
      const key = load<u64>(keys + <usize>i * KEY_LEN + half);
      const slot = <u32>rotr<u64>(key, turn) & SLOT_MASK;
      const word = Step.follow(image, load<u32>(result), slot);
      store<u32>(result, word);
      next |= (<u64>((word >> 4) & 1)) << i;
    }
    return next;
  }

  /** The level whose six bits lie in both halves. */
  static middle(image: Image, keys: usize, results: usize, active: u64): u64 {
    let next: u64 = 0;
    for (let rest = active; rest != 0; rest &= rest - 1) {
      const i = ctz<u64>(rest);
      const result = results + ((<usize>i) << 2);
      const key = keys + <usize>i * KEY_LEN;
      const slot = slotOf(load<u64>(key), load<u64>(key, 8), 60) << SLOT_AT;
      const word = Step.follow(image, load<u32>(result), slot);
      store<u32>(result, word);
      next |= (<u64>((word >> 4) & 1)) << i;
    }
    return next;
  }

  /** Bit i for every one of `count` results whose word is of this kind: some of its low bits as they are to be. */
  @inline
  static having(results: usize, count: u32, bits: u32, kind: u32): u64 {
    const mask = i32x4.splat(<i32>bits);
    const wanted = i32x4.splat(<i32>kind);
    let having: u64 = 0;
    const whole = count & ~3;
    for (let i: u32 = 0; i < whole; i += 4) {
      const four = v128.and(v128.load(results + (i << 2)), mask);
      having |= (<u64>(<u32>i32x4.bitmask(i32x4.eq(four, wanted)))) << i;
    }
    for (let i = whole; i < count; i++)
      having |= (<u64>u32((load<u32>(results + (i << 2)) & bits) == kind)) << i;
    return having;
  }

  /** The word that a slot of a word leads to if it is a block's, or the word itself. `safe` is a block of the image. */
  @inline
  static pass(image: Image, word: u32, safe: u32, slot: u32): u32 {
    const isBlock = (word & WORD6_BLOCK) != 0;
    const next = Step.follow(image, select<u32>(word, safe, isBlock), slot & SLOT_MASK);
    return select<u32>(next, word, isBlock);
  }

  /** The root's words of some keys; which of them are blocks'. */
  static enter(words: usize, bits: u32, keys: usize, results: usize, count: u32): u64 {
    for (let i: u32 = 0; i < count; i++) {
      const index = load<u32>(keys + i * KEY_LEN, 4) >> (32 - bits);
      store<u32>(results + (i << 2), load<u32>(words + (index << 2)));
    }
    return Step.having(results, count, WORD6_BLOCK, WORD6_BLOCK);
  }

  /** The two levels below a root of 18 bits, of all keys, whether their results are words of blocks; which then are. */
  static pass2(image: Image, safe: u32, keys: usize, results: usize, count: u32): u64 {
    for (let i: u32 = 0; i < count; i++) {
      const key = load<u64>(keys + i * KEY_LEN);
      const below = Step.pass(image, load<u32>(results + (i << 2)), safe, <u32>(key >> 24));
      store<u32>(results + (i << 2), Step.pass(image, below, safe, <u32>(key >> 18)));
    }
    return Step.having(results, count, WORD6_BLOCK, WORD6_BLOCK);
  }

  /** One level, from a depth on; where most keys of a large table come, how far to turn a key is known. */
  static descend(image: Image, keys: usize, results: usize, active: u64, depth: u32): u64 {
    if (active == 0) return 0;
    if (depth == 30) return Step.level(image, keys, results, active, 0, 12);
    if (depth == 36) return Step.level(image, keys, results, active, 0, 6);
    if (depth == 42) return Step.level(image, keys, results, active, 0, 0);
    if (depth == 60) return Step.middle(image, keys, results, active);
    // The last level has two bits left; what rotates in behind them meets slots that are alike.
    const half: u32 = depth < 60 ? 0 : 8;
    return Step.level(image, keys, results, active, half, (depth < 60 ? 42 : 106) - depth);
  }

  /** The leaves of those results that are lists of one size. */
  @inline
  static searchAll(image: Image, keys: usize, results: usize, count: u32, size: u32): void {
    for (let rest = Step.having(results, count, WORD6_KIND, WORD6_LIST | size); rest != 0; rest &= rest - 1) {
      const i = ctz<u64>(rest);
      const result = results + ((<usize>i) << 2);
      const high = load<u64>(keys + <usize>i * KEY_LEN);
      store<u32>(result, Step.search(image, load<u32>(result), high, size));
    }
  }

  /** The leaves of all lists, and next hops in place of leaves. */
  static leave(image: Image, keys: usize, results: usize, count: u32): void {
    Step.searchAll(image, keys, results, count, 0);
    Step.searchAll(image, keys, results, count, 1);
    Step.searchAll(image, keys, results, count, 2);
    const whole = count & ~3;
    for (let i: u32 = 0; i < whole; i += 4) {
      const result = results + (i << 2);
      v128.store(result, i32x4.sub(i32x4.shr_u(v128.load(result), WORD6_LEAF), i32x4.splat(1)));
    }
    for (let i = whole; i < count; i++) {
      const result = results + (i << 2);
      store<u32>(result, (load<u32>(result) >> WORD6_LEAF) - 1);
    }
  }

  /** The root and two levels below. Those take all keys if most have them: that is cheaper than to pick some. */
  static begin(image: Image, root: u32, keys: usize, results: usize, count: u32): u64 {
    const bits = root & ROOT_BITS;
    const active = Step.enter(image.to(root & ROOT_OFFSET), bits, keys, results, count);
    if (bits == 18 && <u32>popcnt<u64>(active) > count / 2)
      return Step.pass2(image, (root & ROOT_OFFSET) | WORD6_BLOCK | STRIDE, keys, results, count);
    const next = Step.descend(image, keys, results, active, bits);
    return Step.descend(image, keys, results, next, bits + STRIDE);
  }
}

/** Keys that a mask of u64 tells apart. */
const GROUP: u32 = 64;

/**
 * Looks up `count` (at most 256) keys; next hops, or 0xffffffff, go to `results` (u32 each). Level by level over all
 * keys, so that the loads of a level are under way at a time and no branch is a guess; and group by group, so that one
 * group's level need not wait for its last load.
 */
export function fib6LookupBurst(image: Image, keys: usize, count: u32, results: usize): void {
  const root = Fib.of6(image).root;
  const bits = root & ROOT_BITS;
  const count0 = min(count, GROUP);
  const count1 = min(count - count0, GROUP);
  const count2 = min(count - count0 - count1, GROUP);
  const count3 = count - count0 - count1 - count2;
  const keys1 = keys + GROUP * KEY_LEN;
  const keys2 = keys1 + GROUP * KEY_LEN;
  const keys3 = keys2 + GROUP * KEY_LEN;
  const results1 = results + GROUP * 4;
  const results2 = results1 + GROUP * 4;
  const results3 = results2 + GROUP * 4;
  let active0 = Step.begin(image, root, keys, results, count0);
  let active1 = Step.begin(image, root, keys1, results1, count1);
  let active2 = Step.begin(image, root, keys2, results2, count2);
  let active3 = Step.begin(image, root, keys3, results3, count3);
  for (
    let depth = bits + 2 * STRIDE;
    depth < 128 && (active0 | active1 | active2 | active3) != 0;
    depth += STRIDE
  ) {
    active0 = Step.descend(image, keys, results, active0, depth);
    active1 = Step.descend(image, keys1, results1, active1, depth);
    active2 = Step.descend(image, keys2, results2, active2, depth);
    active3 = Step.descend(image, keys3, results3, active3, depth);
  }
  Step.leave(image, keys, results, count0);
  Step.leave(image, keys1, results1, count1);
  Step.leave(image, keys2, results2, count2);
  Step.leave(image, keys3, results3, count3);
}

/** The leaf (next hop + 1) of the longest prefix that holds an address; 0 where there is none. */
export function fib6Lookup(image: Image, high: u64, low: u64): u32 {
  const root = Fib.of6(image).root;
  let depth = root & ROOT_BITS;
  let word = load<u32>(image.to(root & ROOT_OFFSET) + ((<u32>(high >> (64 - depth))) << 2));
  for (; (word & WORD6_BLOCK) != 0 && depth < 128; depth += STRIDE)
    word = Step.follow(image, word, slotOf(high, low, depth) << SLOT_AT);
  const kind = word & WORD6_KIND;
  if (kind == WORD6_LIST) word = Step.search(image, word, high, 0);
  else if (kind == (WORD6_LIST | 1)) word = Step.search(image, word, high, 1);
  else if (kind == (WORD6_LIST | 2)) word = Step.search(image, word, high, 2);
  return word >> WORD6_LEAF;
}

/** The length of the longest prefix that holds an address, from the store; -1 for none. */
export function fib6LongestLength(image: Image, high: u64, low: u64): i32 {
  return routeLongest(image, Fib.of6(image).storeAt, high, low);
}
