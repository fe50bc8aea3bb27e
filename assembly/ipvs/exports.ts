import { STATISTICS_ROW_LEN } from "../abi/session";
import { Image } from "../image";
import { State } from "../state";
import { hasIpvs, ipvsOf } from "../table/ipvs/layout";
import { readDestinations, readRing, readSessions, readStatistics, readTotals } from "../table/ipvs/read";
import { ipvsRestore, renew } from "../table/ipvs/room";
import { flush, tick } from "./tick";

/** The machine's exports about IPVS' connections (re-exported by index). A state without any has nothing to tell. */

/** Ends sessions that are over at `now` (milliseconds), an earlier one counting as the latest so far, as a run at that time does first. */
export function sessionsExpire(image: usize, state: usize, now: f64): void {
  const own = State.at(state);
  own.now = max<u64>(own.now, <u64>now);
  tick(Image.at(image), own);
}

/** Ends all of them. */
export function sessionsClear(image: usize, state: usize): void {
  flush(Image.at(image), State.at(state));
}

/** Makes a state's sessions those of another one, whose copy it was before it ran a packet. */
export function sessionsRestore(image: usize, state: usize, original: usize): void {
  const own = State.at(state);
  if (hasIpvs(own)) ipvsRestore(Image.at(image), ipvsOf(own), ipvsOf(State.at(original)));
}

/** Makes a state what another one is, of which it is an older copy whose packets were undone one by one. */
export function stateRenew(state: usize, original: usize): void {
  renew(State.at(state), State.at(original));
}

/** How many there are, templates too. */
export function sessionsCount(state: usize): u32 {
  const own = State.at(state);
  return hasIpvs(own) ? ipvsOf(own).connections : 0;
}

/** Reads up to `count` sessions of number `from` or a later one into rows (SESSION_ROW_…); how many there were. */
export function sessionsRead(state: usize, from: u32, count: u32, rows: usize): u32 {
  const own = State.at(state);
  return hasIpvs(own) ? readSessions(ipvsOf(own), from, count, rows) : 0;
}

/** Reads destinations from … from + count - 1 into rows (DESTINATION_ROW_…); how many there were. */
export function destinationsRead(image: usize, state: usize, from: u32, count: u32, rows: usize): u32 {
  const own = State.at(state);
  return hasIpvs(own) ? readDestinations(Image.at(image), ipvsOf(own), from, count, rows) : 0;
}

/** The same of one virtual server's alone, from its position `from` on in the order of addition. */
export function serviceDestinationsRead(
  image: usize,
  state: usize,
  service: u32,
  from: u32,
  count: u32,
  rows: usize,
): u32 {
  const own = State.at(state);
  return hasIpvs(own) ? readRing(Image.at(image), ipvsOf(own), service, from, count, rows) : 0;
}

/** Reads a virtual server's statistics into a row (STATISTICS_ROW_…), all 0 for one that is not known. */
export function serviceStatistics(state: usize, number: u32, row: usize): void {
  const own = State.at(state);
  if (hasIpvs(own) && readStatistics(ipvsOf(own), number, row)) return;
  memory.fill(row, 0, STATISTICS_ROW_LEN);
}

/** The same of all of them. */
export function totalStatistics(state: usize, row: usize): void {
  const own = State.at(state);
  if (hasIpvs(own)) readTotals(ipvsOf(own), row);
  else memory.fill(row, 0, STATISTICS_ROW_LEN);
}
