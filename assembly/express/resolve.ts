import { Image } from "../image";
import { State } from "../state";
import { fib4LookupBurst } from "../table/fib4/lookup";
import { BUCKETS_FAR_BESIDE_PACKETS, flowFindBurst, flowTouchBurst } from "../table/flow/lookup";
import { HOP_LEN } from "../table/nexthop/layout";
import { follow } from "./follow";
import { planHops, TUNNELLED } from "./hops";
import { FLOWS, GIVEN, GROWTH, HOPS, KEYS, TOUCHED, TUPLES } from "./layout";
import { planOuter } from "./outer";
import { planTuples } from "./tuples";

/** Finds the connections of a burst's packets, some of which (bits) have one: those that are steady. */
export function findConnections(image: Image, state: State, scratch: usize, count: u32, tracked: u64): u64 {
  if (tracked == 0) return 0;
  flowFindBurst(state, scratch + TUPLES, count, scratch + FLOWS, BUCKETS_FAR_BESIDE_PACKETS);
  store<u32>(scratch, flowTouchBurst(state, scratch + FLOWS, count), TOUCHED);
  return follow(image, state, scratch, count, tracked);
}

/**
 * Loads both cache lines of every next hop, so that misses overlap (wasm has no prefetch). The sum has to be used for
 * the loads to be made.
 */
function touchHops(image: Image, scratch: usize, count: u32): u32 {
  const hops = image.to(image.nextHopsAt);
  const last = max<u32>(image.nextHopsRoom, 1) - 1;
  let sum: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const hop = hops + min<u32>(load<u32>(scratch + (i << 2), HOPS), last) * HOP_LEN;
    sum += load<u32>(hop) + load<u32>(hop, HOP_LEN / 2);
  }
  return sum;
}

/** Plans what becomes of a burst's packets: bits of those about whose way out something is still to be decided. */
function plan(image: Image, batch: usize, scratch: usize, count: u32): u64 {
  let stuck: u64 = 0;
  for (let i: u32 = 0; i < count; i += 4) {
    const entry = scratch + (i << 2);
    if (v128.any_true(v128.load(entry, GIVEN))) planTuples(scratch, i);
    else v128.store(entry, i32x4.splat(0), GROWTH);
    const bits = planHops(image, batch, entry);
    stuck |= (<u64>(bits & (TUNNELLED - 1))) << i;
    if (bits >= TUNNELLED) planOuter(entry);
  }
  return stuck;
}

/**
 * Finds the connections and next hops of a burst's express packets (`fits`), without a change to either: those for
 * which nothing is left to decide, and what becomes of them.
 */
export function resolve(
  image: Image,
  state: State,
  batch: usize,
  scratch: usize,
  count: u32,
  fits: u64,
): u64 {
  const express = findConnections(image, state, scratch, count, fits);
  fib4LookupBurst(image, scratch + KEYS, count, scratch + HOPS);
  store<u32>(scratch, touchHops(image, scratch, count), TOUCHED);
  return express & ~plan(image, batch, scratch, count);
}
