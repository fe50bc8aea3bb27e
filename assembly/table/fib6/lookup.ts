import { IMAGE_TAIL } from "../../abi/image";
import { Image } from "../../image";
import { Fib, ROOT_BITS, ROOT_OFFSET, ROOT_WIDE } from "../routes/fib";
import { STRIDE, slotOf } from "../routes/layout";
import { routeLongest } from "../routes/lookup";
import {
  RECORD6_BOUNDARIES,
  RECORD6_CHILDREN,
  RECORD6_CHILDREN_AT,
  RECORD6_LEAVES_AT,
  RECORD6_SHIFT,
} from "./layout";

/** A key: the address's halves, two u64 in the host's order, high before low. */
export const KEY6_SHIFT: u32 = 4;

/**
 * Look-ups never leave the image, whatever a writer in another thread does meanwhile: every offset that was read from
 * a table is cut to the image (`last`) before it is followed.
 */
@unmanaged
@final
class Step {
  /** The address of the record (where `below` is 1) or the leaf that a record's slot leads to. */
  @inline
  static from(image: Image, record: usize, slot: u64, below: u64, last: u32, shift: u32): usize {
    const children = load<u64>(record, RECORD6_CHILDREN);
    const leaf = (<u32>popcnt<u64>(load<u64>(record, RECORD6_BOUNDARIES) >> slot)) << shift;
    const child = (<u32>(popcnt<u64>(children << (63 - (slot & 63))) - 1)) << RECORD6_SHIFT;
    const childrenAt = load<u32>(record, RECORD6_CHILDREN_AT);
    const leavesAt = load<u32>(record, RECORD6_LEAVES_AT);
    const at = select<u32>(childrenAt, leavesAt, below != 0);
    return image.to(select<u32>(at, last, at < last)) + select<u32>(child, leaf, below != 0);
  }

  /** One level of the keys still on their way (bits of `active`); results hold records' addresses, then leaves'. */
  @inline
  static level(
    image: Image,
    keys: usize,
    results: usize,
    active: u64,
    half: usize,
    turn: u64,
    last: u32,
    shift: u32,
  ): u64 {
    let rest = active;
    let next: u64 = 0;
    while (rest != 0) {
      const i = ctz<u64>(rest);
      rest &= rest - 1;
      const result = results + ((<usize>i) << 2);
      const slot = rotr<u64>(load<u64>(keys + ((<usize>i) << KEY6_SHIFT) + half), turn);
      const record = <usize>load<u32>(result);
      const below = (load<u64>(record, RECORD6_CHILDREN) >> slot) & 1;
      store<u32>(result, <u32>Step.from(image, record, slot, below, last, shift));
      next |= below << i;
    }
    return next;
  }

  /** The level whose six bits lie in both halves. */
  static middle(image: Image, keys: usize, results: usize, active: u64, last: u32, shift: u32): u64 {
    let rest = active;
    let next: u64 = 0;
    while (rest != 0) {
      const i = ctz<u64>(rest);
      rest &= rest - 1;
      const result = results + ((<usize>i) << 2);
      const key = keys + ((<usize>i) << KEY6_SHIFT);
      const slot = <u64>slotOf(load<u64>(key), load<u64>(key, 8), 60);
      const record = <usize>load<u32>(result);
      const below = (load<u64>(record, RECORD6_CHILDREN) >> slot) & 1;
      store<u32>(result, <u32>Step.from(image, record, slot, below, last, shift));
      next |= below << i;
    }
    return next;
  }

  /** Level by level over all keys, so that the loads of a level are under way at a time and no branch is a guess. */
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
    const records = image.to(root & ROOT_OFFSET);
    for (let i: u32 = 0; i < count; i++) {
      const index = <u32>(load<u64>(keys + (i << KEY6_SHIFT)) >> (64 - bits));
      store<u32>(results + (i << 2), <u32>records + (index << RECORD6_SHIFT));
    }
    let active = ~(<u64>0) >> (64 - count);
    let depth = bits;
    for (; depth < 60 && active != 0; depth += STRIDE) {
      active = Step.level(image, keys, results, active, 0, 58 - depth, last, shift);
    }
    if (active != 0) active = Step.middle(image, keys, results, active, last, shift);
    // The last level has two bits left; what rotates in behind them meets slots that are alike.
    for (depth = 66; depth < 128 && active != 0; depth += STRIDE) {
      active = Step.level(image, keys, results, active, 8, 122 - depth, last, shift);
    }
    for (let i: u32 = 0; i < count; i++) {
      const at = <usize>load<u32>(results + (i << 2));
      store<u32>(results + (i << 2), (shift == 1 ? <u32>load<u16>(at) : load<u32>(at)) - 1);
    }
  }
}

/** Looks up `count` (1 … 64) keys; next hops, or 0xffffffff, go to `results` (u32 each). */
export function fib6LookupBurst(image: Image, keys: usize, count: u32, results: usize): void {
  const root = Fib.of6(image).root;
  const last = image.capacity - IMAGE_TAIL;
  if ((root & ROOT_WIDE) != 0) Step.burst(image, keys, count, results, 2, root, last);
  else Step.burst(image, keys, count, results, 1, root, last);
}

/** The leaf (next hop + 1) of the longest prefix that holds an address; 0 where there is none. */
export function fib6Lookup(image: Image, high: u64, low: u64): u32 {
  const root = Fib.of6(image).root;
  const last = image.capacity - IMAGE_TAIL;
  const shift: u32 = (root & ROOT_WIDE) != 0 ? 2 : 1;
  let depth = root & ROOT_BITS;
  let at = image.to(root & ROOT_OFFSET) + ((<u32>(high >> (64 - depth))) << RECORD6_SHIFT);
  let below: u64 = 1;
  while (below != 0 && depth < 128) {
    const slot = <u64>slotOf(high, low, depth);
    below = (load<u64>(at, RECORD6_CHILDREN) >> slot) & 1;
    at = Step.from(image, at, slot, below, last, shift);
    depth += STRIDE;
  }
  return shift == 1 ? <u32>load<u16>(at) : load<u32>(at);
}

/** The length of the longest prefix that holds an address, from the store; -1 for none. */
export function fib6LongestLength(image: Image, high: u64, low: u64): i32 {
  return routeLongest(image, Fib.of6(image).storeAt, high, low);
}
