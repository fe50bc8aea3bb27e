import { hash128 } from "../../hash";
import { State } from "../../state";
import { Client, POOL_LEN, Pool, recordAt, TIMES_LEN, TIMES_MASK, TTL_SHIFT, timeAt } from "./layout";

/** The bucket of a client, or of a list's head (family 0, no address). */
export function bucketOf(state: State, list: u32, family: u32, address: v128): usize {
  const first = v128.extract_lane<u64>(address, 0) ^ (((<u64>list) << 32) | <u64>family);
  const hash = hash128(first, v128.extract_lane<u64>(address, 1), state.flowKey0, state.flowKey1);
  const bucket = <u32>(hash >> 32) & Pool.of(state).mask;
  return state.to(state.clientsAt + POOL_LEN + (bucket << 2));
}

function isIt(client: Client, list: u32, family: u32, address: v128): bool {
  return (
    client.list == list &&
    client.family == family &&
    client.first == v128.extract_lane<u64>(address, 0) &&
    client.second == v128.extract_lane<u64>(address, 1)
  );
}

/** The record of a client of a list, or of the list's head; 0 where there is none. */
export function clientFind(state: State, list: u32, family: u32, address: v128): u32 {
  if (state.clientsRoom == 0) return 0;
  let record = load<u32>(bucketOf(state, list, family, address));
  while (record != 0) {
    const client = recordAt(state, record);
    if (isIt(client, list, family, address)) return record;
    record = client.next;
  }
  return 0;
}

/** The head of a list; 0 where it has no clients. */
export function headFind(state: State, list: u32): u32 {
  return clientFind(state, list, 0, i32x4.splat(0));
}

/** The TTL of the last packet of a client; 0 where it is not known. */
export function clientTtl(state: State, record: u32): u32 {
  return recordAt(state, record).times >> TTL_SHIFT;
}

export const TIMES_NO: u32 = 0;
export const TIMES_YES: u32 = 1;
/** Not so many times are remembered. */
export const TIMES_UNKNOWN: u32 = 2;

/** Whether a client was noted so often (at least twice), at most so many seconds ago (0: ever): a TIMES_ code. */
export function isNotedOften(state: State, record: u32, hits: u32, seconds: u32): u32 {
  const client = recordAt(state, record);
  if (client.count < hits) return TIMES_NO;
  if (seconds == 0) return TIMES_YES;
  if (!isNotedWithin(state, record, seconds, true)) return TIMES_NO;
  const times = client.times & TIMES_MASK;
  if (times == 0) return TIMES_UNKNOWN;
  // Of the times before the last one the oldest that is asked for, or remembered.
  const back = min<u32>(hits - 1, TIMES_LEN);
  const age = state.now - load<u64>(timeAt(state, times, client.count - 1 - back));
  if (age > <u64>seconds * 1000) return TIMES_NO;
  return back == hits - 1 ? TIMES_YES : TIMES_UNKNOWN;
}

/** Whether a client was noted at most, or less than, so many seconds ago. */
export function isNotedWithin(state: State, record: u32, seconds: u32, isInclusive: bool): bool {
  const age = state.now - recordAt(state, record).noted;
  const most = <u64>seconds * 1000;
  return isInclusive ? age <= most : age < most;
}
