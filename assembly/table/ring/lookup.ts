import {
  SCHEDULER_CODE_MASK,
  SCHEDULER_DH,
  SCHEDULER_FLAG_FALLBACK,
  SCHEDULER_FLAG_PORT,
  SCHEDULER_FO,
  SCHEDULER_LBLC,
  SCHEDULER_LBLCR,
  SCHEDULER_LC,
  SCHEDULER_MAGLEV,
  SCHEDULER_MH,
  SCHEDULER_OVF,
  SCHEDULER_RR,
  SCHEDULER_TWOS,
  SCHEDULER_WRR,
} from "../../abi/server";
import { Image } from "../../image";
import { Packet } from "../../packet";
import { State } from "../../state";
import { foldAddress, hash32, KEY_OFFSET, sipHash } from "./hash";
import { takeHeaviest } from "./heaviest";
import {
  REAL_ADDRESS,
  REAL_HIGH,
  REAL_LEN,
  REAL_NONE,
  REAL_PORT,
  REAL_WEIGHT,
  RING_BLOCK,
  RING_COUNT,
  RING_FLAG_LIMITED,
  RING_FLAGS,
  RING_LEN,
  RING_SCHEDULER,
  RING_SIZE,
  RING_SLOTS,
  RING_WEIGHT_MAX,
  SLOT_LEN,
} from "./layout";
import { takeLeast, takeLeastWeighted } from "./least";
import { takeLocal } from "./local";
import { positionOf } from "./position";
import { takeReplicated } from "./replicated";
import { takeRound, takes, takeWeightedRound } from "./rounds";
import { takeOfTwo } from "./twos";

export function ringAt(image: Image, number: u32): usize {
  return image.to(image.serversAt) + number * RING_LEN;
}

export function realOf(image: Image, ring: usize, position: u32): usize {
  return image.to(load<u32>(ring, RING_BLOCK)) + position * REAL_LEN;
}

/** Gives a packet a real server as its destination. */
export function takeReal(packet: Packet, real: usize): void {
  packet.dst = load<u32>(real, REAL_ADDRESS);
  packet.dstHigh = v128.replace_lane<u32>(v128.load(real, REAL_HIGH), 3, 0);
  packet.ports = (packet.ports & 0xffff0000) | load<u32>(real, REAL_PORT);
}

export function slotsOf(image: Image, ring: usize): usize {
  return image.to(load<u32>(ring, RING_SLOTS));
}

/**
 * The real server that has a slot of a ring (addresses of its slots and of its `count` real servers), or REAL_NONE
 * where that is none or takes nothing (weight 0).
 */
export function slotReal(slots: usize, reals: usize, count: u32, slot: u32): u32 {
  const real: u32 = load<u16>(slots + slot * SLOT_LEN);
  return real < count && load<u32>(reals + real * REAL_LEN, REAL_WEIGHT) != 0 ? real : REAL_NONE;
}

/** The real server that a 5-tuple's hash chooses in a ring of SCHEDULER_MAGLEV, or REAL_NONE. */
export function tupleReal(image: Image, ring: usize, hash: u32): u32 {
  const slot = slotOfHash(hash, load<u32>(ring, RING_SIZE));
  return slotReal(slotsOf(image, ring), realOf(image, ring, 0), load<u32>(ring, RING_COUNT), slot);
}

/** The slot of a 5-tuple's hash, for any size. */
export function slotOfHash(hash: u32, size: u32): u32 {
  return <u32>((<u64>hash * size) >> 32);
}

/** What a ring hashes: an address, folded, and where that counts too the source port. */
function clientOf(ring: usize, address: u32, port: u32): u32 {
  return (load<u32>(ring, RING_SCHEDULER) & SCHEDULER_FLAG_PORT) == 0 ? address : address + port;
}

/** The slot of a packet in a ring that hashes its source address or, of SCHEDULER_DH, its destination; folded. */
export function clientSlot(ring: usize, address: u32, port: u32): u32 {
  const code = load<u32>(ring, RING_SCHEDULER) & SCHEDULER_CODE_MASK;
  return slotOfClient(clientOf(ring, address, port), code, load<u32>(ring, RING_SIZE));
}

