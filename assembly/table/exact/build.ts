import { Image } from "../../image";
import { blockTakes, giveBlock, spareOctets, takeBlock } from "../../memory/arena";
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

/** Puts an entry whose key is not there into the first free place on its way. */
function put(buckets: usize, log2: u32, address: v128, protoPort: u32, value: u32, is6: bool): void {
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
      return;
    }
    store<u32>(bucket, load<u32>(bucket, BUCKET_OVERFLOW) + 1, BUCKET_OVERFLOW);
    index = (index + 1) & mask;
  }
}

/** Puts a bucket's entries into another table's buckets. */
function putAll(bucket: usize, buckets: usize, log2: u32, is6: bool): void {
  const values = valuesOf(bucket, is6);
  for (let place: u32 = 0; place < placesOf(is6); place++) {
    const value = load<u32>(values + (place << 2));
    if (value == 0) continue;
    const protoPort = load<u32>(protoPortAt(bucket, place, is6));
    put(buckets, log2, addressIn(bucket, place, is6), protoPort, value, is6);
  }
}

/** Makes sure of buckets for so many entries more; false, and nothing changed, without room. */
export function exactReserve(image: Image, table: u32, more: u32, part: u32): bool {
  const head = image.to(table);
  const is6 = load<u32>(head, EXACT_IS6) != 0;
  const old = load<u32>(head, EXACT_BUCKETS_AT);
  const before = load<u32>(head, EXACT_LOG2);
  const log2 = log2For(load<u32>(head, EXACT_COUNT) + more, is6, before);
  if (log2 == before) return true;
  const next = log2 > LOG2_MAX ? 0 : takeBlock(image, BUCKET_LEN << log2, part);
  if (next == 0) return false;
  const count = (<u32>1) << before;
  for (let i: u32 = 0; i < count; i++) putAll(image.to(old) + i * BUCKET_LEN, image.to(next), log2, is6);
  store<u32>(head, log2, EXACT_LOG2);
  store<u32>(head, next, EXACT_BUCKETS_AT);
  giveBlock(image, old, BUCKET_LEN << before, part);
  return true;
}

/** Adds or replaces an entry, for which there are buckets; value is not 0. */
export function exactSet(image: Image, table: u32, address: v128, protoPort: u32, value: u32): void {
  const head = image.to(table);
  const is6 = load<u32>(head, EXACT_IS6) != 0;
  const there = exactPlace(image, table, address, protoPort, is6);
  if (there != 0) {
    store<u32>(valuesOf(there, is6), value);
    return;
  }
  const buckets = image.to(load<u32>(head, EXACT_BUCKETS_AT));
  put(buckets, load<u32>(head, EXACT_LOG2), address, protoPort, value, is6);
  store<u32>(head, load<u32>(head, EXACT_COUNT) + 1, EXACT_COUNT);
}

/** Removes an entry; false if there is none. One comes off every overflow count between its first bucket and its own. */
export function exactRemove(image: Image, table: u32, address: v128, protoPort: u32): bool {
  const head = image.to(table);
  const is6 = load<u32>(head, EXACT_IS6) != 0;
  const there = exactPlace(image, table, address, protoPort, is6);
  if (there == 0) return false;
  const buckets = image.to(load<u32>(head, EXACT_BUCKETS_AT));
  const log2 = load<u32>(head, EXACT_LOG2);
  const mask = ((<u32>1) << log2) - 1;
  const own = <u32>((there - buckets) / BUCKET_LEN);
  for (let index = homeOf(address, protoPort, log2, is6); index != own; index = (index + 1) & mask) {
    const overflow = buckets + index * BUCKET_LEN + BUCKET_OVERFLOW;
    store<u32>(overflow, load<u32>(overflow) - 1);
  }
  store<u32>(valuesOf(there, is6), 0);
  store<u32>(head, load<u32>(head, EXACT_COUNT) - 1, EXACT_COUNT);
  return true;
}
