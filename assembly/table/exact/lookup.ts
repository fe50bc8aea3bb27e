import { hash64 } from "../../hash";
import { Image } from "../../image";
import {
  BUCKET_HIGH,
  BUCKET_LEN,
  BUCKET_LOW,
  BUCKET_OVERFLOW,
  BUCKET_VALUE,
  EXACT_BUCKETS_AT,
  EXACT_LOG2,
} from "./layout";

/** Bit i is set where place i of the bucket holds the key. */
function matchesIn(bucket: usize, low: u32, high: u32): i32 {
  const value = v128.load(bucket, BUCKET_VALUE);
  const equal = v128.and(
    i32x4.eq(v128.load(bucket, BUCKET_LOW), i32x4.splat(low)),
    i32x4.eq(v128.load(bucket, BUCKET_HIGH), i32x4.splat(high)),
  );
  return i32x4.bitmask(v128.and(equal, i32x4.ne(value, i32x4.splat(0))));
}

/**
 * The address of the place that holds a key in the table whose head is at an offset; 0 where there is none. Removals
 * can leave every bucket with an overflow, so a search also ends where it began.
 */
export function exactPlace(image: Image, table: u32, low: u32, high: u32): usize {
  const head = image.to(table);
  const buckets = image.to(load<u32>(head, EXACT_BUCKETS_AT));
  const mask = ((<u32>1) << load<u32>(head, EXACT_LOG2)) - 1;
  const first = hash64(low, high) & mask;
  let index = first;
  do {
    const bucket = buckets + index * BUCKET_LEN;
    const matches = matchesIn(bucket, low, high);
    if (matches != 0) return bucket + (ctz<i32>(matches) << 2);
    if (load<u32>(bucket, BUCKET_OVERFLOW) == 0) return 0;
    index = (index + 1) & mask;
  } while (index != first);
  return 0;
}

/** The value of a key; 0 where there is none. */
export function exactFind(image: Image, table: u32, low: u32, high: u32): u32 {
  const place = exactPlace(image, table, low, high);
  return place == 0 ? 0 : load<u32>(place, BUCKET_VALUE);
}
