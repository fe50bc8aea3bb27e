import { State } from "../../state";

/**
 * What IPVS keeps of its connections, templates and destinations: a state within the state, whose flow table
 * (table/flow) is that of IPVS. Offsets are from its own head.
 *
 *   head (State, then what follows it here) · flow buckets · flow records · sides · wheel · scheduler caches · counters
 *
 * In a record src and dst are the client and the virtual address, replySrc and replyDst the real server and the client,
 * mark is the firewall mark, progress the state, and detail0 the number of the destination plus one.
 */
export const SIDE_LEN: u32 = 32;

/** Of a destination, by its number. */
export const COUNTER_ACTIVE: u32 = 0;
export const COUNTER_INACTIVE: u32 = 4;
/** Templates. */
export const COUNTER_PERSISTENT: u32 = 8;
/** The destination's serial that all this is about: another one's row counts as 0. */
export const COUNTER_SERIAL: u32 = 12;
/** COUNTER_FLAG_ bits. */
export const COUNTER_FLAGS: u32 = 16;
export const COUNTER_LEN: u32 = 32;
export const COUNTER_FLAG_OVERLOADED: u32 = 1;

/** Whether a state has such a part: one without virtual servers has not. */
export function hasIpvs(state: State): bool {
  return state.ipvsAt != 0;
}

/** IPVS' part of a state. */
export function ipvsOf(state: State): State {
  return State.at(state.to(state.ipvsAt));
}
