import { hash128 } from "../../hash";
import { State } from "../../state";
import { addressHalf, bucketOf, overflowOf, refOf, restHalf, tupleMatches, tupleOf } from "./bucket";
import { CONNECTION_LEN, Connection, FLOW_BUCKET_LEN, FLOW_MANY, FLOW_TUPLE_LEN } from "./layout";

/** From so many buckets on (4 MB) a table is taken to be larger than the caches that are one core's own. */
export const BUCKETS_FAR: u32 = 1 << 16;
/** And from so many (64 KB) where packets fill the caches between two bursts. */
export const BUCKETS_FAR_BESIDE_PACKETS: u32 = 1 << 10;

/** Set in a result that `probeBurst` found: the others are addresses of buckets, which lie below 2 GiB. */
const FOUND: u32 = 0x80000000;

/**
 * record << 1 | direction of a tuple's halves; 0 where there is none. Time is not looked at. Saturated overflow counts
 * may in time stand in every bucket, so a search also ends where it began.
 */
export function flowFindHalves(state: State, addresses: u64, rest: u64): u32 {
  const tuple = tupleOf(addresses, rest);
  const first = bucketOf(state, addresses, rest);
  let index = first;
  do {
    const bucket = state.to(state.bucketsAt) + index * FLOW_BUCKET_LEN;
    const matches = tupleMatches(bucket, tuple);
    if (matches != 0) return refOf(bucket, matches);
    if (overflowOf(bucket) == 0) return 0;
    index = (index + 1) & state.bucketsMask;
  } while (index != first);
  return 0;
}

/** record << 1 | direction of an IPv4 tuple (ports: src << 16 | dst); 0 where there is none. Time is not looked at. */
export function flowFind(state: State, src: u32, dst: u32, ports: u32, protocol: u32): u32 {
  return flowFindHalves(state, addressHalf(src, dst), restHalf(ports, protocol));
}

/** Each tuple's result is the address of the bucket that it belongs to, its last two words turned by some bits. */
export function flowHashBurst(state: State, tuples: usize, count: u32, results: usize, turn: u64): void {
  const buckets = <u32>state.to(state.bucketsAt);
  const key0 = state.flowKey0;
  const key1 = state.flowKey1;
  const shift = state.bucketsShift;
  const end = tuples + count * FLOW_TUPLE_LEN;
  for (let tuple = tuples, result = results; tuple != end; tuple += FLOW_TUPLE_LEN, result += 4) {
    const hash = hash128(load<u64>(tuple), load<u64>(tuple, 8) ^ turn, key0, key1);
    store<u32>(result, buckets + <u32>(hash >> shift) * FLOW_BUCKET_LEN);
  }
}

/** Loads a word, so that its line comes near: WebAssembly has no prefetch. */
function touch(address: usize): u32 {
  return load<u32>(address);
}

/** Touches every bucket and does nothing else, so that their ways from memory overlap. */
export function touchBurst(count: u32, results: usize): void {
  const end = results + (count << 2);
  for (let result = results; result != end; result += 4) touch(load<u32>(result));
}

/** Looks into the buckets without a branch: one guessed wrong would stop all that is under way behind it. */
function probeBurst(tuples: usize, count: u32, results: usize): void {
  const end = results + (count << 2);
  for (let tuple = tuples, result = results; result != end; tuple += FLOW_TUPLE_LEN, result += 4) {
    const bucket = load<u32>(result);
    const matches = tupleMatches(bucket, v128.load(tuple));
    store<u32>(result, select<u32>(refOf(bucket, matches | 8) | FOUND, bucket, matches));
  }
}

/**
 * Ends the search for those found, and for those whose bucket nothing passed. The others stay open: a result is the
 * number of the open one before it plus one, and the last one's is answered. Their next bucket is touched.
 */
function settleBurst(count: u32, results: usize): u32 {
  let last: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const at = results + (i << 2);
    const result = load<u32>(at);
    if ((result & FOUND) != 0) {
      store<u32>(at, result & ~FOUND);
    } else if (overflowOf(result) == 0) {
      store<u32>(at, 0);
    } else {
      store<u32>(at, last);
      last = i + 1;
      // Behind the last bucket stand the records: touching the first one does no harm.
      touch(result + FLOW_BUCKET_LEN);
    }
  }
  return last;
}

function searchOpen(state: State, tuples: usize, results: usize, last: u32): void {
  while (last != 0) {
    const result = results + ((last - 1) << 2);
    const tuple = tuples + (last - 1) * FLOW_TUPLE_LEN;
    last = load<u32>(result);
    store<u32>(result, flowFindHalves(state, load<u64>(tuple), load<u64>(tuple, 8)));
  }
}

/** One look-up after another, for a table within the caches. */
function findNear(state: State, tuples: usize, count: u32, results: usize): void {
  const buckets = <u32>state.to(state.bucketsAt);
  const key0 = state.flowKey0;
  const key1 = state.flowKey1;
  const shift = state.bucketsShift;
  const end = tuples + count * FLOW_TUPLE_LEN;
  for (let tuple = tuples, result = results; tuple != end; tuple += FLOW_TUPLE_LEN, result += 4) {
    const hash = hash128(load<u64>(tuple), load<u64>(tuple, 8), key0, key1);
    const bucket = buckets + <u32>(hash >> shift) * FLOW_BUCKET_LEN;
    const matches = tupleMatches(bucket, v128.load(tuple));
    if (matches != 0) store<u32>(result, refOf(bucket, matches));
    else
      store<u32>(
        result,
        overflowOf(bucket) == 0 ? 0 : flowFindHalves(state, load<u64>(tuple), load<u64>(tuple, 8)),
      );
  }
}

/** Waits for many buckets at a time: for a table that is not within the caches. */
function findFar(state: State, tuples: usize, count: u32, results: usize): void {
  flowHashBurst(state, tuples, count, results, 0);
  touchBurst(count, results);
  probeBurst(tuples, count, results);
  searchOpen(state, tuples, results, settleBurst(count, results));
}

/**
 * Looks tuples up (src, dst, ports, protocol: a u32 each), best 64 to 256 of them; results, a u32 each, are
 * flowFind's. Tuples and results do not overlap. A table of `far` buckets or more is taken to be out of the caches.
 */
export function flowFindBurst(state: State, tuples: usize, count: u32, results: usize, far: u32): void {
  if (state.bucketsMask + 1 < far) findNear(state, tuples, count, results);
  else findFar(state, tuples, count, results);
}

/** The same for any number of tuples and nothing beside them. */
export function flowFindMany(state: State, tuples: usize, count: u32, results: usize): void {
  for (let first: u32 = 0; first < count; first += FLOW_MANY) {
    const part = min<u32>(FLOW_MANY, count - first);
    flowFindBurst(state, tuples + first * FLOW_TUPLE_LEN, part, results + (first << 2), BUCKETS_FAR);
  }
}

/** Touches the records that a burst's results name, so that they are near when each is asked. A sum of no meaning. */
export function flowTouchBurst(state: State, results: usize, count: u32): u32 {
  const records = state.to(state.recordsAt);
  const end = results + (count << 2);
  let sum: u32 = 0;
  for (let result = results; result != end; result += 4)
    sum += load<u32>(records + (load<u32>(result) >> 1) * CONNECTION_LEN);
  return sum;
}

export function connectionAt(state: State, record: u32): Connection {
  return Connection.at(state.to(state.recordsAt) + record * CONNECTION_LEN);
}
