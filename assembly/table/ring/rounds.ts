import { Image } from "../../image";
import { State } from "../../state";
import {
  POSITION_OLDER,
  POSITION_SERIAL,
  POSITION_WEIGHT,
  REAL_DESTINATION,
  REAL_LEN,
  REAL_NONE,
  REAL_SERIAL,
  REAL_WEIGHT,
  RING_BLOCK,
  RING_COUNT,
  RING_FLAG_LIMITED,
  RING_FLAGS,
  RING_STEP,
  RING_TOP,
  RING_WEIGHT_MAX,
} from "./layout";
import { isOverloaded, rowOf } from "./loads";
import { positionOf } from "./position";
import { takeLimitedRound } from "./rounds-limited";

/** Whether a server takes new connections: it has weight, and is not overloaded if the ring has such servers. */
export function takes(image: Image, state: State, ring: usize, real: usize): bool {
  if (load<u32>(real, REAL_WEIGHT) == 0) return false;
  if ((load<u32>(ring, RING_FLAGS) & RING_FLAG_LIMITED) == 0) return true;
  return !isOverloaded(rowOf(image, state, load<u32>(real, REAL_DESTINATION)));
}

/** The next server that takes connections, from newer to older (ip_vs_rr.c), or REAL_NONE. */
export function takeRound(image: Image, state: State, ring: usize, number: u32): u32 {
  const position = positionOf(image, state, ring, number);
  if (load<u32>(ring, RING_WEIGHT_MAX) == 0) return REAL_NONE;
  const reals = image.to(load<u32>(ring, RING_BLOCK));
  const count = load<u32>(ring, RING_COUNT);
  let at = min<u32>(load<u32>(position, POSITION_OLDER), count);
  for (let tried: u32 = 0; tried < count; tried++) {
    at = (at == 0 ? count : at) - 1;
    const real = reals + at * REAL_LEN;
    if (!takes(image, state, ring, real)) continue;
    store<u32>(position, at, POSITION_OLDER);
    store<u32>(position, load<u32>(real, REAL_SERIAL), POSITION_SERIAL);
    return at;
  }
  return REAL_NONE;
}

/**
 * The next server that has at least the weight now required, from newer to older; at the list's end less is required,
 * and after the least as much as at first (ip_vs_wrr.c). The heaviest server always qualifies, so two walks suffice. REAL_NONE
 * where none has weight.
 */
export function takeWeightedRound(image: Image, state: State, ring: usize, number: u32): u32 {
  const position = positionOf(image, state, ring, number);
  if (load<u32>(ring, RING_WEIGHT_MAX) == 0) return REAL_NONE;
  if ((load<u32>(ring, RING_FLAGS) & RING_FLAG_LIMITED) != 0)
    return takeLimitedRound(image, state, ring, position);
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
