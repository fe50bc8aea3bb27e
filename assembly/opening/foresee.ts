import {
  SCHEDULER_CODE_MASK,
  SCHEDULER_DH,
  SCHEDULER_FO,
  SCHEDULER_LC,
  SCHEDULER_MH,
  SCHEDULER_NQ,
  SCHEDULER_OVF,
  SCHEDULER_RR,
  SCHEDULER_SED,
  SCHEDULER_SH,
  SCHEDULER_WLC,
  SCHEDULER_WRR,
} from "../abi/server";
import { TUPLES } from "../express/layout";
import { Image } from "../image";
import { State } from "../state";
import { addressHalf, bucketAt, restHalf } from "../table/flow/bucket";
import { counterAt } from "../table/ipvs/counters";
import { Ipvs, SERVICE_LEN, TURN_SERVER } from "../table/ipvs/layout";
import {
  POSITION_LEN,
  POSITION_OLDER,
  REAL_ADDRESS,
  REAL_DESTINATION,
  REAL_PORT,
  RING_COUNT,
  RING_FLAG_LIMITED,
  RING_FLAG_UNMASQUERADED,
  RING_FLAGS,
  RING_FLAGS_SERVICE,
  RING_MARK,
  RING_PORT,
  RING_SCHEDULER,
  SLOT_LEN,
} from "../table/ring/layout";
import { clientSlot, realOf, slotsOf } from "../table/ring/lookup";
import { positionOf } from "../table/ring/position";
import { REALS, REPLIES, RINGS, ROWS, SERVICES, SLOTS, TOUCHED } from "./layout";

/**
 * What packets' schedulers will come to, as far as that can be told beforehand, is loaded ahead of time. Nothing here
 * decides: who is picked depends on the packets before.
 */

/** What makes a service, or any of its servers, other than plain. */
const ODD: u32 = RING_FLAGS_SERVICE | RING_FLAG_LIMITED | RING_FLAG_UNMASQUERADED;

/** Schedulers, a bit each, that change nothing where they pick nobody, and draw nothing. */
const PLAIN: u32 =
  (1 << SCHEDULER_RR) |
  (1 << SCHEDULER_WRR) |
  (1 << SCHEDULER_SH) |
  (1 << SCHEDULER_DH) |
  (1 << SCHEDULER_MH) |
  (1 << SCHEDULER_LC) |
  (1 << SCHEDULER_WLC) |
  (1 << SCHEDULER_SED) |
  (1 << SCHEDULER_NQ) |
  (1 << SCHEDULER_FO) |
  (1 << SCHEDULER_OVF);

export function codeAt(ring: usize): u32 {
  return load<u32>(ring, RING_SCHEDULER) & SCHEDULER_CODE_MASK;
}

export function isHashing(code: u32): bool {
  return code >= SCHEDULER_SH && code <= SCHEDULER_MH;
}

function positionAt(state: State, service: u32): usize {
  return state.to(state.positionsAt) + (service - 1) * POSITION_LEN;
}

/** Loads rings, schedulers' positions and services' statistics. */
function touchRings(state: State, ipvs: State, plan: usize, bits: u64): void {
  const services = ipvs.to(Ipvs.of(ipvs).servicesAt);
  let sum: u32 = 0;
  for (let rest = bits; rest != 0; rest &= rest - 1) {
    const entry = plan + ((<usize>ctz<u64>(rest)) << 2);
    const service = load<u32>(entry, SERVICES);
    sum +=
      load<u32>(load<u32>(entry, RINGS)) +
      load<u32>(positionAt(state, service)) +
      load<u32>(services + (service - 1) * SERVICE_LEN);
  }
  store<u32>(plan, sum, TOUCHED);
}

/** Whether the ring is plain, with the port that the packet is to. */
function isFit(ring: usize, port: u32): bool {
  const differs =
    (load<u32>(ring, RING_FLAGS) & ODD) | load<u32>(ring, RING_MARK) | (load<u32>(ring, RING_PORT) ^ port);
  return differs == 0 && load<u32>(ring, RING_COUNT) != 0 && ((PLAIN >> codeAt(ring)) & 1) != 0;
}

