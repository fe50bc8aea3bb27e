import { State } from "../../state";
import { flowClose, flowExpire, SWEEP_LEN } from "./build";
import { FLOW_BUCKET_LEN, FLOW_FLAG_ASSURED, FLOW_META, FLOW_META_MASK, FLOW_REF_SHIFT } from "./layout";
import { connectionAt } from "./lookup";

/** Buckets in which a connection is looked for that must go (NF_CT_EVICTION_RANGE). */
const EVICTION_BUCKETS: u32 = 8;

/** Whether so many records (two for a connection of IPv6) are free, or were never used. */
export function flowHasRoom(state: State, count: u32): bool {
  let free = min<u32>(state.connectionsRoom + 1 - state.recordsTop, count);
  for (let record = state.recordsFree; record != 0 && free < count; free++)
    record = connectionAt(state, record).next;
  return free == count;
}

/** Closes the connections of a bucket that are not assured, or over; how many. */
function evictBucket(state: State, now: u64, index: u32): u32 {
  let closed: u32 = 0;
  for (let place: usize = 0; place < 4; place++) {
    const at = state.to(state.bucketsAt) + index * FLOW_BUCKET_LEN + (place << 2);
    const ref = (load<u32>(at, FLOW_META) & FLOW_META_MASK) >> FLOW_REF_SHIFT;
    if (ref == 0) continue;
    const connection = connectionAt(state, ref >> 1);
    if (connection.expires > now && (connection.flags & FLOW_FLAG_ASSURED) != 0) continue;
    flowClose(state, ref >> 1);
    closed++;
  }
  return closed;
}

/**
 * Makes room in a full table for the records of a connection whose first tuple belongs to a bucket: what has expired
 * goes; then, as a kernel does (early_drop), the connections that are not assured of the first bucket,
 * of eight from this one on, which has any. False where all of them are assured.
 */
export function flowMakeRoom(state: State, now: u64, bucket: u32, records: u32): bool {
  if (flowExpire(state, now, SWEEP_LEN) > 0 && flowHasRoom(state, records)) return true;
  for (let i: u32 = 0; i < EVICTION_BUCKETS; i++) {
    const index = (bucket + i) & state.bucketsMask;
    if (evictBucket(state, now, index) > 0 && flowHasRoom(state, records)) return true;
  }
  return false;
}
