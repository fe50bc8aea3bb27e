import { Image } from "../image";
import { State } from "../state";
import { fib4LookupBurst } from "../table/fib4/lookup";
import { Connection, DIRECTION_ORIGINAL, FLOW_FLAG_IPVS, FLOW_STATE_ESTABLISHED } from "../table/flow/layout";
import { connectionAt, flowFindBurst, flowTouchBurst } from "../table/flow/lookup";
import { HOP_LEN } from "../table/nexthop/layout";
import { NOT_FOREGONE } from "../table/rules/foregone";
import { isLocal } from "../table/rules/match";
import { kindOf } from "./kinds";
import { FLOWS, HOPS, KEYS, KIND_UNTRACKED, KINDS, KNOWN, TOUCHED, TUPLES, WALKED } from "./layout";

/** Established and not over: its packets move nothing but its timer. */
export function isSteady(connection: Connection, now: u64): bool {
  return connection.state == FLOW_STATE_ESTABLISHED && connection.expires > now;
}

/**
 * Where, in a connection's record, the tuple begins that its packets of a direction get: dst, src, dst port << 16 | src
 * port. It is the reply's tuple seen from its far end, or the original's.
 */
export function translationOf(connection: Connection, flow: u32): usize {
  const at = changetype<usize>(connection);
  return (flow & 1) == DIRECTION_ORIGINAL
    ? at + offsetof<Connection>("replySrc")
    : at + offsetof<Connection>("src");
}

/** Packets of which nothing is remembered: all or none. */
function pass(scratch: usize, untracked: u64): u64 {
  const walked = load<u32>(scratch + (KIND_UNTRACKED << 2), KINDS);
  if (walked == NOT_FOREGONE) return 0;
  let rest = untracked;
  while (rest != 0) {
    store<u32>(scratch + ((<usize>ctz<u64>(rest)) << 2), walked, WALKED);
    rest &= rest - 1;
  }
  return untracked;
}

/** Keeps of the packets in `tracked` those of steady connections, and sets the destinations that are routed. */
function follow(image: Image, state: State, scratch: usize, tracked: u64): u64 {
  let steady: u64 = 0;
  let rest = tracked;
  while (rest != 0) {
    const i = ctz<u64>(rest);
    rest &= rest - 1;
    const entry = scratch + ((<usize>i) << 2);
    const flow = load<u32>(entry, FLOWS);
    const connection = connectionAt(state, flow >> 1);
    // IPVS gives its packets a destination when they have come in to the node, so theirs must still be one of its own.
    const isBalanced = (connection.flags & FLOW_FLAG_IPVS) != 0 && (flow & 1) == DIRECTION_ORIGINAL;
    const isHere = !isBalanced || isLocal(image, load<u32>(scratch + TUPLES + ((<usize>i) << 4), 4));
    const walked = load<u32>(scratch + (kindOf(connection.flags, isBalanced) << 2), KINDS);
    // Record 0 is nobody's, and never steady.
    steady |= (<u64>(isSteady(connection, state.now) && isHere && walked != NOT_FOREGONE)) << i;
    store<u32>(entry, walked, WALKED);
    store<u32>(entry, load<u32>(translationOf(connection, flow)), KEYS);
  }
  return steady;
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

/**
 * Finds the connections and next hops of a burst's express packets, without a change to either: those for which
 * nothing is left to decide.
 */
export function resolve(image: Image, state: State, scratch: usize, count: u32, fits: u64): u64 {
  const tracked = load<u64>(scratch, KNOWN);
  let express: u64 = 0;
  if (tracked != 0) {
    flowFindBurst(state, scratch + TUPLES, count, scratch + FLOWS);
    store<u32>(scratch, flowTouchBurst(state, scratch + FLOWS, count), TOUCHED);
    express = follow(image, state, scratch, tracked);
  }
  if (tracked != fits) express |= pass(scratch, fits & ~tracked);
  fib4LookupBurst(image, scratch + KEYS, count, scratch + HOPS);
  store<u32>(scratch, touchHops(image, scratch, count), TOUCHED);
  return express;
}
