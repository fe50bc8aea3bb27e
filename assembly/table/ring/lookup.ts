import { Image } from "../../image";
import { REAL_LEN, REAL_WEIGHT, RING_BLOCK, RING_COUNT, RING_LEN, RING_NEXT } from "./layout";

/** No real server can take the connection. */
export const REAL_NONE: u32 = 0xffffffff;

/** The position of the real server that round robin picks: the next in list order with weight (ip_vs_rr.c). */
export function ringPick(image: Image, number: u32): u32 {
  const ring = image.to(image.serversAt) + number * RING_LEN;
  const count = load<u32>(ring, RING_COUNT);
  let position = load<u32>(ring, RING_NEXT);
  for (let tried: u32 = 0; tried < count; tried++) {
    if (position >= count) position = 0;
    if (load<u32>(realAt(image, number, position), REAL_WEIGHT) != 0) {
      store<u32>(ring, position + 1, RING_NEXT);
      return position;
    }
    position++;
  }
  return REAL_NONE;
}

export function realAt(image: Image, number: u32, position: u32): usize {
  const ring = image.to(image.serversAt) + number * RING_LEN;
  return image.to(load<u32>(ring, RING_BLOCK)) + position * REAL_LEN;
}
