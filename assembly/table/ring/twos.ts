import { Image } from "../../image";
import { Packet } from "../../packet";
import { untoldBelow } from "../../random";
import { REAL_DESTINATION, REAL_LEN, REAL_NONE, REAL_WEIGHT, RING_BLOCK, RING_COUNT } from "./layout";
import { isOverloaded, overheadIn, rowOf } from "./loads";

function overheadOf(packet: Packet, real: usize): i32 {
  return overheadIn(rowOf(packet.image, packet.state, load<u32>(real, REAL_DESTINATION)));
}

/** The weight of a server for the draw, 0 where it takes nothing. */
function shareOf(packet: Packet, real: usize): i32 {
  const isOut = isOverloaded(rowOf(packet.image, packet.state, load<u32>(real, REAL_DESTINATION)));
  return isOut ? 0 : load<i32>(real, REAL_WEIGHT);
}

/** Goes through the servers with weight, from newer to older, until a draw is used up. */
function drawn(packet: Packet, reals: usize, count: u32, draw: i32): u32 {
  for (let at = count; at-- != 0; ) {
    const share = shareOf(packet, reals + at * REAL_LEN);
    if (share == 0) continue;
    draw -= share;
    if (draw <= 0) return at;
  }
  return REAL_NONE;
}

/** Whether one server has less overhead by its weight than another, which may be none. */
function isLess(packet: Packet, reals: usize, one: u32, other: u32): bool {
  const real1 = reals + other * REAL_LEN;
  const real2 = reals + one * REAL_LEN;
  const isNone = other == REAL_NONE;
  const weight1 = isNone ? -1 : load<i32>(real1, REAL_WEIGHT);
  const overhead1 = isNone ? 0 : overheadOf(packet, real1);
  return load<i32>(real2, REAL_WEIGHT) * overhead1 > weight1 * overheadOf(packet, real2);
}

/**
 * The better of two servers that are drawn by weight (ip_vs_twos.c): sums and products are of 32 bits. A draw is of 0 up to the
 * sum, so the newest has one chance more than its weight. Whoever
 * tells the machine its choices tells it the server (turns), and no draws.
 */
export function takeOfTwo(image: Image, packet: Packet, ring: usize): u32 {
  const reals = image.to(load<u32>(ring, RING_BLOCK));
  const count = load<u32>(ring, RING_COUNT);
  let total: i32 = 0;
  let last = REAL_NONE;
  for (let at = count; at-- != 0; ) {
    const share = shareOf(packet, reals + at * REAL_LEN);
    if (share == 0) continue;
    total += share;
    last = at;
  }
  if (last == REAL_NONE) return REAL_NONE;
  const draw1 = untoldBelow(packet.state, total + 1);
  const draw2 = untoldBelow(packet.state, total + 1);
  const choice1 = drawn(packet, reals, count, draw1);
  const choice2 = drawn(packet, reals, count, draw2);
  const isBetter = choice2 != REAL_NONE && isLess(packet, reals, choice2, choice1);
  // Only of sums beyond 32 bits is a draw never used up: the oldest stands in.
  return isBetter ? choice2 : choice1 == REAL_NONE ? last : choice1;
}
