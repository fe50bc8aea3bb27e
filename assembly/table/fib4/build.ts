import { PART_FIB, STATUS_BAD_ENTRY, STATUS_NO_SPACE, STATUS_OK } from "../../abi/image";
import { Image } from "../../image";
import { giveBlock, takeBlock } from "../../memory/arena";
import { exactCreate, exactRemove, exactSet } from "../exact/build";
import { exactFind } from "../exact/lookup";
import {
  FIB4_BLOCK_SLOTS,
  FIB4_NEXT_HOP_MAX,
  FIB4_ROOT_SLOTS,
  fib4IsNode,
  fib4Leaf,
  fib4Length,
} from "./layout";

/** The trie's root and the store of routes by (address, length), which removal needs. */
export function fib4Create(image: Image): bool {
  image.fibRootAt = takeBlock(image, FIB4_ROOT_SLOTS * 4, PART_FIB);
  image.routesAt = exactCreate(image, PART_FIB);
  return image.fibRootAt != 0 && image.routesAt != 0;
}

function maskOf(length: u32): u32 {
  return length == 0 ? 0 : ~(<u32>0) << (32 - length);
}

/** Writes `to` into every slot of a range whose leaf was set by a prefix of at most (exactly) that length. */
function paint(image: Image, slots: usize, count: u32, length: u32, to: u32, exactly: bool): void {
  for (let i: u32 = 0; i < count; i++) {
    const slot = slots + (i << 2);
    const entry = load<u32>(slot);
    if (fib4IsNode(entry)) {
      paint(image, image.to(entry), FIB4_BLOCK_SLOTS, length, to, exactly);
    } else if (
      exactly ? entry != 0 && fib4Length(entry) == length : entry == 0 || fib4Length(entry) <= length
    ) {
      store<u32>(slot, to);
    }
  }
}

/** The block below a slot, made and filled with the slot's leaf where there is none yet; 0 without room. */
function descend(image: Image, slot: usize): u32 {
  const entry = load<u32>(slot);
  if (fib4IsNode(entry)) return entry;
  const block = takeBlock(image, FIB4_BLOCK_SLOTS * 4, PART_FIB);
  if (block == 0) return 0;
  for (let i: u32 = 0; i < FIB4_BLOCK_SLOTS; i++) store<u32>(image.to(block) + (i << 2), entry);
  store<u32>(slot, block);
  return block;
}

/** Writes a leaf over a prefix's range; false without room. */
function cover(image: Image, address: u32, length: u32, to: u32, exactly: bool): bool {
  let slot = image.to(image.fibRootAt) + ((address >> 16) << 2);
  let level: u32 = 16;
  while (length > level) {
    const block = descend(image, slot);
    if (block == 0) return false;
    slot = image.to(block) + (((address >> (24 - level)) & 255) << 2);
    level += 8;
  }
  paint(image, slot, 1 << (level - length), length, to, exactly);
  return true;
}

/**
 * Gives back a block all of whose slots hold the same leaf, after the slot above took that leaf. A leaf longer than
 * the slot's level stays below: each route keeps the slots it covers, so that its removal never asks for room.
 */
function collapse(image: Image, slot: usize, level: u32): void {
  const block = load<u32>(slot);
  if (!fib4IsNode(block)) return;
  const first = load<u32>(image.to(block));
  if (fib4IsNode(first) || fib4Length(first) > level) return;
  for (let i: u32 = 1; i < FIB4_BLOCK_SLOTS; i++) {
    if (load<u32>(image.to(block) + (i << 2)) != first) return;
  }
  store<u32>(slot, first);
  giveBlock(image, block, FIB4_BLOCK_SLOTS * 4, PART_FIB);
}

function collapsePath(image: Image, address: u32): void {
  const slot = image.to(image.fibRootAt) + ((address >> 16) << 2);
  const block = load<u32>(slot);
  if (!fib4IsNode(block)) return;
  collapse(image, image.to(block) + (((address >> 8) & 255) << 2), 24);
  collapse(image, slot, 16);
}

function isRoute(address: u32, length: u32): bool {
  return length <= 32 && (address & ~maskOf(length)) == 0;
}

/** Adds or replaces a route. */
export function fib4Insert(image: Image, address: u32, length: u32, nextHop: u32): u32 {
  if (!isRoute(address, length) || nextHop > FIB4_NEXT_HOP_MAX) return STATUS_BAD_ENTRY;
  const before = exactFind(image, image.routesAt, address, length);
  if (!exactSet(image, image.routesAt, address, length, nextHop + 1, PART_FIB)) return STATUS_NO_SPACE;
  if (!cover(image, address, length, fib4Leaf(nextHop, length), false)) {
    collapsePath(image, address);
    if (before == 0) exactRemove(image, image.routesAt, address, length);
    else exactSet(image, image.routesAt, address, length, before, PART_FIB);
    return STATUS_NO_SPACE;
  }
  image.sequence++;
  return STATUS_OK;
}

/** Removes a route; its addresses fall to the next shorter prefix that holds them. Unknown routes: BAD_ENTRY. */
export function fib4Remove(image: Image, address: u32, length: u32): u32 {
  if (!isRoute(address, length)) return STATUS_BAD_ENTRY;
  if (!exactRemove(image, image.routesAt, address, length)) return STATUS_BAD_ENTRY;
  let to: u32 = 0;
  for (let shorter = <i32>length - 1; shorter >= 0 && to == 0; shorter--) {
    const nextHop = exactFind(image, image.routesAt, address & maskOf(shorter), shorter);
    if (nextHop != 0) to = fib4Leaf(nextHop - 1, shorter);
  }
  cover(image, address, length, to, true);
  if (length > 16) collapsePath(image, address);
  image.sequence++;
  return STATUS_OK;
}
