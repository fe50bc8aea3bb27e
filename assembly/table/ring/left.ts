import { PART_SERVERS } from "../../abi/image";
import { SERVER_ADDRESS, SERVER_HIGH, SERVER_PORT } from "../../abi/server";
import { Image } from "../../image";
import { giveBlock, takeBlock } from "../../memory/arena";
import { destinationAt } from "./destinations";

/**
 * Destinations that left, as a kernel's dest_trash: a list in the order in which they left, and an index of their numbers
 * plus one by service, address and port (open addressing, linear probing, at most half full).
 */
const ROOM_MIN: u32 = 64;
const SLOT: u32 = 4;

function slotAt(image: Image, slot: u32): usize {
  return image.to(image.leftIndexAt) + (slot & (image.leftIndexRoom - 1)) * SLOT;
}

/** The slot that a key would like best: of an IPv6 address the last three words are hashed. */
function slotOfKey(image: Image, owner: u32, port: u32, last: u32, high1: u32, high2: u32): u32 {
  let word = owner * 0x9e3779b1 + port;
  word = (word ^ (word >> 15) ^ last) * 0x85ebca6b;
  word = (word ^ (word >> 13) ^ high1 ^ rotl<u32>(high2, 11)) * 0xc2b2ae35;
  return (word ^ (word >> 16)) & (image.leftIndexRoom - 1);
}

function slotOf(image: Image, number: u32): u32 {
  const one = destinationAt(image, number);
  return slotOfKey(image, one.owner, one.port, one.address, one.high1, one.high2);
}

function slotOfRow(image: Image, owner: u32, row: usize): u32 {
  const high1 = load<u32>(row, SERVER_HIGH + 4);
  const high2 = load<u32>(row, SERVER_HIGH + 8);
  return slotOfKey(image, owner, load<u32>(row, SERVER_PORT), load<u32>(row, SERVER_ADDRESS), high1, high2);
}

function insert(image: Image, number: u32): void {
  let slot = slotOf(image, number);
  while (load<u32>(slotAt(image, slot)) != 0) slot++;
  store<u32>(slotAt(image, slot), number + 1);
}

/** Takes a number out of the index; those behind it move up to where they are found. */
function erase(image: Image, number: u32): void {
  const mask = image.leftIndexRoom - 1;
  let hole = slotOf(image, number);
  while (load<u32>(slotAt(image, hole)) != number + 1) hole++;
  for (let slot = hole + 1; load<u32>(slotAt(image, slot)) != 0; slot++) {
    const other = load<u32>(slotAt(image, slot));
    const distance = (slot - slotOf(image, other - 1)) & mask;
    if (distance < ((slot - hole) & mask)) continue;
    store<u32>(slotAt(image, hole), other);
    hole = slot;
  }
  store<u32>(slotAt(image, hole), 0);
}

/** Slots of an index for so many. */
function roomFor(image: Image, count: u32): u32 {
  let room = max<u32>(ROOM_MIN, image.leftIndexRoom);
  while (room < 2 * count) room *= 2;
  return room;
}

/** Octets that `leftReach` takes for so many more, 0 for none. */
export function leftNeeds(image: Image, more: u32): u32 {
  const room = roomFor(image, image.left + more);
  return more == 0 || room == image.leftIndexRoom ? 0 : room * SLOT;
}

/** Makes room for so many more to leave; false, and nothing changed, when the image has none. */
export function leftReach(image: Image, more: u32): bool {
  const octets = leftNeeds(image, more);
  if (octets == 0) return true;
  const index = takeBlock(image, octets, PART_SERVERS);
  if (index == 0) return false;
  if (image.leftIndexAt != 0) giveBlock(image, image.leftIndexAt, image.leftIndexRoom * SLOT, PART_SERVERS);
  image.leftIndexAt = index;
  image.leftIndexRoom = octets / SLOT;
  for (let next = image.leftFirst; next != 0; next = destinationAt(image, next - 1).behind)
    insert(image, next - 1);
  return true;
}

/** A destination leaves its service; there is room for it (`leftReach`). */
export function leave(image: Image, number: u32): void {
  const destination = destinationAt(image, number);
  const last = image.leftLast;
  destination.service = 0;
  destination.before = last;
  destination.behind = 0;
  if (last == 0) image.leftFirst = number + 1;
  else destinationAt(image, last - 1).behind = number + 1;
  image.leftLast = number + 1;
  image.left++;
  image.departures++;
  insert(image, number);
}

/** Takes a destination from among those that left. */
function unlink(image: Image, number: u32): void {
  erase(image, number);
  const before = destinationAt(image, number).before;
  const behind = destinationAt(image, number).behind;
  if (before == 0) image.leftFirst = behind;
  else destinationAt(image, before - 1).behind = behind;
  if (behind == 0) image.leftLast = before;
  else destinationAt(image, behind - 1).before = before;
  image.left--;
}

/** Takes back the one that left first: its number. */
export function takeOldest(image: Image): u32 {
  const number = image.leftFirst - 1;
  unlink(image, number);
  return number;
}

/** Takes back the destination that the server of a row was, for one who owned it: its number plus one, 0 where none left. */
export function takeLeft(image: Image, owner: u32, row: usize): u32 {
  if (image.left == 0) return 0;
  let slot = slotOfRow(image, owner, row);
  let found = load<u32>(slotAt(image, slot));
  while (found != 0) {
    const destination = destinationAt(image, found - 1);
    if (destination.owner == owner && destination.isAt(row)) {
      unlink(image, found - 1);
      return found;
    }
    found = load<u32>(slotAt(image, ++slot));
  }
  return 0;
}
