import { SCHEDULER_CODE_MASK, SCHEDULER_RR, SCHEDULER_WRR } from "../../abi/server";
import { Image } from "../../image";
import { State } from "../../state";
import { claimService, clearStatistics, settledRow } from "../ipvs/counters";
import { hasIpvs, Ipvs, ipvsOf } from "../ipvs/layout";
import { beginEntries } from "./cache-expiry";
import { isLocal } from "./codes";
import { destinationAt } from "./destinations";
import {
  POSITION_GENERATION,
  POSITION_LEN,
  POSITION_OLDER,
  POSITION_SERIAL,
  POSITION_WEIGHT,
  REAL_DESTINATION,
  REAL_LEN,
  REAL_SERIAL,
  RING_BLOCK,
  RING_BORN,
  RING_COUNT,
  RING_FLAGS,
  RING_GENERATION,
  RING_INCARNATION,
  RING_LEN,
  RING_REMOVALS_MASK,
  RING_SCHEDULER,
  RING_START,
  RING_STEP,
  RING_TOP,
  SERIAL_HEAD,
} from "./layout";
import { requiredWeight } from "./weights";

/** How many servers are older than the one of a serial, which may be gone. */
function olderThan(reals: usize, count: u32, serial: u32): u32 {
  let from: u32 = 0;
  let to = count;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (load<u32>(reals + middle * REAL_LEN, REAL_SERIAL) < serial) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** rr goes on behind the server last picked, or behind the next newer one there is, and else at the list's head. */
function settleRound(position: usize, ring: usize, reals: usize, isNew: bool): void {
  const count = load<u32>(ring, RING_COUNT);
  const older = isNew ? count : olderThan(reals, count, load<u32>(position, POSITION_SERIAL));
  if (older == count) store<u32>(position, SERIAL_HEAD, POSITION_SERIAL);
  store<u32>(position, older, POSITION_OLDER);
}

/** wrr goes on at the head, and requires what it did as far as that fits its servers' weights now. */
function settleWeights(position: usize, ring: usize, isNew: bool): void {
  const required = load<u32>(position, POSITION_WEIGHT);
  const weight = requiredWeight(required, load<u32>(ring, RING_TOP), load<u32>(ring, RING_STEP));
  store<u32>(position, load<u32>(ring, RING_COUNT), POSITION_OLDER);
  store<u32>(position, isNew ? load<u32>(ring, RING_START) : weight, POSITION_WEIGHT);
}

/** What a service before this one has counted of its servers, those that may come back too, counts no more (__ip_vs_update_dest). */
function countAnew(image: Image, ipvs: State, ring: usize, number: u32, reals: usize): void {
  const room = Ipvs.of(ipvs).destinationsRoom;
  const owner = number | (load<u32>(ring, RING_FLAGS) & ~((1 << RING_INCARNATION) - 1));
  for (let i: u32 = 0; i < load<u32>(ring, RING_COUNT); i++) {
    const destination = load<u32>(reals + i * REAL_LEN, REAL_DESTINATION);
    if (destination < room) clearStatistics(image, ipvs, destination);
  }
  for (let next = image.leftFirst; next != 0; next = destinationAt(image, next - 1).behind)
    if (next <= room && destinationAt(image, next - 1).owner == owner) clearStatistics(image, ipvs, next - 1);
}

/** The counters of a ring and its servers are their own from here on, and statistics no older than their service. */
function claim(image: Image, ipvs: State, ring: usize, number: u32, reals: usize): void {
  const own = Ipvs.of(ipvs);
  const room = own.destinationsRoom;
  const services = own.servicesRoom;
  const count = load<u32>(ring, RING_COUNT);
  const removals = load<u32>(ring, RING_FLAGS) & RING_REMOVALS_MASK;
  if (number < services && claimService(ipvs, number, removals)) countAnew(image, ipvs, ring, number, reals);
  for (let i: u32 = 0; i < count; i++) {
    const destination = load<u32>(reals + i * REAL_LEN, REAL_DESTINATION);
    if (destination < room) settledRow(image, ipvs, destination);
  }
}

function settle(image: Image, state: State, ring: usize, number: u32, position: usize): void {
  const seen = load<u32>(position, POSITION_GENERATION);
  const generation = load<u32>(ring, RING_GENERATION);
  const isNew = seen < load<u32>(ring, RING_BORN) || seen > generation;
  const code = load<u32>(ring, RING_SCHEDULER) & SCHEDULER_CODE_MASK;
  const reals = image.to(load<u32>(ring, RING_BLOCK));
  if (isNew) beginEntries(state, number, position);
  if (code == SCHEDULER_RR) settleRound(position, ring, reals, isNew);
  else if (code == SCHEDULER_WRR) settleWeights(position, ring, isNew);
  else if (!isLocal(code)) store<u64>(position, 0, POSITION_OLDER);
  if (hasIpvs(state)) claim(image, ipvsOf(state), ring, number, reals);
  store<u32>(position, generation, POSITION_GENERATION);
}

/** Where a state stands in a ring. If the ring changed since, the state takes note of it first. */
export function positionOf(image: Image, state: State, ring: usize, number: u32): usize {
  const position = state.to(state.positionsAt) + number * POSITION_LEN;
  if (load<u32>(position, POSITION_GENERATION) != load<u32>(ring, RING_GENERATION))
    settle(image, state, ring, number, position);
  return position;
}

/** What `positionOf` does with the next connection, at once. */
export function settleServer(image: Image, state: State, number: u32): void {
  if (number < min<u32>(image.serversRoom, state.positionsRoom))
    positionOf(image, state, image.to(image.serversAt) + number * RING_LEN, number);
}
