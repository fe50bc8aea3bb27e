import { hashTuple } from "../../hash";
import { State } from "../../state";
import {
  CONNECTION_LEN,
  Connection,
  FLOW_BUCKET_LEN,
  FLOW_DST,
  FLOW_META,
  FLOW_META_MASK,
  FLOW_PORTS,
  FLOW_REF_SHIFT,
  FLOW_SRC,
} from "./layout";

/** Bit i is set where place i of the bucket holds the tuple. */
export function tupleMatches(bucket: usize, src: u32, dst: u32, ports: u32, protocol: u32): i32 {
  const addresses = v128.and(
    i32x4.eq(v128.load(bucket, FLOW_SRC), i32x4.splat(src)),
    i32x4.eq(v128.load(bucket, FLOW_DST), i32x4.splat(dst)),
  );
  const meta = v128.and(v128.load(bucket, FLOW_META), i32x4.splat(0xff));
  const rest = v128.and(
    i32x4.eq(v128.load(bucket, FLOW_PORTS), i32x4.splat(ports)),
    i32x4.eq(meta, i32x4.splat(protocol)),
  );
  return i32x4.bitmask(v128.and(addresses, rest));
}

/**
 * record << 1 | direction of a tuple; 0 where there is none. Time is not looked at. Saturated overflow counts may in
 * time stand in every bucket, so a search also ends where it began.
 */
export function flowFind(state: State, src: u32, dst: u32, ports: u32, protocol: u32): u32 {
  const first = hashTuple(src, dst, ports, protocol) & state.bucketsMask;
  let index = first;
  do {
    const bucket = state.to(state.bucketsAt) + index * FLOW_BUCKET_LEN;
    const matches = tupleMatches(bucket, src, dst, ports, protocol);
    if (matches != 0) {
      return (load<u32>(bucket + (ctz<i32>(matches) << 2), FLOW_META) & FLOW_META_MASK) >> FLOW_REF_SHIFT;
    }
    if (i32x4.bitmask(v128.load(bucket, FLOW_META)) == 0) return 0;
    index = (index + 1) & state.bucketsMask;
  } while (index != first);
  return 0;
}

export function connectionAt(state: State, record: u32): Connection {
  return Connection.at(state.to(state.recordsAt) + record * CONNECTION_LEN);
}

/** Looks up `count` tuples of 16 octets (src, dst, ports, protocol); record << 1 | direction, or 0, goes to `results`. */
export function flowFindBurst(state: State, tuples: usize, count: u32, results: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const at = tuples + (i << 4);
    const flow = flowFind(state, load<u32>(at), load<u32>(at, 4), load<u32>(at, 8), load<u32>(at, 12));
    store<u32>(results + (i << 2), flow);
  }
}
