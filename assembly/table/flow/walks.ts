import { State } from "../../state";
import { CONNECTION_LEN } from "./layout";

/**
 * What a connection's last packets came to, behind the records, 16 octets each: the IPVS connection that they are of, and for
 * each direction the rules that they walked until all had let them pass. Where those asked nothing but what all packets of a
 * direction have in common, the next one that comes in by the same interface walks as many, as long as the image is the same.
 *
 *   the image's sequence · IPVS' connection, 0 for none · of originals, of replies: interface plus one << 16 | rules, 0 for nothing
 *
 * A state therefore knows images by their sequence: it is of one, and of what becomes of that.
 */
export const WALK_SEQUENCE: u32 = 0;
export const WALK_SESSION: u32 = 4;
export const WALK_WAYS: u32 = 8;
export const WALK_LEN: u32 = 16;

export const WAY_IN_SHIFT: u32 = 16;
export const WAY_IN_MAX: u32 = 0xfffe;
export const WAY_RULES: u32 = 0xffff;

/** Octets for so many connections: whole lines of memory. */
export function walksLength(connections: u32): u32 {
  return ((connections + 1) * WALK_LEN + 63) & ~63;
}

/** The address of the first record's, which is nobody's. */
export function walksAt(state: State): usize {
  return state.to(state.recordsAt + (state.connectionsRoom + 1) * CONNECTION_LEN);
}

export function walkAt(state: State, record: u32): usize {
  return walksAt(state) + record * WALK_LEN;
}

/** A connection is another's from now on. */
export function forgetWalk(state: State, record: u32): void {
  v128.store(walkAt(state, record), i32x4.splat(0));
}

/** Forgets those of the first so many records. */
export function clearWalks(state: State, records: u32): void {
  memory.fill(walksAt(state), 0, records * WALK_LEN);
}

/** IPVS led a packet of the connection by one of its own. */
export function keepSession(state: State, record: u32, session: u32): void {
  const walk = walkAt(state, record);
  if (load<u32>(walk, WALK_SESSION) == session) return;
  store<u64>(walk, 0, WALK_WAYS);
  store<u32>(walk, session, WALK_SESSION);
}

/** What is kept of a packet that came in by an interface and walked so many rules; 0 for nothing. */
export function wayOf(inNumber: u32, rules: u32): u32 {
  return inNumber > WAY_IN_MAX || rules > WAY_RULES ? 0 : ((inNumber + 1) << WAY_IN_SHIFT) | rules;
}

/** A packet of a direction (record << 1 | direction) did. */
export function keepWay(state: State, flow: u32, sequence: u32, way: u32): void {
  const walk = walkAt(state, flow >> 1);
  if (load<u32>(walk, WALK_SEQUENCE) != sequence) store<u64>(walk, 0, WALK_WAYS);
  store<u32>(walk, sequence, WALK_SEQUENCE);
  store<u32>(walk + ((flow & 1) << 2), way, WALK_WAYS);
}

/** Whether that is what is kept. */
export function isWayKept(state: State, flow: u32, sequence: u32, way: u32): bool {
  const walk = walkAt(state, flow >> 1);
  return load<u32>(walk, WALK_SEQUENCE) == sequence && load<u32>(walk + ((flow & 1) << 2), WALK_WAYS) == way;
}
