import { hash160 } from "../../hash";
import { Image } from "../../image";
import { EXACT_BUCKETS_AT, EXACT_LOG2 } from "../exact/layout";
import { BUCKET6_ADDRESS, BUCKET6_LEN, BUCKET6_OVERFLOW, BUCKET6_PROTO_PORT, BUCKET6_VALUE } from "./layout";

/** The number of the bucket, of 2^log2, that a key belongs to. */
export function bucket6Of(address: v128, protoPort: u32, log2: u32): u32 {
  const high = v128.extract_lane<u64>(address, 0);
  const low = v128.extract_lane<u64>(address, 1);
  return <u32>(hash160(high, low, protoPort) >> (64 - log2));
}

function holds(bucket: usize, place: u32, address: v128, protoPort: u32): bool {
  const word = bucket + (place << 2);
  return (
    load<u32>(word, BUCKET6_PROTO_PORT) == protoPort &&
    load<u32>(word, BUCKET6_VALUE) != 0 &&
    i32x4.all_true(i32x4.eq(v128.load(bucket + (place << 4), BUCKET6_ADDRESS), address))
  );
}

/**
 * The address of the word of a key's place (BUCKET6_… from there), in the table whose head is at an offset; 0 where
 * there is none. Removals can leave every bucket with an overflow, so a search also ends where it began.
 */
export function exact6Place(image: Image, table: u32, address: v128, protoPort: u32): usize {
  const head = image.to(table);
  const buckets = image.to(load<u32>(head, EXACT_BUCKETS_AT));
  const log2 = load<u32>(head, EXACT_LOG2);
  const mask = ((<u32>1) << log2) - 1;
  const first = bucket6Of(address, protoPort, log2);
  let index = first;
  do {
    const bucket = buckets + index * BUCKET6_LEN;
    if (holds(bucket, 0, address, protoPort)) return bucket;
    if (holds(bucket, 1, address, protoPort)) return bucket + 4;
    if (load<u32>(bucket, BUCKET6_OVERFLOW) == 0) return 0;
    index = (index + 1) & mask;
  } while (index != first);
  return 0;
}

/** The value of a key; 0 where there is none. */
export function exact6Find(image: Image, table: u32, address: v128, protoPort: u32): u32 {
  const place = exact6Place(image, table, address, protoPort);
  return place == 0 ? 0 : load<u32>(place, BUCKET6_VALUE);
}
