import { SCHEDULER_NQ, SCHEDULER_WLC } from "../../abi/server";
import { Image } from "../../image";
import { State } from "../../state";
import { COUNTER_ACTIVE } from "../ipvs/layout";
import { REAL_DESTINATION, REAL_LEN, REAL_NONE, REAL_WEIGHT, RING_BLOCK, RING_COUNT } from "./layout";
import { firstRow, isOverloaded, overheadIn, strideOf } from "./loads";

/** The server with the least overhead of those that have weight, whichever (ip_vs_lc.c): from newer to older, as all here. */
export function takeLeast(image: Image, state: State, ring: usize): u32 {
  const reals = image.to(load<u32>(ring, RING_BLOCK));
  const stride = strideOf(image, state);
  const rows = firstRow(image, state, stride);
  let least = REAL_NONE;
  let leastOverhead: u32 = 0;
  for (let at = load<u32>(ring, RING_COUNT); at-- != 0; ) {
    const real = reals + at * REAL_LEN;
    const row = rows + load<u32>(real, REAL_DESTINATION) * stride;
    if (load<u32>(real, REAL_WEIGHT) == 0 || isOverloaded(row)) continue;
    const overhead = <u32>overheadIn(row);
    if (least != REAL_NONE && overhead >= leastOverhead) continue;
    least = at;
    leastOverhead = overhead;
  }
  return least;
}

/**
 * The server with the least overhead by its weight, compared crosswise in 64 bits (ip_vs_wlc.c); with `expected` the
 * overhead is that of the active connections with this one (ip_vs_sed.c).
 */
function leastWeighted(image: Image, state: State, ring: usize, expected: bool): u32 {
  const reals = image.to(load<u32>(ring, RING_BLOCK));
  const stride = strideOf(image, state);
  const rows = firstRow(image, state, stride);
  let least = REAL_NONE;
  let leastOverhead: i64 = 0;
  let leastWeight: i64 = 0;
  for (let at = load<u32>(ring, RING_COUNT); at-- != 0; ) {
    const real = reals + at * REAL_LEN;
    const row = rows + load<u32>(real, REAL_DESTINATION) * stride;
    const weight = <i64>load<u32>(real, REAL_WEIGHT);
    if (isOverloaded(row) || (least == REAL_NONE && weight == 0)) continue;
    const overhead = <i64>(expected ? load<i32>(row, COUNTER_ACTIVE) + 1 : overheadIn(row));
    if (least != REAL_NONE && leastOverhead * weight <= overhead * leastWeight) continue;
    least = at;
    leastOverhead = overhead;
    leastWeight = weight;
  }
  return least;
}

/** The first server without active connections, or else the one that sed takes (ip_vs_nq.c). */
function takeIdle(image: Image, state: State, ring: usize): u32 {
  const reals = image.to(load<u32>(ring, RING_BLOCK));
  const stride = strideOf(image, state);
  const rows = firstRow(image, state, stride);
  for (let at = load<u32>(ring, RING_COUNT); at-- != 0; ) {
    const real = reals + at * REAL_LEN;
    const row = rows + load<u32>(real, REAL_DESTINATION) * stride;
    if (load<u32>(row, COUNTER_ACTIVE) != 0) continue;
    if (load<u32>(real, REAL_WEIGHT) != 0 && !isOverloaded(row)) return at;
  }
  return leastWeighted(image, state, ring, true);
}

/** What SCHEDULER_WLC, _SED and _NQ pick, and for all others wlc. */
export function takeLeastWeighted(image: Image, state: State, ring: usize, code: u32): u32 {
  if (code == SCHEDULER_NQ) return takeIdle(image, state, ring);
  return leastWeighted(image, state, ring, code != SCHEDULER_WLC);
}
