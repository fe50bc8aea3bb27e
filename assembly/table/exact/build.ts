import { Image } from "../../image";
import { blockTakes, giveBlock, spareOctets, takeBlock } from "../../memory/arena";
import {
  beginGrowth,
  clearSome,
  copyFrom,
  copyTo,
  dropGrowth,
  isCopied,
  isGrowing,
  noteCopied,
} from "./growth";
import {
  BUCKET_ADDRESS,
  BUCKET_LEN,
  BUCKET_OVERFLOW,
  BUCKET_PLACES,
  BUCKET_PROTO_PORT,
  BUCKET_SHIFT,
  BUCKET_VALUE,
  BUCKET6_PLACES,
  BUCKET6_PROTO_PORT,
  BUCKET6_SHIFT,
  BUCKET6_VALUE,
  EXACT_BUCKETS_AT,
  EXACT_COUNT,
  EXACT_HEAD_LEN,
  EXACT_IS6,
  EXACT_LOG2,
  EXACT_NEXT,
  EXACT_NEXT_AT,
} from "./layout";
import { exactPlace, Search } from "./lookup";

/** An address here is a vector: an IPv4 one in each of four lanes. */

const LOG2_MIN: u32 = 2;
/** No block of an image is larger. */
const LOG2_MAX: u32 = 24;

function shiftOf(is6: bool): u32 {
  return is6 ? BUCKET6_SHIFT : BUCKET_SHIFT;
}

/** Where the values of a bucket's places stand. */
function valuesOf(bucket: usize, is6: bool): usize {
  return bucket + (is6 ? BUCKET6_VALUE : BUCKET_VALUE);
}

function placesOf(is6: bool): u32 {
  return is6 ? BUCKET6_PLACES : BUCKET_PLACES;
}

function addressIn(bucket: usize, place: u32, is6: bool): v128 {
  const at = bucket + BUCKET_ADDRESS + (place << shiftOf(is6));
  return is6 ? v128.load(at) : i32x4.splat(load<u32>(at));
}

function protoPortAt(bucket: usize, place: u32, is6: bool): usize {
  return bucket + (is6 ? BUCKET6_PROTO_PORT : BUCKET_PROTO_PORT) + (place << 2);
}

function homeOf(address: v128, protoPort: u32, log2: u32, is6: bool): u32 {
  if (is6) return Search.home(0, address, protoPort, log2, true);
  return Search.home(v128.extract_lane<u32>(address, 0), address, protoPort, log2, false);
}

/** The offset of a new empty table for so many entries; 0, and nothing changed, without room. */
export function exactCreate(image: Image, is6: bool, entries: u32, part: u32): u32 {
  const log2 = log2For(entries, is6, LOG2_MIN);
  const octets = BUCKET_LEN << log2;
  if (log2 > LOG2_MAX) return 0;
  if (blockTakes(image, EXACT_HEAD_LEN) + blockTakes(image, octets) > spareOctets(image)) return 0;
  const head = takeBlock(image, EXACT_HEAD_LEN, part);
  store<u32>(image.to(head), log2, EXACT_LOG2);
  store<u32>(image.to(head), takeBlock(image, octets, part), EXACT_BUCKETS_AT);
  store<u32>(image.to(head), u32(is6), EXACT_IS6);
  return head;
}

/** At least 2^log2 buckets, as log2, for so many entries: five eighths of their places. */
function log2For(entries: u32, is6: bool, log2: u32): u32 {
  const most: u64 = 5 * placesOf(is6);
  let enough = log2;
  while (<u64>entries * 8 > most << enough) enough++;
  return enough;
}

/** Puts an entry whose key is not there into the first free place on its way; that bucket's index. */
function put(buckets: usize, log2: u32, address: v128, protoPort: u32, value: u32, is6: bool): u32 {
  const mask = ((<u32>1) << log2) - 1;
  const places = placesOf(is6);
  let index = homeOf(address, protoPort, log2, is6);
  while (true) {
    const bucket = buckets + index * BUCKET_LEN;
    const values = valuesOf(bucket, is6);
    for (let place: u32 = 0; place < places; place++) {
      if (load<u32>(values + (place << 2)) != 0) continue;
      const at = bucket + BUCKET_ADDRESS + (place << shiftOf(is6));
      if (is6) v128.store(at, address);
      else store<u32>(at, v128.extract_lane<u32>(address, 0));
      store<u32>(protoPortAt(bucket, place, is6), protoPort);
      store<u32>(values + (place << 2), value);
      return index;
    }
    store<u32>(bucket, load<u32>(bucket, BUCKET_OVERFLOW) + 1, BUCKET_OVERFLOW);
    index = (index + 1) & mask;
  }
}

/** Frees the place of a key. One comes off every overflow count between its first bucket and its own. */
function free(buckets: usize, log2: u32, place: usize, address: v128, protoPort: u32, is6: bool): void {
  const mask = ((<u32>1) << log2) - 1;
  const own = <u32>((place - buckets) / BUCKET_LEN);
  for (let index = homeOf(address, protoPort, log2, is6); index != own; index = (index + 1) & mask) {
    const overflow = buckets + index * BUCKET_LEN + BUCKET_OVERFLOW;
    store<u32>(overflow, load<u32>(overflow) - 1);
  }
  store<u32>(valuesOf(place, is6), 0);
}

