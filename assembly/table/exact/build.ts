import { hash64 } from "../../hash";
import { Image } from "../../image";
import { giveBlock, takeBlock } from "../../memory/arena";
import {
  BUCKET_HIGH,
  BUCKET_LEN,
  BUCKET_LOW,
  BUCKET_OVERFLOW,
  BUCKET_PLACES,
  BUCKET_VALUE,
  EXACT_BUCKETS_AT,
  EXACT_COUNT,
  EXACT_HEAD_LEN,
  EXACT_KEY,
  EXACT_LOG2,
} from "./layout";
import { exactPlace } from "./lookup";

const LOG2_MIN: u32 = 2;

/** The offset of a new empty table for keys of a kind (EXACT_KEY_…); 0 without room. */
export function exactCreate(image: Image, key: u32, part: u32): u32 {
  const head = takeBlock(image, EXACT_HEAD_LEN, part);
  if (head == 0) return 0;
  const buckets = takeBlock(image, BUCKET_LEN << LOG2_MIN, part);
  if (buckets == 0) {
    giveBlock(image, head, EXACT_HEAD_LEN, part);
    return 0;
  }
  store<u32>(image.to(head), LOG2_MIN, EXACT_LOG2);
  store<u32>(image.to(head), buckets, EXACT_BUCKETS_AT);
  store<u32>(image.to(head), key, EXACT_KEY);
  return head;
}

/** Puts an entry whose key is not there into the first free place on its way. */
function place(buckets: usize, mask: u32, low: u32, high: u32, value: u32): void {
  let index = hash64(low, high) & mask;
  while (true) {
    const bucket = buckets + index * BUCKET_LEN;
    const free = i32x4.bitmask(i32x4.eq(v128.load(bucket, BUCKET_VALUE), i32x4.splat(0)));
    if (free != 0) {
      const at = bucket + (ctz<i32>(free) << 2);
      store<u32>(at, low, BUCKET_LOW);
      store<u32>(at, high, BUCKET_HIGH);
      store<u32>(at, value, BUCKET_VALUE);
      return;
    }
    store<u32>(bucket, load<u32>(bucket, BUCKET_OVERFLOW) + 1, BUCKET_OVERFLOW);
    index = (index + 1) & mask;
  }
}

/** Doubles the buckets; false, and nothing changed, without room. */
function grow(image: Image, head: usize, part: u32): bool {
  const log2 = load<u32>(head, EXACT_LOG2);
  const old = load<u32>(head, EXACT_BUCKETS_AT);
  const next = takeBlock(image, BUCKET_LEN << (log2 + 1), part);
  if (next == 0) return false;
  const mask = ((<u32>1) << (log2 + 1)) - 1;
  const places = BUCKET_PLACES << log2;
  for (let i: u32 = 0; i < places; i++) {
    const at = image.to(old) + (i / BUCKET_PLACES) * BUCKET_LEN + (i % BUCKET_PLACES) * 4;
    const value = load<u32>(at, BUCKET_VALUE);
    if (value != 0) place(image.to(next), mask, load<u32>(at, BUCKET_LOW), load<u32>(at, BUCKET_HIGH), value);
  }
  store<u32>(head, log2 + 1, EXACT_LOG2);
  store<u32>(head, next, EXACT_BUCKETS_AT);
  giveBlock(image, old, BUCKET_LEN << log2, part);
  return true;
}

/** Adds or replaces an entry; value is not 0. False, and nothing changed, without room. Load stays below 5/8. */
export function exactSet(image: Image, table: u32, low: u32, high: u32, value: u32, part: u32): bool {
  const head = image.to(table);
  const there = exactPlace(image, table, low, high);
  if (there != 0) {
    store<u32>(there, value, BUCKET_VALUE);
    return true;
  }
  const count = load<u32>(head, EXACT_COUNT);
  if ((count + 1) * 2 > (<u32>5) << load<u32>(head, EXACT_LOG2) && !grow(image, head, part)) return false;
  const mask = ((<u32>1) << load<u32>(head, EXACT_LOG2)) - 1;
  place(image.to(load<u32>(head, EXACT_BUCKETS_AT)), mask, low, high, value);
  store<u32>(head, count + 1, EXACT_COUNT);
  return true;
}

/** Removes an entry; false if there is none. One comes off every overflow count between its first bucket and its own. */
export function exactRemove(image: Image, table: u32, low: u32, high: u32): bool {
  const there = exactPlace(image, table, low, high);
  if (there == 0) return false;
  const head = image.to(table);
  const buckets = image.to(load<u32>(head, EXACT_BUCKETS_AT));
  const mask = ((<u32>1) << load<u32>(head, EXACT_LOG2)) - 1;
  const own = <u32>((there - buckets) / BUCKET_LEN);
  for (let index = hash64(low, high) & mask; index != own; index = (index + 1) & mask) {
    const overflow = buckets + index * BUCKET_LEN + BUCKET_OVERFLOW;
    store<u32>(overflow, load<u32>(overflow) - 1);
  }
  store<u32>(there, 0, BUCKET_VALUE);
  store<u32>(head, load<u32>(head, EXACT_COUNT) - 1, EXACT_COUNT);
  return true;
}
