import { Image } from "../../image";
import { giveBlock, takeBlock } from "../../memory/arena";
import { EXACT_BUCKETS_AT, EXACT_COUNT, EXACT_LOG2 } from "../exact/layout";
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

/** Puts an entry whose key is not there into the first free place on its way. */
function put(buckets: usize, log2: u32, address: v128, protoPort: u32, value: u32): void {
  const mask = ((<u32>1) << log2) - 1;
  let index = bucket6Of(address, protoPort, log2);
  while (true) {
    const bucket = buckets + index * BUCKET6_LEN;
    const place = freePlace(bucket);
    if (place < BUCKET6_PLACES) {
      v128.store(bucket + (place << 4), address, BUCKET6_ADDRESS);
      store<u32>(bucket + (place << 2), protoPort, BUCKET6_PROTO_PORT);
      store<u32>(bucket + (place << 2), value, BUCKET6_VALUE);
      return;
    }
    store<u32>(bucket, load<u32>(bucket, BUCKET6_OVERFLOW) + 1, BUCKET6_OVERFLOW);
    index = (index + 1) & mask;
  }
}

/** Puts a bucket's entries into another table's buckets. */
function putAll(bucket: usize, buckets: usize, log2: u32): void {
  for (let place: u32 = 0; place < BUCKET6_PLACES; place++) {
    const word = bucket + (place << 2);
    const value = load<u32>(word, BUCKET6_VALUE);
    if (value == 0) continue;
    const address = v128.load(bucket + (place << 4), BUCKET6_ADDRESS);
    put(buckets, log2, address, load<u32>(word, BUCKET6_PROTO_PORT), value);
  }
}

/** Doubles the buckets; false, and nothing changed, without room. */
function grow(image: Image, head: usize, part: u32): bool {
  const log2 = load<u32>(head, EXACT_LOG2);
  const old = load<u32>(head, EXACT_BUCKETS_AT);
  const next = takeBlock(image, BUCKET6_LEN << (log2 + 1), part);
  if (next == 0) return false;
  const count = (<u32>1) << log2;
  for (let i: u32 = 0; i < count; i++) putAll(image.to(old) + i * BUCKET6_LEN, image.to(next), log2 + 1);
  store<u32>(head, log2 + 1, EXACT_LOG2);
  store<u32>(head, next, EXACT_BUCKETS_AT);
  giveBlock(image, old, BUCKET6_LEN << log2, part);
  return true;
}

/** Adds or replaces an entry; value is not 0. False, and nothing changed, without room. Load stays at or below 5/8. */
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
    return true;
  }
  const count = load<u32>(head, EXACT_COUNT);
  if ((count + 1) * 4 > (<u32>5) << load<u32>(head, EXACT_LOG2) && !grow(image, head, part)) return false;
  put(image.to(load<u32>(head, EXACT_BUCKETS_AT)), load<u32>(head, EXACT_LOG2), address, protoPort, value);
  store<u32>(head, count + 1, EXACT_COUNT);
  return true;
}

/** Removes an entry; false if there is none. One comes off every overflow count between its first bucket and its own. */
export function exact6Remove(image: Image, table: u32, address: v128, protoPort: u32): bool {
  const there = exact6Place(image, table, address, protoPort);
  if (there == 0) return false;
  const head = image.to(table);
  const buckets = image.to(load<u32>(head, EXACT_BUCKETS_AT));
  const log2 = load<u32>(head, EXACT_LOG2);
  const mask = ((<u32>1) << log2) - 1;
  const own = <u32>((there - buckets) / BUCKET6_LEN);
  for (let index = bucket6Of(address, protoPort, log2); index != own; index = (index + 1) & mask) {
    const overflow = buckets + index * BUCKET6_LEN + BUCKET6_OVERFLOW;
    store<u32>(overflow, load<u32>(overflow) - 1);
  }
  store<u32>(there, 0, BUCKET6_VALUE);
  store<u32>(head, load<u32>(head, EXACT_COUNT) - 1, EXACT_COUNT);
  return true;
}
