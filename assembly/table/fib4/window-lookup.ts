import { Image } from "../../image";
import { Fib } from "../routes/fib";
import { PANE4_LEAVES, PANES4_LOG2, WINDOW4_LEAVES } from "./layout";
import { flaggedResults, GROUP, leafOf, resultsBelow, TURN, walkTurns } from "./walk";

const NONE: i32 = -1;
/** The leaf of the window that names pane 0, read with its sign: the root must be asked. */
const ASK: i32 = -0x8000;
/** Turns a pane's number into octets: log2 of PANE4_LEN. */
const PANE_SHIFT: i32 = 9;
/** Where more than one in so many results of a group are flagged, it costs less to read all once more than to pick them. */
const PICKED: u32 = 3;

/** Look-ups through a window onto one /8, and through its panes. */
@unmanaged
@final
class Window {
  /** Where the leaves of four keys stand. */
  @inline
  static places(keys: usize, first: v128, leaves: v128): v128 {
    const numbers = i32x4.sub(i32x4.shr_u(v128.load(keys), 8), first);
    return i32x4.add(i32x4.shl(i32x4.min_u(numbers, i32x4.splat(WINDOW4_LEAVES - 1)), 1), leaves);
  }

  /** Where four results stand, as leaves of 16 bits; but for those that are flagged, `places`. */
  @inline
  static orOwn(places: v128, results: usize): v128 {
    const own = i32x4.add(i32x4.splat(<i32>results), i32x4(0, 4, 8, 12));
    return v128.bitselect(places, own, i32x4.lt_s(v128.load(results), i32x4.splat(NONE)));
  }

  /** Where the leaves of four keys stand in the panes that results name. */
  @inline
  static panePlaces(keys: usize, results: usize, leaves: v128, mask: v128): v128 {
    const panes = i32x4.shl(v128.and(v128.load(results), mask), PANE_SHIFT);
    const last = i32x4.shl(v128.and(v128.load(keys), i32x4.splat(PANE4_LEAVES - 1)), 1);
    return i32x4.add(i32x4.add(panes, last), leaves);
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

  /** Results that name panes become what stands there. No branch: the others are read again. */
  static below(image: Image, panes: u32, keys: usize, count: u32, results: usize): void {
    const leaves = i32x4.splat(<i32>image.to(panes & ~PANES4_LOG2));
    const mask = i32x4.splat((1 << (panes & PANES4_LOG2)) - 1);
    const end = count << 2;
    for (let i: u32 = 0; i < end; i += 32) {
      const places0 = Window.panePlaces(keys + i, results + i, leaves, mask);
      const places1 = Window.panePlaces(keys + i + 16, results + i + 16, leaves, mask);
      const own0 = Window.orOwn(places0, results + i);
      const own1 = Window.orOwn(places1, results + i + 16);
      Window.leaves(own0, results + i);
      Window.leaves(own1, results + i + 16);
    }
  }

  /** As `below`, for few results; the root is asked for those that name no pane. */
  static pick(image: Image, panes: u32, keys: usize, results: usize, flags: u64, records: usize): void {
    const leaves = image.to(panes & ~PANES4_LOG2);
    const mask = (1 << (panes & PANES4_LOG2)) - 1;
    for (let rest = flags; rest != 0; rest &= rest - 1) {
      const at = (<usize>ctz<u64>(rest)) << 2;
      const key = load<u32>(keys + at);
      const cell = load<i32>(results + at);
      const place = leaves + ((cell & mask) << PANE_SHIFT) + ((key & (PANE4_LEAVES - 1)) << 1);
      const leaf = cell == ASK ? leafOf(image, key, 18, records, false) - 1 : <i32>load<i16>(place);
      store<i32>(results + at, leaf);
    }
  }

  /** The root is asked for flagged results. */
  static ask(image: Image, keys: usize, results: usize, flags: u64, records: usize): void {
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
      if (flags != 0) Window.deeper(image, keys + at, group, results + at, flags, records);
    }
  }

  /**
   * Answers the flagged results of a group, through panes if there are any, else by the root: for all keys if it must be
   * asked for many, since that is cheaper than to pick them.
   */
  static deeper(image: Image, keys: usize, count: u32, results: usize, flags: u64, records: usize): void {
    const panes = Fib.of4(image).panes;
    const flagged = <u32>popcnt<u64>(flags);
    if (panes != 0 && flagged * PICKED <= count) {
      Window.pick(image, panes, keys, results, flags, records);
      return;
    }
    const asking = panes == 0 ? flagged : <u32>popcnt<u64>(resultsBelow(results, count, ASK + 1));
    if (asking * 4 > count + (flagged - asking) * 8) {
      walkTurns(image, keys, count, results, records);
      return;
    }
    if (flagged != asking) Window.below(image, panes, keys, count, results);
    const left = flagged == asking ? flags : asking == 0 ? 0 : resultsBelow(results, count, NONE);
    Window.ask(image, keys, results, left, records);
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
