import { Image } from "../../image";
import { State } from "../../state";
import {
  POSITION_OLDER,
  POSITION_WEIGHT,
  REAL_DESTINATION,
  REAL_LEN,
  REAL_NONE,
  REAL_WEIGHT,
  RING_BLOCK,
  RING_COUNT,
  RING_STEP,
  RING_TOP,
} from "./layout";
import { isOverloaded, rowOf } from "./loads";

/** The largest weight of a server that is not overloaded. */
function mostOf(image: Image, state: State, reals: usize, count: u32): u32 {
  let most: u32 = 0;
  for (let at: u32 = 0; at < count; at++) {
    const real = reals + at * REAL_LEN;
    if (!isOverloaded(rowOf(image, state, load<u32>(real, REAL_DESTINATION))))
      most = max<u32>(most, load<u32>(real, REAL_WEIGHT));
  }
  return most;
}

/** The weight required after whole walks that find nobody, as long as some is. */
function lowered(required: u32, step: u32, most: u32): u32 {
  if (required <= most) return required;
  return required - min<u32>((required - most + step - 1) / step, (required - 1) / step) * step;
}

/**
 * wrr where servers may be overloaded: walks go on until somebody has the weight required, or until nobody was found although
 * the least was required of all. Then the walk's place, and what it required, are where the next one begins.
 */
export function takeLimitedRound(image: Image, state: State, ring: usize, position: usize): u32 {
  const reals = image.to(load<u32>(ring, RING_BLOCK));
  const count = load<u32>(ring, RING_COUNT);
  const top = load<u32>(ring, RING_TOP);
  const step = load<u32>(ring, RING_STEP);
  const most = mostOf(image, state, reals, count);
  const last = min<u32>(load<u32>(position, POSITION_OLDER), count);
  let at = last;
  let required = min<u32>(max<u32>(load<u32>(position, POSITION_WEIGHT), 1), top);
  let picked = REAL_NONE;
  /** The server at which to stop; count for none. */
  let stop = count;
  let isLastWalk = false;
  let isRestarted = false;
  while (true) {
    let isOver = false;
    while (at != 0 && picked == REAL_NONE && !isOver) {
      const real = reals + --at * REAL_LEN;
      const isOut = isOverloaded(rowOf(image, state, load<u32>(real, REAL_DESTINATION)));
      if (!isOut && load<u32>(real, REAL_WEIGHT) >= required) picked = at;
      else isOver = at == stop;
    }
    if (picked != REAL_NONE || isOver) break;
    at = count;
    if (required > step) required = lowered(required - step, step, most);
    else {
      required = top;
      if (isLastWalk || last == count) break;
      isRestarted = true;
    }
    isLastWalk = required <= step;
    if (isLastWalk && isRestarted && last != count) stop = last;
  }
  store<u32>(position, at, POSITION_OLDER);
  store<u32>(position, required, POSITION_WEIGHT);
  return picked;
}
