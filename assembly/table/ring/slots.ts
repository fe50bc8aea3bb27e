import { Image } from "../../image";
import { destinationAt } from "./destinations";
import { foldAddress, KEY_OFFSET, KEY_SKIP, sipHash } from "./hash";
import {
  REAL_ADDRESS,
  REAL_DESTINATION,
  REAL_HIGH,
  REAL_LEN,
  REAL_PORT,
  REAL_WEIGHT,
  SLOT_EMPTY,
  SLOT_LEN,
} from "./layout";
import { gcd } from "./weights";

/** Where a server's permutation stands, its step, and how many slots it takes in its turn. */
const TURN_AT: u32 = 0;
const TURN_SKIP: u32 = 4;
const TURN_SLOTS: u32 = 8;
export const TURN_LEN: u32 = 16;

export function isPowerOfTwo(size: u32): bool {
  return size != 0 && (size & (size - 1)) == 0;
}

export function isPrime(size: u32): bool {
  for (let divisor: u32 = 2; divisor * divisor <= size; divisor++) if (size % divisor == 0) return false;
  return size >= 2;
}

/** Every server takes as many slots in a row as it has weight, at least one, newest first (ip_vs_sh.c); or one each (ip_vs_dh.c). */
export function fillInTurn(slots: usize, size: u32, reals: usize, count: u32, weighted: bool): void {
  let server = count;
  let left: u32 = 0;
  for (let at: u32 = 0; at < size; at++) {
    if (left == 0) {
      server = (server == 0 ? count : server) - 1;
      left = weighted ? max<u32>(1, load<u32>(reals + server * REAL_LEN, REAL_WEIGHT)) : 1;
    }
    store<u16>(slots + at * SLOT_LEN, server);
    left--;
  }
}

/** The step through the slots: coprime with their number, so that a permutation reaches each of them. */
function skipOf(hash: u32, size: u32): u32 {
  return isPowerOfTwo(size) ? (hash & (size - 1)) | 1 : (hash % (size - 1)) + 1;
}

/** Weights of many bits would make turns long: they are shifted to half as many bits as the size has (ip_vs_mh_shift_weight). */
function shiftOf(weight: u32, size: u32): u32 {
  const bits = 32 - <u32>clz<u32>(weight);
  const most = (32 - <u32>clz<u32>(size)) >> 1;
  return bits > most ? bits - most : 0;
}

/** The words of a real server's address before the last. */
export function highOf(real: usize): v128 {
  return v128.replace_lane<u32>(v128.load(real, REAL_HIGH), 3, 0);
}

/** The weight by which Maglev fills slots: the last that was not 0. */
function lastWeight(image: Image, real: usize): u32 {
  return destinationAt(image, load<u32>(real, REAL_DESTINATION)).lastWeight;
}

/** Writes every server's turn (ip_vs_mh_permutate); false where none has weight. */
function layTurns(image: Image, turns: usize, size: u32, reals: usize, count: u32): bool {
  let divisor: u32 = 0;
  let most: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const weight = lastWeight(image, reals + i * REAL_LEN);
    divisor = gcd(divisor, weight);
    most = max<u32>(most, weight);
  }
  if (most == 0) return false;
  const shift = shiftOf(most / divisor, size);
  for (let i: u32 = 0; i < count; i++) {
    const real = reals + i * REAL_LEN;
    const turn = turns + i * TURN_LEN;
    const word = foldAddress(highOf(real), load<u32>(real, REAL_ADDRESS)) + load<u32>(real, REAL_PORT);
    const weight = lastWeight(image, real);
    store<u32>(turn, sipHash(word, KEY_OFFSET) % size, TURN_AT);
    store<u32>(turn, skipOf(sipHash(word, KEY_SKIP), size), TURN_SKIP);
    store<u32>(turn, weight == 0 ? 0 : max<u32>(1, (weight / divisor) >> shift), TURN_SLOTS);
  }
  return true;
}

/** The first free slot of a permutation from where it stands. */
function nextFree(slots: usize, size: u32, turn: usize): u32 {
  const skip = load<u32>(turn, TURN_SKIP);
  let at = load<u32>(turn, TURN_AT);
  while (load<u16>(slots + at * SLOT_LEN) != SLOT_EMPTY) {
    at += skip;
    if (at >= size) at -= size;
  }
  store<u32>(turn, at, TURN_AT);
  return at;
}

/**
 * Maglev (Eisenbud et al., NSDI'16, §3.4) as ip_vs_mh.c does it: servers take slots in turn, newest first, each along
 * a permutation of its own, until none is free. `turns` is space of TURN_LEN octets a server; all slots are empty.
 */
export function fillMaglev(
  image: Image,
  slots: usize,
  size: u32,
  turns: usize,
  reals: usize,
  count: u32,
): void {
  if (!layTurns(image, turns, size, reals, count)) return;
  let left = size;
  while (true) {
    for (let server = count; server-- != 0; ) {
      const turn = turns + server * TURN_LEN;
      for (let taken = load<u32>(turn, TURN_SLOTS); taken != 0; taken--) {
        store<u16>(slots + nextFree(slots, size, turn) * SLOT_LEN, server);
        if (--left == 0) return;
      }
    }
  }
}
