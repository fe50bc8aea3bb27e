import { SESSION_FLAG_TEMPLATE } from "../../abi/session";
import { State } from "../../state";
import { Connection } from "../flow/layout";
import { connectionAt } from "../flow/lookup";
import { Ipvs, Side } from "./layout";

/**
 * Sessions' timers, exact to the millisecond: a wheel of levels, each of 64 lists and a word of bits that says which
 * of them hold something. A list of level n is of 64^n milliseconds. What differs from the wheel's time (`ipvs.now`)
 * in its highest digit to the base 64 only at digit n hangs at level n, so that the lowest level that holds anything has
 * what comes first. Packets only move `expires` on; a list that comes too early hangs its sessions up again.
 *
 *   bits of each level, and of the templates' (u64) · lists (u32: their first session)
 */
const LEVELS: u32 = 11;
/** Of the same millisecond templates come last: at level 0 they have lists of their own. */
const TEMPLATES: u32 = LEVELS;
const DIGIT: u32 = 6;
const LISTS: u32 = 64;
const LISTS_AT: u32 = 128;
export const WHEEL_LEN: u32 = LISTS_AT + (LEVELS + 1) * LISTS * 4;
/** Times are taken to be at most this, so that what is put off comes later (milliseconds). */
export const TIME_MAX: u64 = 1 << 62;

function wheelOf(ipvs: State): usize {
  return ipvs.to(Ipvs.of(ipvs).wheelAt);
}

function bitsAt(ipvs: State, level: u32): usize {
  return wheelOf(ipvs) + (level << 3);
}

function headAt(ipvs: State, list: u32): usize {
  return wheelOf(ipvs) + LISTS_AT + (list << 2);
}

/** The level at which something of a time hangs now. */
function levelOf(now: u64, time: u64): u32 {
  const differs = now ^ time;
  return differs == 0 ? 0 : (63 - <u32>clz<u64>(differs)) / DIGIT;
}

function listOf(now: u64, time: u64, isTemplate: bool): u32 {
  const level = levelOf(now, time);
  const place = <u32>(time >> (level * DIGIT)) & (LISTS - 1);
  return (level == 0 && isTemplate ? TEMPLATES : level) * LISTS + place;
}

/** Hangs a session up that does not hang, by when it expires. */
function hang(ipvs: State, session: u32, connection: Connection): void {
  const time = max<u64>(connection.expires, ipvs.now);
  const list = listOf(ipvs.now, time, (connection.flags & SESSION_FLAG_TEMPLATE) != 0);
  const side = Side.of(ipvs, session);
  const head = headAt(ipvs, list);
  const next = load<u32>(head);
  side.hung = time;
  side.list = list + 1;
  side.next = next;
  side.before = 0;
  if (next != 0) Side.of(ipvs, next).before = session;
  store<u32>(head, session);
  const bits = bitsAt(ipvs, list / LISTS);
  store<u64>(bits, load<u64>(bits) | ((<u64>1) << (list % LISTS)));
}

/** Takes a session's timer off, if it hangs. */
export function takeDown(ipvs: State, session: u32): void {
  const side = Side.of(ipvs, session);
  if (side.list == 0) return;
  const list = side.list - 1;
  if (side.next != 0) Side.of(ipvs, side.next).before = side.before;
  if (side.before != 0) Side.of(ipvs, side.before).next = side.next;
  else {
    store<u32>(headAt(ipvs, list), side.next);
    if (side.next == 0) {
      const bits = bitsAt(ipvs, list / LISTS);
      store<u64>(bits, load<u64>(bits) & ~((<u64>1) << (list % LISTS)));
    }
  }
  side.list = 0;
}

/** A session expires so many milliseconds from now (mod_timer). */
export function restart(ipvs: State, session: u32, after: u64): void {
  const connection = connectionAt(ipvs, session);
  const side = Side.of(ipvs, session);
  connection.expires = ipvs.now + after;
  if (side.list != 0 && connection.expires >= side.hung) return;
  takeDown(ipvs, session);
  hang(ipvs, session, connection);
}

/** The lowest level that holds anything, or LEVELS. */
function firstLevel(ipvs: State): u32 {
  if ((load<u64>(bitsAt(ipvs, 0)) | load<u64>(bitsAt(ipvs, TEMPLATES))) != 0) return 0;
  let level: u32 = 1;
  while (level < LEVELS && load<u64>(bitsAt(ipvs, level)) == 0) level++;
  return level;
}

/** The first list of a level that holds anything. */
function firstList(ipvs: State, level: u32): u32 {
  const own = <u32>ctz<u64>(load<u64>(bitsAt(ipvs, level)));
  if (level != 0) return level * LISTS + own;
  const template = <u32>ctz<u64>(load<u64>(bitsAt(ipvs, TEMPLATES)));
  return own <= template && own < LISTS ? own : TEMPLATES * LISTS + template;
}

/** When a list's time begins. */
function startOf(now: u64, level: u32, list: u32): u64 {
  const shift = level * DIGIT;
  const above = shift + DIGIT >= 64 ? 0 : (now >> (shift + DIGIT)) << (shift + DIGIT);
  return above | ((<u64>(list % LISTS)) << shift);
}

/** Hangs all sessions of a list up again. */
function spread(ipvs: State, list: u32): void {
  const head = headAt(ipvs, list);
  for (let session = load<u32>(head); session != 0; session = load<u32>(head)) {
    takeDown(ipvs, session);
    hang(ipvs, session, connectionAt(ipvs, session));
  }
}

/** Takes down the next session that expires until a time, to which the wheel then has come; 0: there is none, and it has come there. */
export function takeDue(ipvs: State, until: u64): u32 {
  while (true) {
    const level = firstLevel(ipvs);
    const list = level == LEVELS ? 0 : firstList(ipvs, level);
    const start = level == LEVELS ? u64.MAX_VALUE : startOf(ipvs.now, level, list);
    if (start > until) {
      ipvs.now = max<u64>(ipvs.now, until);
      return 0;
    }
    ipvs.now = start;
    if (level != 0) {
      spread(ipvs, list);
      continue;
    }
    const session = load<u32>(headAt(ipvs, list));
    const connection = connectionAt(ipvs, session);
    takeDown(ipvs, session);
    if (connection.expires <= start) return session;
    hang(ipvs, session, connection);
  }
}