/** The address of the server that is expected to be next, or of the slot that says which. */
function expected(image: Image, state: State, ring: usize, service: u32, tuple: usize, entry: usize): usize {
  const code = codeAt(ring);
  if (isHashing(code)) {
    const address = tuple + (code == SCHEDULER_DH ? 4 : 0);
    const slot = clientSlot(ring, load<u32>(address), load<u32>(tuple, 8) >> 16);
    store<u32>(entry, slot, SLOTS);
    return slotsOf(image, ring) + slot * SLOT_LEN;
  }
  if (code > SCHEDULER_WRR) return realOf(image, ring, 0);
  const count = load<u32>(ring, RING_COUNT);
  const at = min<u32>(load<u32>(positionAt(state, service), POSITION_OLDER), count);
  return realOf(image, ring, (at == 0 ? count : at) - 1);
}

/** Loads from the addresses of a column, of packets (bits). */
function touchAll(plan: usize, column: u32, bits: u64): void {
  let sum: u32 = 0;
  for (let rest = bits; rest != 0; rest &= rest - 1)
    sum += load<u32>(load<u32>(plan + column + ((<usize>ctz<u64>(rest)) << 2)));
  store<u32>(plan, sum, TOUCHED);
}

/** Where slots stood, the servers that have them; bits of rings that hash. */
function readSlots(image: Image, plan: usize, bits: u64): void {
  touchAll(plan, REALS, bits);
  for (let rest = bits; rest != 0; rest &= rest - 1) {
    const entry = plan + ((<usize>ctz<u64>(rest)) << 2);
    const ring = <usize>load<u32>(entry, RINGS);
    const real: u32 = load<u16>(load<u32>(entry, REALS));
    store<u32>(entry, <u32>realOf(image, ring, real < load<u32>(ring, RING_COUNT) ? real : 0), REALS);
  }
}

/** The bucket of the tuple that a server's answers to a packet have. */
export function replyBucket(ipvs: State, tuple: usize, real: usize): usize {
  const addresses = addressHalf(load<u32>(real, REAL_ADDRESS), load<u32>(tuple));
  const ports = load<u32>(tuple, 8);
  const own = load<u32>(real, REAL_PORT);
  const rest = restHalf(((own == 0 ? ports : own) << 16) | (ports >> 16), load<u32>(tuple, 12) ^ TURN_SERVER);
  return bucketAt(ipvs, addresses, rest);
}

/** Finds what a new connection to each expected server touches, and loads from it. */
function touchServers(ipvs: State, scratch: usize, plan: usize, bits: u64): void {
  touchAll(plan, REALS, bits);
  for (let rest = bits; rest != 0; rest &= rest - 1) {
    const i = <usize>ctz<u64>(rest);
    const entry = plan + (i << 2);
    const real = <usize>load<u32>(entry, REALS);
    store<u32>(entry, <u32>counterAt(ipvs, load<u32>(real, REAL_DESTINATION)), ROWS);
    store<u32>(entry, <u32>replyBucket(ipvs, scratch + TUPLES + (i << 4), real), REPLIES);
  }
  touchAll(plan, ROWS, bits);
  touchAll(plan, REPLIES, bits);
}

/** Looks ahead at packets (bits) to virtual servers; bits of those whose connections are plain. */
export function foresee(
  image: Image,
  state: State,
  ipvs: State,
  scratch: usize,
  plan: usize,
  bits: u64,
): u64 {
  touchRings(state, ipvs, plan, bits);
  let fit: u64 = 0;
  let hashing: u64 = 0;
  for (let rest = bits; rest != 0; rest &= rest - 1) {
    const i = <usize>ctz<u64>(rest);
    const entry = plan + (i << 2);
    const tuple = scratch + TUPLES + (i << 4);
    const ring = <usize>load<u32>(entry, RINGS);
    const service = load<u32>(entry, SERVICES);
    if (!isFit(ring, load<u32>(tuple, 8) & 0xffff)) continue;
    // The counters of a ring's servers are theirs once the state took note of it.
    positionOf(image, state, ring, service - 1);
    store<u32>(entry, <u32>expected(image, state, ring, service, tuple, entry), REALS);
    fit |= rest & -rest;
    if (isHashing(codeAt(ring))) hashing |= rest & -rest;
  }
  if (hashing != 0) readSlots(image, plan, hashing);
  touchServers(ipvs, scratch, plan, fit);
  return fit;
}
