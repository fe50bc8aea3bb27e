import {
  SCHEDULER_CODE_MASK,
  SCHEDULER_DH,
  SCHEDULER_FLAG_FALLBACK,
  SCHEDULER_FLAG_PORT,
  SCHEDULER_MAGLEV,
  SCHEDULER_MH,
  SCHEDULER_RR,
  SCHEDULER_WRR,
} from "../../abi/entry";
import { hashTuple } from "../../hash";
import { Image } from "../../image";
import { State } from "../../state";
import { hash32, KEY_OFFSET, sipHash } from "./hash";
import {
  REAL_LEN,
  REAL_NONE,
  REAL_WEIGHT,
  RING_BLOCK,
  RING_COUNT,
  RING_LEN,
  RING_SCHEDULER,
  RING_SIZE,
  RING_SLOTS,
  RING_WEIGHT_MAX,
  SLOT_LEN,
} from "./layout";
import { takeRound, takeWeightedRound } from "./rounds";

export function ringAt(image: Image, number: u32): usize {
  return image.to(image.serversAt) + number * RING_LEN;
}

export function realOf(image: Image, ring: usize, position: u32): usize {
  return image.to(load<u32>(ring, RING_BLOCK)) + position * REAL_LEN;
}

/** The real server that has a slot, or REAL_NONE where that is none or takes nothing (weight 0). */
export function slotReal(image: Image, ring: usize, slot: u32): u32 {
  const real: u32 = load<u16>(image.to(load<u32>(ring, RING_SLOTS)) + slot * SLOT_LEN);
  if (real >= load<u32>(ring, RING_COUNT)) return REAL_NONE;
  return load<u32>(realOf(image, ring, real), REAL_WEIGHT) == 0 ? REAL_NONE : real;
}

/** The slot of a 5-tuple, for any size. */
export function slotOfTuple(src: u32, dst: u32, ports: u32, protocol: u32, size: u32): u32 {
  return <u32>((<u64>hashTuple(src, dst, ports, protocol) * size) >> 32);
}

/** The slot of a client (address and port added up), as ip_vs_mh.c, or ip_vs_sh.c since Linux 4.18. */
function slotOfClient(client: u32, code: u32, size: u32): u32 {
  return code == SCHEDULER_MH ? sipHash(client, KEY_OFFSET) % size : hash32(client, <u32>ctz<u32>(size));
}

/** Goes through other slots of the client's until one's server takes something (ip_vs_mh_get_fallback). */
function fallBack(image: Image, ring: usize, client: u32, code: u32, first: u32): u32 {
  const size = load<u32>(ring, RING_SIZE);
  for (let tried: u32 = 0; tried < size; tried++) {
    const offset = (first + tried) % size;
    const real = slotReal(image, ring, slotOfClient(client + offset, code, size));
    if (real != REAL_NONE) return real;
  }
  return REAL_NONE;
}

function pickByHash(image: Image, ring: usize, src: u32, dst: u32, ports: u32, protocol: u32): u32 {
  const scheduler = load<u32>(ring, RING_SCHEDULER);
  const code = scheduler & SCHEDULER_CODE_MASK;
  const size = load<u32>(ring, RING_SIZE);
  if (code == SCHEDULER_MAGLEV) return slotReal(image, ring, slotOfTuple(src, dst, ports, protocol, size));
  const port = (scheduler & SCHEDULER_FLAG_PORT) == 0 ? 0 : ports >> 16;
  const client = code == SCHEDULER_DH ? dst : src + port;
  const slot = slotOfClient(client, code, size);
  const real = slotReal(image, ring, slot);
  if (real != REAL_NONE || (scheduler & SCHEDULER_FLAG_FALLBACK) == 0) return real;
  return fallBack(image, ring, client, code, slot);
}

/**
 * The number of the real server that virtual server `number` gives a new connection, by the tuple as its client sent
 * it (ports src << 16 | dst), or REAL_NONE. Schedulers that take turns keep in the state whose turn it was.
 */
export function ringPick(
  image: Image,
  state: State,
  number: u32,
  src: u32,
  dst: u32,
  ports: u32,
  protocol: u32,
): u32 {
  const ring = ringAt(image, number);
  const code = load<u32>(ring, RING_SCHEDULER) & SCHEDULER_CODE_MASK;
  if (code == SCHEDULER_RR) return takeRound(image, state, ring, number);
  if (code == SCHEDULER_WRR) return takeWeightedRound(image, state, ring, number);
  if (load<u32>(ring, RING_WEIGHT_MAX) == 0) return REAL_NONE;
  return pickByHash(image, ring, src, dst, ports, protocol);
}
