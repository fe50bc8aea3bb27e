import {
  FORWARD_MASQUERADE,
  SERVER_ADDRESS,
  SERVER_ENTRY_LEN,
  SERVER_FORWARD,
  SERVER_HIGH,
  SERVER_PORT,
  SERVER_UPPER,
  SERVER_WEIGHT,
} from "../../abi/server";
import { Image } from "../../image";
import { DESTINATIONS_MAX, destinationAt } from "./destinations";
import {
  REAL_ADDRESS,
  REAL_DESTINATION,
  REAL_HIGH,
  REAL_LEN,
  REAL_PORT,
  REAL_SERIAL,
  REAL_WEIGHT,
  RING_INCARNATION,
} from "./layout";
import { leave, takeLeft, takeOldest } from "./left";

/** So many that left keep their numbers, or as many as there are. */
const LEFT_MIN: u32 = 1024;

/** The words of a row's address before the last, and 0. */
function rowHigh(row: usize): v128 {
  return v128.replace_lane<u32>(v128.load(row, SERVER_HIGH), 3, 0);
}

function isSame(real: usize, row: usize): bool {
  return (
    load<u32>(real, REAL_ADDRESS) == load<u32>(row, SERVER_ADDRESS) &&
    load<u32>(real, REAL_PORT) == load<u32>(row, SERVER_PORT) &&
    i32x4.all_true(i32x4.eq(v128.replace_lane<u32>(v128.load(real, REAL_HIGH), 3, 0), rowHigh(row)))
  );
}

/** The first of old servers, from one on, that a row names; their count where there is none. */
function findSame(old: usize, from: u32, count: u32, row: usize): u32 {
  while (from < count && !isSame(old + from * REAL_LEN, row)) from++;
  return from;
}

/** How many rows name old servers in their order: behind those all others are new. */
export function countKept(rows: usize, count: u32, old: usize, oldCount: u32): u32 {
  let kept: u32 = 0;
  for (let at: u32 = 0; kept < count; kept++, at++) {
    at = findSame(old, at, oldCount, rows + kept * SERVER_ENTRY_LEN);
    if (at == oldCount) break;
  }
  return kept;
}

/** The number of a new server's destination: one that left while it was the same server's, or one that nobody has. */
function numberOf(image: Image, owner: u32, row: usize): u32 {
  const known = takeLeft(image, owner, row);
  if (known != 0) return known - 1;
  const live = image.destinations - image.left;
  const isOld =
    image.left > max<u32>(LEFT_MIN, live) || (image.left != 0 && image.destinations == DESTINATIONS_MAX);
  const number = isOld ? takeOldest(image) : image.destinations++;
  const destination = destinationAt(image, number);
  destination.name(row);
  destination.owner = owner;
  destination.serial = ++image.serials == 0 ? ++image.serials : image.serials;
  return number;
}

/** Writes a row's server, whose destination has a number, and tells the destination. */
function writeReal(image: Image, real: usize, row: usize, owner: u32, number: u32, added: bool): void {
  const destination = destinationAt(image, number);
  store<u32>(real, load<u32>(row, SERVER_ADDRESS), REAL_ADDRESS);
  v128.store(real, rowHigh(row), REAL_HIGH);
  store<u32>(real, load<u32>(row, SERVER_PORT), REAL_PORT);
  store<u32>(real, load<u32>(row, SERVER_WEIGHT), REAL_WEIGHT);
  store<u32>(real, number, REAL_DESTINATION);
  destination.service = (owner & ((1 << RING_INCARNATION) - 1)) + 1;
  destination.update(row, added);
}

/**
 * Writes rows into a block. A server that the old block has keeps its serial: what is removed leaves a gap, what is
 * added comes last. There is room for as many destinations as are new, and to leave for those that go.
 */
export function fillReals(
  image: Image,
  owner: u32,
  to: usize,
  rows: usize,
  count: u32,
  old: usize,
  oldCount: u32,
): void {
  const last: u32 = oldCount == 0 ? 0 : load<u32>(old + (oldCount - 1) * REAL_LEN, REAL_SERIAL);
  const kept = countKept(rows, count, old, oldCount);
  let at: u32 = 0;
  for (let i: u32 = 0; i < kept; i++, at++) {
    const row = rows + i * SERVER_ENTRY_LEN;
    const same = findSame(old, at, oldCount, row);
    while (at < same) leave(image, load<u32>(old + at++ * REAL_LEN, REAL_DESTINATION));
    const real = old + at * REAL_LEN;
    store<u32>(to + i * REAL_LEN, load<u32>(real, REAL_SERIAL), REAL_SERIAL);
    writeReal(image, to + i * REAL_LEN, row, owner, load<u32>(real, REAL_DESTINATION), false);
  }
  while (at < oldCount) leave(image, load<u32>(old + at++ * REAL_LEN, REAL_DESTINATION));
  for (let i: u32 = kept; i < count; i++) {
    const row = rows + i * SERVER_ENTRY_LEN;
    store<u32>(to + i * REAL_LEN, last + 1 + i - kept, REAL_SERIAL);
    writeReal(image, to + i * REAL_LEN, row, owner, numberOf(image, owner, row), true);
  }
}

const FORWARD_CODE: u32 = 0xff;

/** Whether any row's server is reached otherwise than by NAT. */
export function isUnmasqueraded(rows: usize, count: u32): bool {
  let codes: u32 = 0;
  for (let i: u32 = 0; i < count; i++) codes |= load<u32>(rows + i * SERVER_ENTRY_LEN, SERVER_FORWARD);
  return (codes & FORWARD_CODE) != FORWARD_MASQUERADE;
}

/** Whether any row's server may be overloaded. */
export function isLimited(rows: usize, count: u32): bool {
  let uppers: u32 = 0;
  for (let i: u32 = 0; i < count; i++) uppers |= load<u32>(rows + i * SERVER_ENTRY_LEN, SERVER_UPPER);
  return uppers != 0;
}
