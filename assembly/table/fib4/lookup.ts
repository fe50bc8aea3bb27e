import { Image } from "../../image";
import { Fib, ROOT_BITS, ROOT_OFFSET, ROOT_WIDE } from "../routes/fib";
import { routeLongest } from "../routes/lookup";
import { leafOf, TURN, walkAny, walkTurns } from "./walk";
import { windowLookup } from "./window-lookup";

/** The leaf (next hop + 1) of the longest prefix that holds the address; 0 where there is none. */
export function fib4Lookup(image: Image, address: u32): u32 {
  const root = Fib.of4(image).root;
  const bits = root & ROOT_BITS;
  const records = image.to(root & ROOT_OFFSET);
  return leafOf(image, address, bits, records, (root & ROOT_WIDE) != 0);
}

/** Looks up `count` addresses, u32 each; next hops, or 0xffffffff, go to `results`. */
export function fib4LookupBurst(image: Image, keys: usize, count: u32, results: usize): void {
  const root = Fib.of4(image).root;
  const bits = root & ROOT_BITS;
  const records = image.to(root & ROOT_OFFSET);
  const wide = (root & ROOT_WIDE) != 0;
  // What no whole turn holds is looked up as by a root of few bits.
  const turns = bits == 18 && !wide ? count & ~(TURN - 1) : 0;
  const windowAt = Fib.of4(image).windowAt;
  if (windowAt != 0) windowLookup(image, windowAt, keys, turns, results, records);
  else if (turns != 0) walkTurns(image, keys, turns, results, records);
  if (turns == count) return;
  walkAny(image, keys + (turns << 2), count - turns, results + (turns << 2), bits, records, wide);
}

/** The length of the longest prefix that holds an address, from the store; -1 for none. */
export function fib4LongestLength(image: Image, address: u32): i32 {
  return routeLongest(image, Fib.of4(image).storeAt, (<u64>address) << 32, 0);
}
