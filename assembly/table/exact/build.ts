import { hash64 } from "../../hash";
import { Image } from "../../image";
import { giveBlock, takeBlock } from "../../memory/arena";
import { beginGrowth, clearSome, copyFrom, copyTo, isCopied, isGrowing, noteCopied } from "./growth";
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
  EXACT_NEXT,
  EXACT_NEXT_AT,
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

/** Puts an entry whose key is not there into the first free place on its way among 2^log2 buckets; that bucket's index. */
function place(buckets: usize, log2: u32, low: u32, high: u32, value: u32): u32 {
  const mask = ((<u32>1) << log2) - 1;
  let index = hash64(low, high) & mask;
  while (true) {
    const bucket = buckets + index * BUCKET_LEN;
    const free = i32x4.bitmask(i32x4.eq(v128.load(bucket, BUCKET_VALUE), i32x4.splat(0)));
    if (free != 0) {
      const at = bucket + (ctz<i32>(free) << 2);
      store<u32>(at, low, BUCKET_LOW);
      store<u32>(at, high, BUCKET_HIGH);
      store<u32>(at, value, BUCKET_VALUE);
      return index;
    }
    store<u32>(bucket, load<u32>(bucket, BUCKET_OVERFLOW) + 1, BUCKET_OVERFLOW);
    index = (index + 1) & mask;
  }
}

/** Frees the place of a key. One comes off every overflow count between its first bucket and its own. */
function free(buckets: usize, log2: u32, place: usize, low: u32, high: u32): void {
  const mask = ((<u32>1) << log2) - 1;
  const own = <u32>((place - buckets) / BUCKET_LEN);
  for (let index = hash64(low, high) & mask; index != own; index = (index + 1) & mask) {
    const overflow = buckets + index * BUCKET_LEN + BUCKET_OVERFLOW;
    store<u32>(overflow, load<u32>(overflow) - 1);
  }
  store<u32>(place, 0, BUCKET_VALUE);
}

/** Puts a bucket's entries among others. */
function placeAll(bucket: usize, buckets: usize, log2: u32): void {
  for (let i: u32 = 0; i < BUCKET_PLACES; i++) {
    const at = bucket + (i << 2);
    const value = load<u32>(at, BUCKET_VALUE);
    if (value != 0) place(buckets, log2, load<u32>(at, BUCKET_LOW), load<u32>(at, BUCKET_HIGH), value);
  }
}

function growOn(image: Image, head: usize, part: u32): void {
  if (clearSome(image, head)) return;
  const old = image.to(load<u32>(head, EXACT_BUCKETS_AT));
  const next = image.to(load<u32>(head, EXACT_NEXT_AT));
  const log2 = load<u32>(head, EXACT_LOG2) + 1;
  const end = copyTo(head);
  for (let i = copyFrom(head); i < end; i++) placeAll(old + i * BUCKET_LEN, next, log2);
  noteCopied(image, head, end, part);
}

/** Of a table that grows, the copy of the entry at a place; 0 where there is none. */
function copyOf(image: Image, table: u32, place: usize, low: u32, high: u32): usize {
  const head = image.to(table);
  const old = image.to(load<u32>(head, EXACT_BUCKETS_AT));
  if (!isCopied(head, <u32>((place - old) / BUCKET_LEN))) return 0;
  return exactPlace(image, table + EXACT_NEXT, low, high);
}

/**
 * Adds or replaces an entry; value is not 0. False, and nothing changed, without room. Past a load of 5/8 the table
 * grows, and stays below 3/4 meanwhile.
 */
export function exactSet(image: Image, table: u32, low: u32, high: u32, value: u32, part: u32): bool {
  const head = image.to(table);
  const there = exactPlace(image, table, low, high);
  if (there != 0) {
    store<u32>(there, value, BUCKET_VALUE);
    const copy = copyOf(image, table, there, low, high);
    if (copy != 0) store<u32>(copy, value, BUCKET_VALUE);
    return true;
  }
  const count = load<u32>(head, EXACT_COUNT) + 1;
  const log2 = load<u32>(head, EXACT_LOG2);
  const isFull = count * 2 > (<u32>5) << log2;
  if (isFull && !isGrowing(head) && !beginGrowth(image, head, part)) return false;
  const index = place(image.to(load<u32>(head, EXACT_BUCKETS_AT)), log2, low, high, value);
  if (isCopied(head, index)) place(image.to(load<u32>(head, EXACT_NEXT_AT)), log2 + 1, low, high, value);
  store<u32>(head, count, EXACT_COUNT);
  if (isGrowing(head)) growOn(image, head, part);
  return true;
}

/** Removes an entry; false if there is none. */
export function exactRemove(image: Image, table: u32, low: u32, high: u32): bool {
  const there = exactPlace(image, table, low, high);
  if (there == 0) return false;
  const head = image.to(table);
  const log2 = load<u32>(head, EXACT_LOG2);
  const copy = copyOf(image, table, there, low, high);
  if (copy != 0) free(image.to(load<u32>(head, EXACT_NEXT_AT)), log2 + 1, copy, low, high);
  free(image.to(load<u32>(head, EXACT_BUCKETS_AT)), log2, there, low, high);
  store<u32>(head, load<u32>(head, EXACT_COUNT) - 1, EXACT_COUNT);
  return true;
}
