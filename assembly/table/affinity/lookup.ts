import { hash128 } from "../../hash";
import { State } from "../../state";
import { Client, POOL_LEN, Pool, recordAt } from "./layout";

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

/** Whether a client was noted at most, or less than, so many seconds ago. */
export function isNotedWithin(state: State, record: u32, seconds: u32, isInclusive: bool): bool {
  const age = state.now - recordAt(state, record).noted;
  const most = <u64>seconds * 1000;
  return isInclusive ? age <= most : age < most;
}
