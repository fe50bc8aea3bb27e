import { Image } from "../../image";
import { Fib } from "../routes/fib";
import { WINDOW4_LEAVES } from "./layout";
import { flaggedResults, GROUP, leafOf, TURN, walkTurns } from "./walk";

/** Look-ups through a window onto one /8. */
@unmanaged
@final
class Window {
  /** Where the leaves of four keys stand. */
  @inline
  static places(keys: usize, first: v128, leaves: v128): v128 {
    const numbers = i32x4.sub(i32x4.shr_u(v128.load(keys), 8), first);
    return i32x4.add(i32x4.shl(i32x4.min_u(numbers, i32x4.splat(WINDOW4_LEAVES - 1)), 1), leaves);
  }

  @inline
  static leaves(places: v128, results: usize): void {
    const left = i64x2.extract_lane(places, 0);
    const right = i64x2.extract_lane(places, 1);
    store<i32>(results, <i32>load<i16>(<usize>(<u32>left)));
    store<i32>(results, <i32>load<i16>(<usize>(left >> 32)), 4);
    store<i32>(results, <i32>load<i16>(<usize>(<u32>right)), 8);
    store<i32>(results, <i32>load<i16>(<usize>(right >> 32)), 12);
  }

  /** The root is asked for the flagged results: for all keys if it is for many, since that is cheaper than to pick them. */
  static outside(image: Image, keys: usize, results: usize, count: u32, flags: u64, records: usize): void {
    if (<u32>popcnt<u64>(flags) * 4 > count) {
      walkTurns(image, keys, count, results, records);
      return;
    }
    for (let rest = flags; rest != 0; rest &= rest - 1) {
      const at = (<usize>ctz<u64>(rest)) << 2;
      store<u32>(results + at, leafOf(image, load<u32>(keys + at), 18, records, false) - 1);
    }
  }

  /** Keys in whole turns. */
  static burst(image: Image, windowAt: u32, keys: usize, count: u32, results: usize, records: usize): void {
    const first = i32x4.splat(<i32>(Fib.of4(image).windowFirst << 16));
    const leaves = i32x4.splat(<i32>image.to(windowAt));
    const end = count << 2;
    for (let i: u32 = 0; i < end; i += TURN << 2) {
      const places0 = Window.places(keys + i, first, leaves);
      const places1 = Window.places(keys + i + 16, first, leaves);
      const places2 = Window.places(keys + i + 32, first, leaves);
      const places3 = Window.places(keys + i + 48, first, leaves);
      Window.leaves(places0, results + i);
      Window.leaves(places1, results + i + 16);
      Window.leaves(places2, results + i + 32);
      Window.leaves(places3, results + i + 48);
    }
    for (let i: u32 = 0; i < count; i += GROUP) {
      const at = i << 2;
      const group = min<u32>(GROUP, count - i);
      const flags = flaggedResults(results + at, group);
      if (flags != 0) Window.outside(image, keys + at, results + at, group, flags, records);
    }
  }
}

/** Looks many keys up, in whole turns, through the window at `windowAt` beside a root of 18 bits. */
export function windowLookup(
  image: Image,
  windowAt: u32,
  keys: usize,
  count: u32,
  results: usize,
  records: usize,
): void {
  Window.burst(image, windowAt, keys, count, results, records);
}
