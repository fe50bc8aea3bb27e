import { Image } from "../image";
import { State } from "../state";
import {
  CONNECTION_LEN,
  Connection,
  DIRECTION_ORIGINAL,
  FLOW_FLAG_IPVS,
  FLOW_FLAG_OWN,
  FLOW_STATE_ESTABLISHED,
} from "../table/flow/layout";
import { connectionAt } from "../table/flow/lookup";
import { WALK_SESSION, walksAt } from "../table/flow/walks";
import { NOT_FOREGONE } from "../table/rules/foregone";
import { KIND_MASK, KIND_SHIFT } from "./kinds";
import { Lanes } from "./lanes";
import {
  DSTS,
  FLOWS,
  GIVEN,
  KEYS,
  KIND_BALANCED,
  KINDS,
  PORTS,
  SESSIONS,
  SRCS,
  TUPLES,
  WALKED,
} from "./layout";
import { checkSessions, isStillLed } from "./led";
import { isStillWalked, walkedBefore } from "./walked";

/** In GIVEN: what IPVS gave its destination is sent on as by a router (stage/leave.ts). */
export const GIVEN_ROUTED: i32 = 1;
/** What rules make of it is known from the one before it. */
const GIVEN_WALKED: i32 = 2;
/** The address of a tuple. */
export const GIVEN_TUPLE: i32 = ~(GIVEN_ROUTED | GIVEN_WALKED);

/** Established and not over: its packets move nothing but its timer. */
function isSteady(connection: Connection, now: u64): bool {
  return connection.state == FLOW_STATE_ESTABLISHED && connection.expires > now;
}

/** The same of four, whose states and ends (a half of 64 bits each) stand abreast. */
function areSteady(states: v128, low: v128, high: v128, now: u64): v128 {
  const nowHigh = i32x4.splat(<u32>(now >> 32));
  const isLater = v128.and(i32x4.eq(high, nowHigh), i32x4.gt_u(low, i32x4.splat(<u32>now)));
  const isLive = v128.or(i32x4.gt_u(high, nowHigh), isLater);
  return v128.and(isLive, i32x4.eq(states, i32x4.splat(FLOW_STATE_ESTABLISHED)));
}

/** Of `followFour`, above the bits of steady ones: those of which IPVS has to say the same. */
const LED: u32 = 1 << 4;

/**
 * Of four packets, some of connections (bits): those of steady ones, with the tuples that they get and the
 * destinations that are routed. In a connection's record a packet's tuple stands as dst, src, dst port << 16 | src
 * port: it is the reply's seen from its far end, or the original's.
 */
