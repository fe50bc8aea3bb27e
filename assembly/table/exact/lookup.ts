import { hash64, hash160 } from "../../hash";
import { Image } from "../../image";
import {
  BUCKET_ADDRESS,
  BUCKET_LEN,
  BUCKET_OVERFLOW,
  BUCKET_PROTO_PORT,
  BUCKET_VALUE,
  BUCKET6_PROTO_PORT,
  BUCKET6_SHIFT,
  BUCKET6_VALUE,
  EXACT_BUCKETS_AT,
  EXACT_LOG2,
} from "./layout";

/**
 * The search in tables of either family, which callers say as a constant: `low` is an IPv4 key's address, `address` the
 * same in each of four lanes, or an IPv6 key's. A place is an address from which the BUCKET_… (BUCKET6_…) of words
 * count.
 */
@unmanaged
@final
export class Search {
  /** The number of the bucket, of 2^log2, that a key belongs to. */
  @inline
  static home(low: u32, address: v128, protoPort: u32, log2: u32, is6: bool): u32 {
    if (!is6) return hash64(low, protoPort) & ((1 << log2) - 1);
    const first = v128.extract_lane<u64>(address, 0);
    const second = v128.extract_lane<u64>(address, 1);
    return <u32>(hash160(first, second, protoPort) >> (64 - log2));
  }

  /** Bit i where place i of a bucket holds a key. */
  @inline
  static matches(bucket: usize, address: v128, protoPort: u32): i32 {
    const equal = v128.and(
      i32x4.eq(v128.load(bucket, BUCKET_ADDRESS), address),
      i32x4.eq(v128.load(bucket, BUCKET_PROTO_PORT), i32x4.splat(protoPort)),
    );
    const isUsed = i32x4.ne(v128.load(bucket, BUCKET_VALUE), i32x4.splat(0));
    return i32x4.bitmask(v128.and(equal, isUsed));
  }

  @inline
  static holds6(bucket: usize, index: u32, address: v128, protoPort: u32): bool {
    const word = bucket + (index << 2);
    return (
      load<u32>(word, BUCKET6_PROTO_PORT) == protoPort &&
      load<u32>(word, BUCKET6_VALUE) != 0 &&
      i32x4.all_true(i32x4.eq(v128.load(bucket + (index << BUCKET6_SHIFT), BUCKET_ADDRESS), address))
    );
  }

  /** The place of a key; 0 where there is none. Removals can leave every bucket with an overflow, so it also ends where it began. */
  @inline
  static place(image: Image, table: u32, low: u32, address: v128, protoPort: u32, is6: bool): usize {
    const head = image.to(table);
    // In this order, and written in the other: buckets are never fewer than a reader in another thread takes them for.
    const log2 = load<u32>(head, EXACT_LOG2);
    const buckets = image.to(load<u32>(head, EXACT_BUCKETS_AT));
    const mask = ((<u32>1) << log2) - 1;
    const first = Search.home(low, address, protoPort, log2, is6);
    let index = first;
    do {
      const bucket = buckets + index * BUCKET_LEN;
      if (is6) {
        if (Search.holds6(bucket, 0, address, protoPort)) return bucket;
        if (Search.holds6(bucket, 1, address, protoPort)) return bucket + 4;
      } else {
        const matches = Search.matches(bucket, address, protoPort);
        if (matches != 0) return bucket + (ctz<i32>(matches) << 2);
      }
      if (load<u32>(bucket, BUCKET_OVERFLOW) == 0) return 0;
      index = (index + 1) & mask;
    } while (index != first);
    return 0;
  }
}

/** The place of a key in the IPv4 table whose head is at an offset; 0 where there is none. */
function exact4Place(image: Image, table: u32, address: u32, protoPort: u32): usize {
  return Search.place(image, table, address, i32x4.splat(address), protoPort, false);
}

function exact6Place(image: Image, table: u32, address: v128, protoPort: u32): usize {
  return Search.place(image, table, 0, address, protoPort, true);
}

/** The same in a table of either family, by a vector. */
export function exactPlace(image: Image, table: u32, address: v128, protoPort: u32, is6: bool): usize {
  if (is6) return exact6Place(image, table, address, protoPort);
  return exact4Place(image, table, v128.extract_lane<u32>(address, 0), protoPort);
}

/** The address of the bucket that an IPv4 key belongs to. */
export function exactHome(image: Image, table: u32, address: u32, protoPort: u32): usize {
  const head = image.to(table);
  const log2 = load<u32>(head, EXACT_LOG2);
  const index = Search.home(address, i32x4.splat(0), protoPort, log2, false);
  return image.to(load<u32>(head, EXACT_BUCKETS_AT)) + index * BUCKET_LEN;
}

/** The value of an IPv4 key; 0 where there is none. */
export function exactFind(image: Image, table: u32, address: u32, protoPort: u32): u32 {
  const place = exact4Place(image, table, address, protoPort);
  return place == 0 ? 0 : load<u32>(place, BUCKET_VALUE);
}

/** The value of an IPv4 key whose bucket is known; 0 where there is none. */
export function exactFindFrom(image: Image, table: u32, bucket: usize, address: u32, protoPort: u32): u32 {
  const matches = Search.matches(bucket, i32x4.splat(address), protoPort);
  if (matches != 0) return load<u32>(bucket + (ctz<i32>(matches) << 2), BUCKET_VALUE);
  return load<u32>(bucket, BUCKET_OVERFLOW) == 0 ? 0 : exactFind(image, table, address, protoPort);
}

/** The value of an IPv6 key; 0 where there is none. */
export function exact6Find(image: Image, table: u32, address: v128, protoPort: u32): u32 {
  const place = exact6Place(image, table, address, protoPort);
  return place == 0 ? 0 : load<u32>(place, BUCKET6_VALUE);
}
