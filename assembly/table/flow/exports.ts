import { State } from "../../state";
import { flowClose as closeFlow, flowClear, flowExpire } from "./build";
import { flow6Open as openFlow6 } from "./build6";
import { flowFindMany as findManyFlows } from "./lookup";
import { flow6FindMany as findManyFlows6 } from "./lookup6";
import { flowRead } from "./read";
import { clearWalks } from "./walks";

/** The machine's exports about connections (re-exported by index). */

export function flowsClear(state: usize): void {
  const own = State.at(state);
  clearWalks(own, own.recordsTop);
  flowClear(own);
}

/** Closes what has expired at `now` (milliseconds) among the next `records` records; how many. */
export function flowsExpire(state: usize, now: f64, records: u32): u32 {
  return flowExpire(State.at(state), <u64>now, records);
}

/**
 * Reads up to `count` live connections of record `from` or a later one into rows (CONNECTION_ROW_…); how many there were.
 * `now` in milliseconds, an earlier one counting as the latest so far.
 */
export function flowsRead(state: usize, now: f64, from: u32, count: u32, rows: usize): u32 {
  const own = State.at(state);
  return flowRead(own, max<u64>(own.now, <u64>now), from, count, rows);
}

/** Live connections. */
export function flowsCount(state: usize): u32 {
  return State.at(state).connections;
}

/** Looks up `count` tuples (src, dst, ports, protocol: u32 each); record << 1 | direction, 0 for none. */
export function flowFindMany(state: usize, tuples: usize, count: u32, results: usize): void {
  findManyFlows(State.at(state), tuples, count, results);
}

/**
 * Opens an IPv6 connection: two tuples (FLOW6_…), as its first packet comes and as replies come, in its first packet's
 * state until `expires` (milliseconds). Its record's number; 0 where a tuple is taken or two records are not free.
 */
export function flow6Open(state: usize, tuples: usize, now: f64, expires: f64): u32 {
  return openFlow6(State.at(state), tuples, <u64>now, <u64>expires);
}

/** Closes a connection of either family by its record's number. */
export function flowClose(state: usize, record: u32): void {
  const own = State.at(state);
  if (record > 0 && record < own.recordsTop) closeFlow(own, record);
}

/** `flowFindMany` of IPv6 tuples (FLOW6_…); `words` is room for FLOW6_WORDS_LEN octets. */
export function flow6FindMany(state: usize, tuples: usize, count: u32, words: usize, results: usize): void {
  findManyFlows6(State.at(state), tuples, count, words, results);
}