/** The slot of a client (address and port added up), as ip_vs_mh.c, or ip_vs_sh.c since Linux 4.18. */
function slotOfClient(client: u32, code: u32, size: u32): u32 {
  return code == SCHEDULER_MH ? sipHash(client, KEY_OFFSET) % size : hash32(client, <u32>ctz<u32>(size));
}

/** The server that has a slot, unless it takes nothing now. */
function freeReal(image: Image, state: State, ring: usize, slot: u32): u32 {
  const real = slotReal(slotsOf(image, ring), realOf(image, ring, 0), load<u32>(ring, RING_COUNT), slot);
  if (real == REAL_NONE || takes(image, state, ring, realOf(image, ring, real))) return real;
  return REAL_NONE;
}

/**
 * Goes through other slots of the client's until one's server takes something (ip_vs_mh_get_fallback): mh adds what it
 * tries to the client before the hash, sh to the slot behind it (ip_vs_sh_hashkey).
 */
function fallBack(image: Image, state: State, ring: usize, client: u32, code: u32, first: u32): u32 {
  const size = load<u32>(ring, RING_SIZE);
  for (let tried: u32 = 0; tried < size; tried++) {
    const offset = (first + tried) % size;
    const slot = code == SCHEDULER_MH ? slotOfClient(client + offset, code, size) : (first + offset) % size;
    const real = freeReal(image, state, ring, slot);
    if (real != REAL_NONE) return real;
  }
  return REAL_NONE;
}

/** By the client, or for dh by the address that it calls. */
function clientReal(image: Image, state: State, ring: usize, number: u32, packet: Packet): u32 {
  if ((load<u32>(ring, RING_FLAGS) & RING_FLAG_LIMITED) != 0) positionOf(image, state, ring, number);
  const scheduler = load<u32>(ring, RING_SCHEDULER);
  const code = scheduler & SCHEDULER_CODE_MASK;
  const address =
    code == SCHEDULER_DH ? foldAddress(packet.dstHigh, packet.dst) : foldAddress(packet.srcHigh, packet.src);
  const client = clientOf(ring, address, packet.srcPort);
  const slot = slotOfClient(client, code, load<u32>(ring, RING_SIZE));
  const real = freeReal(image, state, ring, slot);
  if (real != REAL_NONE || (scheduler & SCHEDULER_FLAG_FALLBACK) == 0) return real;
  return fallBack(image, state, ring, client, code, slot);
}

/** Whether a virtual server's real one at a position may be given new connections. */
export function canTake(image: Image, state: State, ring: usize, position: u32): bool {
  return takes(image, state, ring, realOf(image, ring, position));
}

/** Schedulers that go by connections. */
function loadReal(image: Image, state: State, ring: usize, number: u32, packet: Packet): u32 {
  const code = load<u32>(ring, RING_SCHEDULER) & SCHEDULER_CODE_MASK;
  const position = positionOf(image, state, ring, number);
  if (code == SCHEDULER_LC) return takeLeast(image, state, ring);
  if (code == SCHEDULER_LBLC) return takeLocal(packet, ring, number, position);
  if (code == SCHEDULER_LBLCR) return takeReplicated(packet, ring, number, position);
  if (code == SCHEDULER_FO || code == SCHEDULER_OVF)
    return takeHeaviest(image, state, ring, code == SCHEDULER_OVF);
  if (code == SCHEDULER_TWOS) return takeOfTwo(image, packet, ring);
  return takeLeastWeighted(image, state, ring, code);
}

/**
 * The position of the real server that virtual server `number` gives a packet, the first of a connection as its client sent
 * it, or REAL_NONE. What a scheduler remembers it keeps in the state.
 */
export function ringPick(image: Image, state: State, number: u32, packet: Packet): u32 {
  const ring = ringAt(image, number);
  const code = load<u32>(ring, RING_SCHEDULER) & SCHEDULER_CODE_MASK;
  if (code == SCHEDULER_RR) return takeRound(image, state, ring, number);
  if (code == SCHEDULER_WRR) return takeWeightedRound(image, state, ring, number);
  if (load<u32>(ring, RING_WEIGHT_MAX) == 0) return REAL_NONE;
  if (code > SCHEDULER_MAGLEV) return loadReal(image, state, ring, number, packet);
  if (code == SCHEDULER_MAGLEV) return tupleReal(image, ring, packet.tupleHash);
  return clientReal(image, state, ring, number, packet);
}