/** Puts entries of old buckets from … end - 1 into others. */
function putAll(old: usize, from: u32, end: u32, buckets: usize, log2: u32, is6: bool): void {
  for (let i = from; i < end; i++) {
    const bucket = old + i * BUCKET_LEN;
    const values = valuesOf(bucket, is6);
    for (let place: u32 = 0; place < placesOf(is6); place++) {
      const value = load<u32>(values + (place << 2));
      if (value == 0) continue;
      const protoPort = load<u32>(protoPortAt(bucket, place, is6));
      put(buckets, log2, addressIn(bucket, place, is6), protoPort, value, is6);
    }
  }
}

/** Takes 2^log2 buckets and puts all entries into them at once; false, and nothing changed, without room. */
function rebuild(image: Image, head: usize, log2: u32, part: u32): bool {
  const next = log2 > LOG2_MAX ? 0 : takeBlock(image, BUCKET_LEN << log2, part);
  if (next == 0) return false;
  const old = load<u32>(head, EXACT_BUCKETS_AT);
  const count = (<u32>1) << load<u32>(head, EXACT_LOG2);
  putAll(image.to(old), 0, count, image.to(next), log2, load<u32>(head, EXACT_IS6) != 0);
  if (isGrowing(head)) dropGrowth(image, head, part);
  giveBlock(image, old, BUCKET_LEN * count, part);
  store<u32>(head, next, EXACT_BUCKETS_AT);
  store<u32>(head, log2, EXACT_LOG2);
  return true;
}

/** So many entries at a time are no few, as a shift of those that are there. */
const MANY: u32 = 3;

/**
 * Makes sure of buckets for so many entries more; false, and nothing changed, without room. For many the table is made
 * larger at once; for few it grows with them, and stays below a load of 3/4 meanwhile.
 */
export function exactReserve(image: Image, table: u32, more: u32, part: u32): bool {
  const head = image.to(table);
  const count = load<u32>(head, EXACT_COUNT);
  const before = load<u32>(head, EXACT_LOG2);
  const log2 = log2For(count + more, load<u32>(head, EXACT_IS6) != 0, before);
  if (log2 == before) return true;
  if (log2 > before + 1 || more > count >> MANY) return rebuild(image, head, log2, part);
  return isGrowing(head) || (log2 <= LOG2_MAX && beginGrowth(image, head, part));
}

function growOn(image: Image, head: usize, part: u32): void {
  if (clearSome(image, head)) return;
  const old = image.to(load<u32>(head, EXACT_BUCKETS_AT));
  const next = image.to(load<u32>(head, EXACT_NEXT_AT));
  const end = copyTo(head);
  const is6 = load<u32>(head, EXACT_IS6) != 0;
  putAll(old, copyFrom(head), end, next, load<u32>(head, EXACT_LOG2) + 1, is6);
  noteCopied(image, head, end, part);
}

/** Of a table that grows, the copy of the entry at a place; 0 where there is none. */
function copyOf(image: Image, table: u32, place: usize, address: v128, protoPort: u32, is6: bool): usize {
  const head = image.to(table);
  const old = image.to(load<u32>(head, EXACT_BUCKETS_AT));
  if (!isCopied(head, <u32>((place - old) / BUCKET_LEN))) return 0;
  return exactPlace(image, table + EXACT_NEXT, address, protoPort, is6);
}

function replace(image: Image, table: u32, there: usize, address: v128, protoPort: u32, value: u32): void {
  const is6 = load<u32>(image.to(table), EXACT_IS6) != 0;
  store<u32>(valuesOf(there, is6), value);
  const copy = copyOf(image, table, there, address, protoPort, is6);
  if (copy != 0) store<u32>(valuesOf(copy, is6), value);
}

/** Adds or replaces an entry, for which there are buckets (exactReserve); value is not 0. */
export function exactSet(
  image: Image,
  table: u32,
  address: v128,
  protoPort: u32,
  value: u32,
  part: u32,
): void {
  const head = image.to(table);
  const is6 = load<u32>(head, EXACT_IS6) != 0;
  const there = exactPlace(image, table, address, protoPort, is6);
  if (there != 0) {
    replace(image, table, there, address, protoPort, value);
    return;
  }
  const log2 = load<u32>(head, EXACT_LOG2);
  const index = put(image.to(load<u32>(head, EXACT_BUCKETS_AT)), log2, address, protoPort, value, is6);
  if (isCopied(head, index))
    put(image.to(load<u32>(head, EXACT_NEXT_AT)), log2 + 1, address, protoPort, value, is6);
  store<u32>(head, load<u32>(head, EXACT_COUNT) + 1, EXACT_COUNT);
  if (isGrowing(head)) growOn(image, head, part);
}

/** Removes an entry; false if there is none. */
export function exactRemove(image: Image, table: u32, address: v128, protoPort: u32): bool {
  const head = image.to(table);
  const is6 = load<u32>(head, EXACT_IS6) != 0;
  const there = exactPlace(image, table, address, protoPort, is6);
  if (there == 0) return false;
  const log2 = load<u32>(head, EXACT_LOG2);
  const copy = copyOf(image, table, there, address, protoPort, is6);
  if (copy != 0) free(image.to(load<u32>(head, EXACT_NEXT_AT)), log2 + 1, copy, address, protoPort, is6);
  free(image.to(load<u32>(head, EXACT_BUCKETS_AT)), log2, there, address, protoPort, is6);
  store<u32>(head, load<u32>(head, EXACT_COUNT) - 1, EXACT_COUNT);
  return true;
}
