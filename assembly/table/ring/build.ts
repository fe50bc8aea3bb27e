import { PART_SERVERS, STATUS_BAD_ENTRY, STATUS_NO_SPACE, STATUS_OK } from "../../abi/image";
import {
  SCHEDULER_CODE_MASK,
  SCHEDULER_FLAG_FALLBACK,
  SCHEDULER_FLAG_PORT,
  SCHEDULER_MAGLEV,
  SCHEDULER_MH,
  SCHEDULER_SH,
  SCHEDULER_WRR,
  SERVER_ADDRESS,
  SERVER_ENTRY_LEN,
  SERVER_PORT,
  SERVER_ROW_LEN,
  SERVER_ROW_NUMBER,
  SERVER_ROW_REALS,
  SERVER_ROW_SCHEDULER,
  SERVER_WEIGHT,
} from "../../abi/server";
import { Image, NEEDS_AT } from "../../image";
import { blockOctets, giveBlock, takeBlock } from "../../memory/arena";
import { Needs } from "../../memory/needs";
import { vectorReach } from "../../memory/vector";
import {
  REAL_ADDRESS,
  REAL_HIGH,
  REAL_LEN,
  REAL_PORT,
  REAL_SERIAL,
  REAL_WEIGHT,
  REALS_MAX,
  RING_BLOCK,
  RING_BORN,
  RING_COUNT,
  RING_GENERATION,
  RING_LEN,
  RING_SCHEDULER,
  RING_SIZE,
  RING_SLOTS,
  RING_WEIGHT_MAX,
  RINGS_MAX,
  SLOT_EMPTY,
  SLOT_LEN,
  SLOTS_MAX,
} from "./layout";
import { fillInTurn, fillMaglev, highOf, isPowerOfTwo, isPrime, TURN_LEN } from "./slots";
import { Rounds } from "./weights";

/** Of CONFIG_IP_VS_SH_TAB_BITS = 8 and CONFIG_IP_VS_MH_TAB_INDEX = 12; the paper's for large tables. */
const SIZE_IN_TURN: u32 = 256;
const SIZE_MH: u32 = 4093;
const SIZE_MAGLEV: u32 = 65537;

function defaultSize(code: u32): u32 {
  if (code <= SCHEDULER_WRR) return 0;
  if (code == SCHEDULER_MAGLEV) return SIZE_MAGLEV;
  return code == SCHEDULER_MH ? SIZE_MH : SIZE_IN_TURN;
}

/** Whether a scheduler is one, knows its flags, and can have so many slots. */
function isScheduler(scheduler: u32, size: u32): bool {
  const code = scheduler & SCHEDULER_CODE_MASK;
  const flags = scheduler & ~SCHEDULER_CODE_MASK;
  const known =
    code == SCHEDULER_SH || code == SCHEDULER_MH ? SCHEDULER_FLAG_PORT | SCHEDULER_FLAG_FALLBACK : 0;
  if (code > SCHEDULER_MAGLEV || (flags & ~known) != 0) return false;
  if (code <= SCHEDULER_WRR) return size == 0;
  if (size < 2 || size > SLOTS_MAX) return false;
  return isPowerOfTwo(size) || (code >= SCHEDULER_MH && isPrime(size));
}

/** A ring that hashes numbers its servers in 16 bits, and Maglev wants a slot for each (ip_vs_mh_reassign). */
function isCount(scheduler: u32, size: u32, count: u32): bool {
  const code = scheduler & SCHEDULER_CODE_MASK;
  if (code <= SCHEDULER_WRR) return count <= REALS_MAX;
  return count < SLOT_EMPTY && (code < SCHEDULER_MH || count <= size);
}

function isServer(number: u32, scheduler: u32, count: u32, size: u32): bool {
  return number < RINGS_MAX && isScheduler(scheduler, size) && isCount(scheduler, size, count);
}

/** Fills empty slots as the scheduler does; false if the image has no room to work in. */
function fillSlots(image: Image, block: u32, scheduler: u32, size: u32, rows: usize, count: u32): bool {
  const code = scheduler & SCHEDULER_CODE_MASK;
  const slots = image.to(block);
  memory.fill(slots, 0xff, size * SLOT_LEN);
  if (code < SCHEDULER_MH) {
    fillInTurn(slots, size, rows, count, code == SCHEDULER_SH);
    return true;
  }
  const turns = takeBlock(image, count * TURN_LEN, PART_SERVERS);
  if (turns == 0) return false;
  fillMaglev(slots, size, image.to(turns), rows, count);
  giveBlock(image, turns, count * TURN_LEN, PART_SERVERS);
  return true;
}

function isSame(real: usize, row: usize): bool {
  return (
    load<u32>(real, REAL_ADDRESS) == load<u32>(row, SERVER_ADDRESS) &&
    load<u32>(real, REAL_PORT) == load<u32>(row, SERVER_PORT) &&
    i32x4.all_true(i32x4.eq(v128.replace_lane<u32>(v128.load(real, REAL_HIGH), 3, 0), highOf(row)))
  );
}

/**
 * Writes rows into a block. A server that the old block has keeps its serial: what is removed leaves a gap, what is
 * added comes last.
 */
function fillReals(to: usize, rows: usize, count: u32, old: usize, oldCount: u32): void {
  let at: u32 = 0;
  let serial: u32 = oldCount == 0 ? 0 : load<u32>(old + (oldCount - 1) * REAL_LEN, REAL_SERIAL);
  for (let i: u32 = 0; i < count; i++) {
    const row = rows + i * SERVER_ENTRY_LEN;
    const real = to + i * REAL_LEN;
    while (at < oldCount && !isSame(old + at * REAL_LEN, row)) at++;
    store<u32>(real, load<u32>(row, SERVER_ADDRESS), REAL_ADDRESS);
    v128.store(real, highOf(row), REAL_HIGH);
    store<u32>(real, load<u32>(row, SERVER_PORT), REAL_PORT);
    store<u32>(real, load<u32>(row, SERVER_WEIGHT), REAL_WEIGHT);
    store<u32>(real, at < oldCount ? load<u32>(old + at * REAL_LEN, REAL_SERIAL) : ++serial, REAL_SERIAL);
    if (at < oldCount) at++;
  }
}

