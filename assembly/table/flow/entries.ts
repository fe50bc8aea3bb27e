import { State } from "../../state";
import { bucketOf, metaMatches, overflowOf } from "./bucket";
import {
  FLOW_BUCKET_LEN,
  FLOW_DST,
  FLOW_META,
  FLOW_META_MASK,
  FLOW_OVERFLOW_MAX,
  FLOW_PORTS,
  FLOW_REF_SHIFT,
  FLOW_SRC,
} from "./layout";

/** Entries of the buckets, by a tuple's halves; `ref` is record << 1 | direction. */

function setOverflow(bucket: usize, count: u32): void {
  for (let i: u32 = 0; i < 4; i++) {
    const meta = bucket + (i << 2);
    store<u32>(meta, (load<u32>(meta, FLOW_META) & FLOW_META_MASK) | (((count >> i) & 1) << 31), FLOW_META);
  }
}

function setMeta(place: usize, meta: u32): void {
  store<u32>(place, (load<u32>(place, FLOW_META) & ~FLOW_META_MASK) | meta, FLOW_META);
}

function metaOf(rest: u64, ref: u32): u32 {
  return <u32>(rest >> 32) | (ref << FLOW_REF_SHIFT);
}

/** Puts an entry into a free place of a bucket; false where there is none. */
export function enterIn(bucket: usize, addresses: u64, rest: u64, ref: u32): bool {
  const free = metaMatches(bucket, 0);
  if (free == 0) return false;
  const place = bucket + (ctz<i32>(free) << 2);
  store<u32>(place, <u32>addresses, FLOW_SRC);
  store<u32>(place, <u32>(addresses >> 32), FLOW_DST);
  store<u32>(place, <u32>rest, FLOW_PORTS);
  setMeta(place, metaOf(rest, ref));
  return true;
}

/** Puts an entry that is not there into the first free place on its way. */
export function enter(state: State, addresses: u64, rest: u64, ref: u32): void {
  let index = bucketOf(state, addresses, rest);
  while (true) {
    const bucket = state.to(state.bucketsAt) + index * FLOW_BUCKET_LEN;
    if (enterIn(bucket, addresses, rest, ref)) return;
    const overflow = overflowOf(bucket);
    if (overflow < FLOW_OVERFLOW_MAX) setOverflow(bucket, overflow + 1);
    index = (index + 1) & state.bucketsMask;
  }
}

/** Takes one off the overflow counts from one bucket up to another. A saturated count stays. */
function uncount(state: State, from: u32, to: u32): void {
  for (let index = from; index != to; index = (index + 1) & state.bucketsMask) {
    const bucket = state.to(state.bucketsAt) + index * FLOW_BUCKET_LEN;
    const overflow = overflowOf(bucket);
    if (overflow < FLOW_OVERFLOW_MAX) setOverflow(bucket, overflow - 1);
  }
}

/** Takes an entry out of the bucket that it belongs to; false where that has it not. */
export function leaveFrom(bucket: usize, rest: u64, ref: u32): bool {
  const matches = metaMatches(bucket, metaOf(rest, ref));
  if (matches == 0) return false;
  setMeta(bucket + (ctz<i32>(matches) << 2), 0);
  return true;
}

/** Takes an entry out, if it is there. Its meta word is like no other's. */
export function leave(state: State, addresses: u64, rest: u64, ref: u32): void {
  const meta = metaOf(rest, ref);
  const first = bucketOf(state, addresses, rest);
  let index = first;
  do {
    const bucket = state.to(state.bucketsAt) + index * FLOW_BUCKET_LEN;
    const matches = metaMatches(bucket, meta);
    if (matches != 0) {
      setMeta(bucket + (ctz<i32>(matches) << 2), 0);
      uncount(state, first, index);
      return;
    }
    if (overflowOf(bucket) == 0) return;
    index = (index + 1) & state.bucketsMask;
  } while (index != first);
}
