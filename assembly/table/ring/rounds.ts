import { SCHEDULER_CODE_MASK, SCHEDULER_WRR } from "../../abi/server";
import { Image } from "../../image";
import { State } from "../../state";
import {
  POSITION_GENERATION,
  POSITION_LEN,
  POSITION_OLDER,
  POSITION_SERIAL,
  POSITION_WEIGHT,
  REAL_LEN,
  REAL_NONE,
  REAL_SERIAL,
  REAL_WEIGHT,
  RING_BLOCK,
  RING_BORN,
  RING_COUNT,
  RING_GENERATION,
  RING_SCHEDULER,
  RING_START,
  RING_STEP,
  RING_TOP,
  RING_WEIGHT_MAX,
} from "./layout";
import { requiredWeight } from "./weights";

/** How many servers are older than the one of a serial, which may be gone; the list's head is behind all of them. */
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

/** Where a state stands in a ring. If that changed since, a turn goes on where it was, and a weighted one begins again. */
function positionOf(image: Image, state: State, ring: usize, number: u32): usize {
  const position = state.to(state.positionsAt) + number * POSITION_LEN;
  const seen = load<u32>(position, POSITION_GENERATION);
  const generation = load<u32>(ring, RING_GENERATION);
  if (seen == generation) return position;
  const isNew = seen < load<u32>(ring, RING_BORN) || seen > generation;
  const count = load<u32>(ring, RING_COUNT);
  const isWeighted = (load<u32>(ring, RING_SCHEDULER) & SCHEDULER_CODE_MASK) == SCHEDULER_WRR;
  const older =
    isNew || isWeighted
      ? count
      : olderThan(image.to(load<u32>(ring, RING_BLOCK)), count, load<u32>(position, POSITION_SERIAL));
  const weight = requiredWeight(
    load<u32>(position, POSITION_WEIGHT),
    load<u32>(ring, RING_TOP),
    load<u32>(ring, RING_STEP),
  );
  store<u32>(position, older, POSITION_OLDER);
  store<u32>(position, isNew ? load<u32>(ring, RING_START) : weight, POSITION_WEIGHT);
  store<u32>(position, generation, POSITION_GENERATION);
  return position;
}

/** The next server with weight, from newer to older (ip_vs_rr.c), or REAL_NONE. */
export function takeRound(image: Image, state: State, ring: usize, number: u32): u32 {
  const position = positionOf(image, state, ring, number);
  if (load<u32>(ring, RING_WEIGHT_MAX) == 0) return REAL_NONE;
  const reals = image.to(load<u32>(ring, RING_BLOCK));
  const count = load<u32>(ring, RING_COUNT);
  let at = min<u32>(load<u32>(position, POSITION_OLDER), count);
  for (let tried: u32 = 0; tried < count; tried++) {
    at = (at == 0 ? count : at) - 1;
    if (load<u32>(reals + at * REAL_LEN, REAL_WEIGHT) != 0) break;
  }
  store<u32>(position, at, POSITION_OLDER);
  store<u32>(position, load<u32>(reals + at * REAL_LEN, REAL_SERIAL), POSITION_SERIAL);
  return at;
}

/**
 * The next server that has at least the weight now required, from newer to older; at the list's end less is required,
 * and after the least as much as at first (ip_vs_wrr.c). The heaviest server always qualifies, so two walks suffice. REAL_NONE
 * where none has weight.
 */
export function takeWeightedRound(image: Image, state: State, ring: usize, number: u32): u32 {
  const position = positionOf(image, state, ring, number);
  if (load<u32>(ring, RING_WEIGHT_MAX) == 0) return REAL_NONE;
  const reals = image.to(load<u32>(ring, RING_BLOCK));
  const count = load<u32>(ring, RING_COUNT);
  const top = load<u32>(ring, RING_TOP);
  const step = load<u32>(ring, RING_STEP);
  let at = min<u32>(load<u32>(position, POSITION_OLDER), count);
  let required = min<u32>(max<u32>(load<u32>(position, POSITION_WEIGHT), 1), top);
  for (let tried: u32 = 0; tried < 2 * count; tried++) {
    if (at == 0) {
      at = count;
      required = required > step ? required - step : top;
    }
    at--;
    if (load<u32>(reals + at * REAL_LEN, REAL_WEIGHT) >= required) break;
  }
  store<u32>(position, at, POSITION_OLDER);
  store<u32>(position, required, POSITION_WEIGHT);
  return at;
}