function followFour(image: Image, state: State, scratch: usize, entry: usize, tracked: u32): u32 {
  const flows = v128.load(entry, FLOWS);
  const numbers = i32x4.mul(i32x4.shr_u(flows, 1), i32x4.splat(CONNECTION_LEN));
  const records = i32x4.add(numbers, i32x4.splat(<u32>state.to(state.recordsAt)));
  const r0 = v128.load(Lanes.address0(records), offsetof<Connection>("expires"));
  const r1 = v128.load(Lanes.address1(records), offsetof<Connection>("expires"));
  const r2 = v128.load(Lanes.address2(records), offsetof<Connection>("expires"));
  const r3 = v128.load(Lanes.address3(records), offsetof<Connection>("expires"));
  const flags = Lanes.fourth(r0, r1, r2, r3);
  const isSteady = areSteady(
    Lanes.gatherAt(records, offsetof<Connection>("state")),
    Lanes.first(r0, r1, r2, r3),
    Lanes.second(r0, r1, r2, r3),
    state.now,
  );
  const isOriginal = i32x4.eq(v128.and(flows, i32x4.splat(1)), i32x4.splat(DIRECTION_ORIGINAL));
  const given = i32x4.add(records, v128.and(isOriginal, i32x4.splat(offsetof<Connection>("replySrc"))));
  const isIpvs = i32x4.ne(v128.and(flags, i32x4.splat(FLOW_FLAG_IPVS)), i32x4.splat(0));
  const isBalanced = v128.and(isIpvs, isOriginal);
  const translated = v128.and(i32x4.shr_u(flags, KIND_SHIFT), i32x4.splat(KIND_MASK));
  const kinds = v128.bitselect(i32x4.splat(KIND_BALANCED), translated, isBalanced);
  const walked = Lanes.gatherAt(i32x4.add(i32x4.shl(kinds, 2), i32x4.splat(<u32>scratch)), KINDS);
  v128.store(entry, walked, WALKED);
  const isTracked = Lanes.ofBits(tracked);
  // Record 0 is nobody's, and never steady. What is from the node itself does not come from outside (stage/martian.ts).
  const isPassing = i32x4.eq(v128.and(flags, i32x4.splat(FLOW_FLAG_OWN)), i32x4.splat(0));
  const mayGo = v128.and(v128.and(isSteady, isPassing), isTracked);
  const isForegone = i32x4.ne(walked, i32x4.splat(NOT_FOREGONE));
  const isAsked = v128.andnot(mayGo, isForegone);
  let isKnown = i32x4.splat(0);
  if (v128.any_true(v128.or(isAsked, isIpvs))) {
    const walks = i32x4.add(
      i32x4.shl(v128.andnot(flows, i32x4.splat(1)), 3),
      i32x4.splat(<u32>walksAt(state)),
    );
    v128.store(entry, v128.and(Lanes.gatherAt(walks, WALK_SESSION), isIpvs), SESSIONS);
    if (v128.any_true(isAsked)) isKnown = walkedBefore(image, entry, walks);
  }
  const dst = Lanes.gatherAt(given, 0);
  const own = v128.load(entry, DSTS);
  const routed = v128.and(v128.and(isBalanced, i32x4.ne(dst, own)), i32x4.splat(GIVEN_ROUTED));
  const before = v128.and(v128.and(isAsked, isKnown), i32x4.splat(GIVEN_WALKED));
  v128.store(entry, v128.and(v128.or(v128.or(given, routed), before), isTracked), GIVEN);
  v128.store(entry, v128.bitselect(dst, own, isTracked), KEYS);
  const steady = <u32>i32x4.bitmask(v128.and(mayGo, v128.or(isForegone, isKnown)));
  return steady | ((<u32>i32x4.bitmask(isIpvs) & steady) * LED);
}

/** Of a burst's packets, some of connections (bits): those of which nothing is left to decide but the way out. */
export function follow(image: Image, state: State, scratch: usize, count: u32, tracked: u64): u64 {
  let steady: u64 = 0;
  let led: u64 = 0;
  for (let i: u32 = 0; i < count; i += 4) {
    const lanes = <u32>(tracked >> i) & 15;
    if (lanes == 0) continue;
    const bits = followFour(image, state, scratch, scratch + (i << 2), lanes);
    steady |= (<u64>(bits & (LED - 1))) << i;
    led |= (<u64>(bits / LED)) << i;
  }
  return led == 0 ? steady : (steady & ~led) | checkSessions(image, state, scratch, led);
}

/** Whether a connection is still what it was when the burst began: another packet may have closed or opened it since. */
export function isStill(image: Image, state: State, scratch: usize, i: u32): bool {
  const entry = scratch + (i << 2);
  const flow = load<u32>(entry, FLOWS);
  const connection = connectionAt(state, flow >> 1);
  const isOriginal = (flow & 1) == DIRECTION_ORIGINAL;
  const own =
    changetype<usize>(connection) +
    (isOriginal ? offsetof<Connection>("src") : offsetof<Connection>("replySrc"));
  const word = load<u32>(entry, GIVEN);
  const given = <usize>(word & GIVEN_TUPLE);
  const tuple = scratch + (i << 4);
  return (
    isSteady(connection, state.now) &&
    load<u64>(tuple, TUPLES) == load<u64>(own) &&
    load<u32>(tuple, TUPLES + 8) == load<u32>(own, 8) &&
    load<u32>(tuple, TUPLES + 12) == connection.protocol &&
    load<u32>(entry, DSTS) == load<u32>(given) &&
    load<u32>(entry, SRCS) == load<u32>(given, 4) &&
    load<u32>(entry, PORTS) == rotl<u32>(load<u32>(given, 8), 16) &&
    ((word & GIVEN_WALKED) == 0 || isStillWalked(image, state, entry)) &&
    isStillLed(image, state, entry)
  );
}