function release(image: Image, ring: usize): void {
  const block = load<u32>(ring, RING_BLOCK);
  const slots = load<u32>(ring, RING_SLOTS);
  if (block != 0) giveBlock(image, block, load<u32>(ring, RING_COUNT) * REAL_LEN, PART_SERVERS);
  if (slots != 0) giveBlock(image, slots, load<u32>(ring, RING_SIZE) * SLOT_LEN, PART_SERVERS);
}

function settle(ring: usize, scheduler: u32, rows: usize, count: u32): void {
  const generation = load<u32>(ring, RING_GENERATION) + 1;
  const goesOn = load<u32>(ring, RING_COUNT) != 0 && load<u32>(ring, RING_SCHEDULER) == scheduler;
  store<u32>(ring, generation, RING_GENERATION);
  if (!goesOn) store<u32>(ring, generation, RING_BORN);
  store<u32>(ring, scheduler, RING_SCHEDULER);
  store<u32>(ring, count, RING_COUNT);
  Rounds.at(ring + RING_WEIGHT_MAX).measure(rows, count);
}

/**
 * Replaces the real servers of virtual server `number` by rows (SERVER_…) in the order of their addition. `scheduler`
 * is a SCHEDULER_ code with its flags; `size` the slots of one that hashes, 0 for as many as are usual.
 */
export function serverSet(
  image: Image,
  number: u32,
  scheduler: u32,
  rows: usize,
  count: u32,
  size: u32,
): u32 {
  if (size == 0) size = defaultSize(scheduler & SCHEDULER_CODE_MASK);
  if (!isServer(number, scheduler, count, size)) return STATUS_BAD_ENTRY;
  if (!vectorReach(image, offsetof<Image>("serversAt"), number, RING_LEN, PART_SERVERS))
    return STATUS_NO_SPACE;
  if (count == 0) size = 0;
  const block = count == 0 ? 0 : takeBlock(image, count * REAL_LEN, PART_SERVERS);
  const slots = size == 0 ? 0 : takeBlock(image, size * SLOT_LEN, PART_SERVERS);
  const hasRoom = (block != 0 || count == 0) && (slots != 0 || size == 0);
  if (!hasRoom || (slots != 0 && !fillSlots(image, slots, scheduler, size, rows, count))) {
    if (block != 0) giveBlock(image, block, count * REAL_LEN, PART_SERVERS);
    if (slots != 0) giveBlock(image, slots, size * SLOT_LEN, PART_SERVERS);
    return STATUS_NO_SPACE;
  }
  const ring = image.to(image.serversAt) + number * RING_LEN;
  fillReals(image.to(block), rows, count, image.to(load<u32>(ring, RING_BLOCK)), load<u32>(ring, RING_COUNT));
  release(image, ring);
  settle(ring, scheduler, rows, count);
  store<u32>(ring, block, RING_BLOCK);
  store<u32>(ring, slots, RING_SLOTS);
  store<u32>(ring, size, RING_SIZE);
  image.sequence++;
  return STATUS_OK;
}

/** Makes ready for so many virtual servers: NO_SPACE, or BAD_ENTRY where one is none, and nothing changed. */
function expectServers(image: Image, rows: usize, count: u32): u32 {
  const needs = Needs.at(image.to(NEEDS_AT));
  let last: u32 = 0;
  // Turns are given back: those of a size serve all, and the sizes are powers of two.
  let turns: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const row = rows + i * SERVER_ROW_LEN;
    const number = load<u32>(row, SERVER_ROW_NUMBER);
    const reals = load<u32>(row, SERVER_ROW_REALS);
    const scheduler = load<u32>(row, SERVER_ROW_SCHEDULER);
    const size = defaultSize(scheduler & SCHEDULER_CODE_MASK);
    if (!isServer(number, scheduler, reals, size)) return STATUS_BAD_ENTRY;
    last = max<u32>(last, number);
    if (reals == 0) continue;
    turns |= blockOctets(reals * TURN_LEN);
    needs.block(reals * REAL_LEN);
    if (size != 0) needs.block(size * SLOT_LEN);
  }
  needs.octets += turns;
  if (count != 0) needs.vector(image.serversRoom, last, RING_LEN);
  if (!needs.isMet(image)) return STATUS_NO_SPACE;
  if (count != 0) vectorReach(image, offsetof<Image>("serversAt"), last, RING_LEN, PART_SERVERS);
  return STATUS_OK;
}

/**
 * Replaces the real servers of `count` virtual ones (SERVER_ROW_…), whose rows follow one another, all or none. NO_SPACE
 * does not count with what the old ones give back.
 */
export function serversSet(image: Image, rows: usize, count: u32, reals: usize): u32 {
  const status = expectServers(image, rows, count);
  if (status != STATUS_OK) return status;
  let real = reals;
  for (let i: u32 = 0; i < count; i++) {
    const row = rows + i * SERVER_ROW_LEN;
    const own = load<u32>(row, SERVER_ROW_REALS);
    serverSet(image, load<u32>(row, SERVER_ROW_NUMBER), load<u32>(row, SERVER_ROW_SCHEDULER), real, own, 0);
    real += own * SERVER_ENTRY_LEN;
  }
  return STATUS_OK;
}
