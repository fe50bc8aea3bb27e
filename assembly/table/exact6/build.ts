import { Image } from "../../image";
import { beginGrowth, clearSome, copyFrom, copyTo, isCopied, isGrowing, noteCopied } from "../exact/growth";
import { EXACT_BUCKETS_AT, EXACT_COUNT, EXACT_LOG2, EXACT_NEXT, EXACT_NEXT_AT } from "../exact/layout";
import {
  BUCKET6_ADDRESS,
  BUCKET6_LEN,
  BUCKET6_OVERFLOW,
  BUCKET6_PLACES,
  BUCKET6_PROTO_PORT,
  BUCKET6_VALUE,
} from "./layout";
import { bucket6Of, exact6Place } from "./lookup";

/** The first free place of a bucket; BUCKET6_PLACES where there is none. */
function freePlace(bucket: usize): u32 {
  let place: u32 = 0;
  while (place < BUCKET6_PLACES && load<u32>(bucket + (place << 2), BUCKET6_VALUE) != 0) place++;
  return place;
}

/** Puts an entry whose key is not there into the first free place on its way among 2^log2 buckets; that bucket's index. */
function put(buckets: usize, log2: u32, address: v128, protoPort: u32, value: u32): u32 {
  const mask = ((<u32>1) << log2) - 1;
  let index = bucket6Of(address, protoPort, log2);
  while (true) {
    const bucket = buckets + index * BUCKET6_LEN;
    const place = freePlace(bucket);
    if (place < BUCKET6_PLACES) {
      v128.store(bucket + (place << 4), address, BUCKET6_ADDRESS);
      store<u32>(bucket + (place << 2), protoPort, BUCKET6_PROTO_PORT);
      store<u32>(bucket + (place << 2), value, BUCKET6_VALUE);
      return index;
    }
    store<u32>(bucket, load<u32>(bucket, BUCKET6_OVERFLOW) + 1, BUCKET6_OVERFLOW);
    index = (index + 1) & mask;
  }
}

/** Frees the place of a key. One comes off every overflow count between its first bucket and its own. */
function free(buckets: usize, log2: u32, place: usize, address: v128, protoPort: u32): void {
  const mask = ((<u32>1) << log2) - 1;
  const own = <u32>((place - buckets) / BUCKET6_LEN);
  for (let index = bucket6Of(address, protoPort, log2); index != own; index = (index + 1) & mask) {
    const overflow = buckets + index * BUCKET6_LEN + BUCKET6_OVERFLOW;
    store<u32>(overflow, load<u32>(overflow) - 1);
  }
  store<u32>(place, 0, BUCKET6_VALUE);
}

/** Puts a bucket's entries among others. */
function putAll(bucket: usize, buckets: usize, log2: u32): void {
  for (let place: u32 = 0; place < BUCKET6_PLACES; place++) {
    const word = bucket + (place << 2);
    const value = load<u32>(word, BUCKET6_VALUE);
    if (value == 0) continue;
    const address = v128.load(bucket + (place << 4), BUCKET6_ADDRESS);
    put(buckets, log2, address, load<u32>(word, BUCKET6_PROTO_PORT), value);
  }
}

function growOn(image: Image, head: usize, part: u32): void {
  if (clearSome(image, head)) return;
  const old = image.to(load<u32>(head, EXACT_BUCKETS_AT));
  const next = image.to(load<u32>(head, EXACT_NEXT_AT));
  const log2 = load<u32>(head, EXACT_LOG2) + 1;
  const end = copyTo(head);
  for (let i = copyFrom(head); i < end; i++) putAll(old + i * BUCKET6_LEN, next, log2);
  noteCopied(image, head, end, part);
}

/** Of a table that grows, the copy of the entry at a place; 0 where there is none. */
function copyOf(image: Image, table: u32, place: usize, address: v128, protoPort: u32): usize {
  const head = image.to(table);
  const old = image.to(load<u32>(head, EXACT_BUCKETS_AT));
  if (!isCopied(head, <u32>((place - old) / BUCKET6_LEN))) return 0;
  return exact6Place(image, table + EXACT_NEXT, address, protoPort);
}

/**
 * Adds or replaces an entry; value is not 0. False, and nothing changed, without room. Past a load of 5/8 the table
 * grows, and stays below 3/4 meanwhile.
 */
export function exact6Set(
  image: Image,
  table: u32,
  address: v128,
  protoPort: u32,
  value: u32,
  part: u32,
): bool {
  const head = image.to(table);
  const there = exact6Place(image, table, address, protoPort);
  if (there != 0) {
    store<u32>(there, value, BUCKET6_VALUE);
    const copy = copyOf(image, table, there, address, protoPort);
    if (copy != 0) store<u32>(copy, value, BUCKET6_VALUE);
    return true;
  }
  const count = load<u32>(head, EXACT_COUNT) + 1;
  const log2 = load<u32>(head, EXACT_LOG2);
  const isFull = count * 4 > (<u32>5) << log2;
  if (isFull && !isGrowing(head) && !beginGrowth(image, head, part)) return false;
  const index = put(image.to(load<u32>(head, EXACT_BUCKETS_AT)), log2, address, protoPort, value);
  if (isCopied(head, index))
    put(image.to(load<u32>(head, EXACT_NEXT_AT)), log2 + 1, address, protoPort, value);
  store<u32>(head, count, EXACT_COUNT);
  if (isGrowing(head)) growOn(image, head, part);
  return true;
}

/** Removes an entry; false if there is none. */
export function exact6Remove(image: Image, table: u32, address: v128, protoPort: u32): bool {
  const there = exact6Place(image, table, address, protoPort);
  if (there == 0) return false;
  const head = image.to(table);
  const log2 = load<u32>(head, EXACT_LOG2);
  const copy = copyOf(image, table, there, address, protoPort);
  if (copy != 0) free(image.to(load<u32>(head, EXACT_NEXT_AT)), log2 + 1, copy, address, protoPort);
  free(image.to(load<u32>(head, EXACT_BUCKETS_AT)), log2, there, address, protoPort);
  store<u32>(head, load<u32>(head, EXACT_COUNT) - 1, EXACT_COUNT);
  return true;
}
