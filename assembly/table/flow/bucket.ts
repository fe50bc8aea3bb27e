import { hash128 } from "../../hash";
import { State } from "../../state";
import {
  FLOW_BUCKET_LEN,
  FLOW_DST,
  FLOW_META,
  FLOW_META_MASK,
  FLOW_PORTS,
  FLOW_REF_SHIFT,
  FLOW_SRC,
} from "./layout";

/**
 * A tuple's halves are dst << 32 | src, and protocol << 32 | ports: as its four words stand in memory. IPv6 tuples
 * have other words (lookup6.ts).
 */
export function addressHalf(src: u32, dst: u32): u64 {
  return ((<u64>dst) << 32) | src;
}

export function restHalf(ports: u32, protocol: u32): u64 {
  return ((<u64>protocol) << 32) | ports;
}

export function tupleOf(addresses: u64, rest: u64): v128 {
  return v128.replace_lane<u64>(i64x2.splat(addresses), 1, rest);
}

/** The number of the bucket that a tuple belongs to. */
export function bucketOf(state: State, addresses: u64, rest: u64): u32 {
  return <u32>(hash128(addresses, rest, state.flowKey0, state.flowKey1) >> state.bucketsShift);
}

/** The address of it. */
export function bucketAt(state: State, addresses: u64, rest: u64): usize {
  return state.to(state.bucketsAt) + bucketOf(state, addresses, rest) * FLOW_BUCKET_LEN;
}

/** Bit i is set where place i of the bucket holds the tuple. */
export function tupleMatches(bucket: usize, tuple: v128): i32 {
  const src = i32x4.eq(v128.load(bucket, FLOW_SRC), v128.shuffle<u32>(tuple, tuple, 0, 0, 0, 0));
  const dst = i32x4.eq(v128.load(bucket, FLOW_DST), v128.shuffle<u32>(tuple, tuple, 1, 1, 1, 1));
  const ports = i32x4.eq(v128.load(bucket, FLOW_PORTS), v128.shuffle<u32>(tuple, tuple, 2, 2, 2, 2));
  const meta = v128.and(v128.load(bucket, FLOW_META), i32x4.splat(0xff));
  const protocol = i32x4.eq(meta, v128.shuffle<u32>(tuple, tuple, 3, 3, 3, 3));
  return i32x4.bitmask(v128.and(v128.and(src, dst), v128.and(ports, protocol)));
}

/** Bit i is set where place i has this meta word; 0 is that of a free place. */
export function metaMatches(bucket: usize, meta: u32): i32 {
  const own = v128.and(v128.load(bucket, FLOW_META), i32x4.splat(FLOW_META_MASK));
  return i32x4.bitmask(i32x4.eq(own, i32x4.splat(meta)));
}

/** record << 1 | direction in the first of the places that match. */
export function refOf(bucket: usize, matches: i32): u32 {
  return (load<u32>(bucket + (ctz<i32>(matches) << 2), FLOW_META) & FLOW_META_MASK) >> FLOW_REF_SHIFT;
}

/** Entries that belong here or passed here and stand further on; 15 for more. */
export function overflowOf(bucket: usize): u32 {
  return i32x4.bitmask(v128.load(bucket, FLOW_META));
}
