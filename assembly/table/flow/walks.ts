import { State } from "../../state";
import { CONNECTION_LEN } from "./layout";

/**
 * What a connection's last packet of each direction walked through all rules until they let it pass, behind the records: 8
 * octets a direction (record << 1 | direction). Where rules asked nothing but what all packets of a direction have in
 * common, the next one that comes in by the same interface walks as many, as long as the image is the same.
 *
 *   the image's sequence (u32) · interface it came in by, plus one (u16; 0: nothing is known) · bit 15: IPVS led it, and rules (u15)
 *
 * A state therefore knows images by their sequence: it is of one, and of what becomes of that.
 */
export const WALK_SEQUENCE: u32 = 0;
export const WALK_WAY: u32 = 4;
export const WALK_SHIFT: u32 = 3;

export const WAY_IN_SHIFT: u32 = 16;
export const WAY_IN_MAX: u32 = 0xfffe;
export const WAY_LED: u32 = 0x8000;
export const WAY_RULES: u32 = 0x7fff;

/** Octets for so many connections: whole lines of memory. */
export function walksLength(connections: u32): u32 {
  return (((connections + 1) << (WALK_SHIFT + 1)) + 63) & ~63;
}

/** The address of the first record's, which is nobody's. */
export function walksAt(state: State): usize {
  return state.to(state.recordsAt + (state.connectionsRoom + 1) * CONNECTION_LEN);
}

/** A connection is another's from now on. */
export function forgetWalks(state: State, record: u32): void {
  v128.store(walksAt(state) + ((<usize>record) << (WALK_SHIFT + 1)), i32x4.splat(0));
}

/** Forgets those of the first so many records. */
export function clearWalks(state: State, records: u32): void {
  memory.fill(walksAt(state), 0, records << (WALK_SHIFT + 1));
}

/** A packet of a direction came in by an interface and walked so many rules. */
export function keepWalk(
  state: State,
  flow: u32,
  sequence: u32,
  inNumber: u32,
  isLed: bool,
  rules: u32,
): void {
  if (inNumber > WAY_IN_MAX || rules > WAY_RULES) return;
  const walk = walksAt(state) + ((<usize>flow) << WALK_SHIFT);
  store<u32>(walk, sequence, WALK_SEQUENCE);
  store<u32>(walk, wayOf(inNumber, isLed) | rules, WALK_WAY);
}

function wayOf(inNumber: u32, isLed: bool): u32 {
  return ((inNumber + 1) << WAY_IN_SHIFT) | (isLed ? WAY_LED : 0);
}

/** Whether that is what is known. */
export function isWalkKept(
  state: State,
  flow: u32,
  sequence: u32,
  inNumber: u32,
  isLed: bool,
  rules: u32,
): bool {
  const walk = walksAt(state) + ((<usize>flow) << WALK_SHIFT);
  return (
    load<u32>(walk, WALK_SEQUENCE) == sequence &&
    load<u32>(walk, WALK_WAY) == (wayOf(inNumber, isLed) | rules)
  );
}
