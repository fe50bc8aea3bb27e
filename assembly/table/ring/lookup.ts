import { Image } from "../../image";
import { State } from "../../state";
import { REAL_LEN, REAL_WEIGHT, RING_BLOCK, RING_COUNT, RING_LEN } from "./layout";

/** No real server can take the connection. */
export const REAL_NONE: u32 = 0xffffffff;

/**
 * The number of the real server that round robin picks: the next with weight, from newer to older (ip_vs_rr.c adds a
 * destination at the head of its list). The state keeps, for each virtual server, the number last picked, which
 * servers added later leave as it is.
 */
export function ringPick(image: Image, state: State, number: u32): u32 {
  const ring = image.to(image.serversAt) + number * RING_LEN;
  const count = load<u32>(ring, RING_COUNT);
  const next = state.to(state.positionsAt) + number * 4;
  let position = min<u32>(load<u32>(next), count);
  for (let tried: u32 = 0; tried < count; tried++) {
    position = (position == 0 ? count : position) - 1;
    if (load<u32>(realAt(image, number, position), REAL_WEIGHT) != 0) {
      store<u32>(next, position);
      return position;
    }
  }
  return REAL_NONE;
}

export function realAt(image: Image, number: u32, position: u32): usize {
  const ring = image.to(image.serversAt) + number * RING_LEN;
  return image.to(load<u32>(ring, RING_BLOCK)) + position * REAL_LEN;
}
