import { IMAGE_TAIL } from "../../abi/image";
import { Image } from "../../image";
import { Fib, ROOT_BITS, ROOT_OFFSET } from "../routes/fib";
import { SLOTS, STRIDE, slotOf } from "../routes/layout";
import { routeLongest } from "../routes/lookup";
import {
  LIST6_LEAVES,
  LIST6_RUNS,
  LIST6_TO,
  LIST6_TURN,
  WORD6_BLOCK,
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
 * Look-ups never leave the image, whatever a writer in another thread does meanwhile: every offset that was read from
 * a table is cut to the image (`last`) before it is followed.
 */
@unmanaged
@final
class Step {
  @inline
  static cut(word: u32, last: u32): usize {
    const offset = word & WORD6_OFFSET;
    return <usize>select<u32>(offset, last, offset < last);
  }

  /** The word of a slot (from bit 16 on; those below may be anything) in a block. */
  @inline
  static follow(image: Image, word: u32, slot: u32, last: u32): u32 {
    return load<u32>(image.to(<u32>Step.cut(word, last)) + ((slot >> word) << 2));
  }

  /** The leaf of a list, as a word. */
  @inline
  static search(image: Image, word: u32, high: u64, last: u32): u32 {
    const list = image.to(<u32>Step.cut(word, last));
    const place = i32x4.splat(<i32>(<u32>(high >> (64 - LIST6_TO)) ^ LIST6_TURN));
    const low = i32x4.bitmask(i32x4.gt_s(place, v128.load(list)));
    const up = i32x4.bitmask(i32x4.gt_s(place, v128.load(list, 16)));
    const run = <u32>(popcnt<i32>(low | (up << 4))) & (LIST6_RUNS - 1);
    return load<u32>(list + (run << 2), LIST6_LEAVES);
  }

  /** One level of the keys (bits of `active`) whose results are words of blocks; which of them still are. */
  @inline
  static level(
    image: Image,
    keys: usize,
    results: usize,
    active: u64,
    half: usize,
    turn: u64,
    last: u32,
  ): u64 {
    let next: u64 = 0;
    for (let rest = active; rest != 0; rest &= rest - 1) {
      const i = ctz<u64>(rest);
      const result = results + ((<usize>i) << 2);
      const key = load<u64>(keys + (<usize>i) * KEY_LEN + half);
      const slot = <u32>rotr<u64>(key, turn) & SLOT_MASK;
      const word = Step.follow(image, load<u32>(result), slot, last);
      store<u32>(result, word);
      next |= (<u64>((word >> 4) & 1)) << i;
    }
    return next;
  }

  /** The level whose six bits lie in both halves. */
  static middle(image: Image, keys: usize, results: usize, active: u64, last: u32): u64 {
    let next: u64 = 0;
    for (let rest = active; rest != 0; rest &= rest - 1) {
      const i = ctz<u64>(rest);
      const result = results + ((<usize>i) << 2);
      const key = keys + (<usize>i) * KEY_LEN;
      const slot = slotOf(load<u64>(key), load<u64>(key, 8), 60) << SLOT_AT;
      const word = Step.follow(image, load<u32>(result), slot, last);
      store<u32>(result, word);
      next |= (<u64>((word >> 4) & 1)) << i;
    }
    return next;
  }

  /** Bit i for every one of `count` results with this bit set in its word. */
  @inline
  static having(results: usize, count: u32, bit: i32): u64 {
    let mask: u64 = 0;
    for (let i: u32 = 0; i < count; i++) mask |= (<u64>((load<u32>(results + (i << 2)) >> bit) & 1)) << i;
    return mask;
  }

  /** Level by level over all keys, so that the loads of a level are under way at a time and no branch is a guess. */
  static burst(image: Image, keys: usize, count: u32, results: usize, root: u32, last: u32): void {
    const bits = root & ROOT_BITS;
    const words = image.to(root & ROOT_OFFSET);
    for (let i: u32 = 0; i < count; i++) {
      const index = load<u32>(keys + i * KEY_LEN, 4) >> (32 - bits);
      store<u32>(results + (i << 2), load<u32>(words + (index << 2)));
    }
    let active = Step.having(results, count, 4);
    let depth = bits;
    for (; depth < 60 && active != 0; depth += STRIDE)
      active = Step.level(image, keys, results, active, 0, 42 - depth, last);
    if (active != 0) active = Step.middle(image, keys, results, active, last);
    // The last level has two bits left; what rotates in behind them meets slots that are alike.
    for (depth = 66; depth < 128 && active != 0; depth += STRIDE)
      active = Step.level(image, keys, results, active, 8, 106 - depth, last);
    for (let rest = Step.having(results, count, 3); rest != 0; rest &= rest - 1) {
      const i = ctz<u64>(rest);
      const result = results + ((<usize>i) << 2);
      const high = load<u64>(keys + (<usize>i) * KEY_LEN);
      store<u32>(result, Step.search(image, load<u32>(result), high, last));
    }
    for (let i: u32 = 0; i < count; i++) {
      const result = results + (i << 2);
      store<u32>(result, (load<u32>(result) >> WORD6_LEAF) - 1);
    }
  }
}

/** Looks up `count` (1 … 64) keys; next hops, or 0xffffffff, go to `results` (u32 each). */
export function fib6LookupBurst(image: Image, keys: usize, count: u32, results: usize): void {
  Step.burst(image, keys, count, results, Fib.of6(image).root, image.capacity - IMAGE_TAIL);
}

/** The leaf (next hop + 1) of the longest prefix that holds an address; 0 where there is none. */
export function fib6Lookup(image: Image, high: u64, low: u64): u32 {
  const root = Fib.of6(image).root;
  const last = image.capacity - IMAGE_TAIL;
  let depth = root & ROOT_BITS;
  let word = load<u32>(image.to(root & ROOT_OFFSET) + ((<u32>(high >> (64 - depth))) << 2));
  for (; (word & WORD6_BLOCK) != 0 && depth < 128; depth += STRIDE)
    word = Step.follow(image, word, slotOf(high, low, depth) << SLOT_AT, last);
  if ((word & WORD6_LIST) != 0) word = Step.search(image, word, high, last);
  return word >> WORD6_LEAF;
}

/** The length of the longest prefix that holds an address, from the store; -1 for none. */
export function fib6LongestLength(image: Image, high: u64, low: u64): i32 {
  return routeLongest(image, Fib.of6(image).storeAt, high, low);
}
