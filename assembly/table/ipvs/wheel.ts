import { State } from "../../state";
import { DUE_LEN, DUE_MOST, Ipvs, Side, TIMER_LIST, TIMER_TEMPLATE } from "./layout";

/**
 * Sessions' timers, exact to the millisecond: a wheel of levels, each of 4096 lists and as many bits that say which
 * of them hold something, with a word that says which words of those are not 0. A list of level n is of 4096^n
 * milliseconds. What differs from the wheel's time (`ipvs.now`) in its highest digit to the base 4096 only at digit n
 * hangs at level n, so that the lowest level that holds anything has what comes first: what is over within the hour hangs up
 * twice. Packets only move `expires` on; a list that comes too early hangs its sessions up again.
 *
 *   words of bits of each level, and of the templates' (u64) · words about those (u64) · lists (u32: their first session)
 *   · what is due (DUE_)
 */
const LEVELS: u32 = 6;
/** Of the same millisecond templates come last: at level 0 they have lists of their own. */
const TEMPLATES: u32 = LEVELS;
const DIGIT: u32 = 12;
const LISTS: u32 = 1 << DIGIT;
/** Bits of a word, as a shift. */
const WORD: u32 = 6;
const SUMMARIES_AT: u32 = (LEVELS + 1) * (LISTS >> 3);
const LISTS_AT: u32 = SUMMARIES_AT + 64;
const DUE_AT: u32 = LISTS_AT + (LEVELS + 1) * LISTS * 4;
/** One more than are due at a time, for what loading ahead of time adds to. */
export const WHEEL_LEN: u32 = DUE_AT + ((DUE_MOST * DUE_LEN + 127) & ~63);
/** Times are taken to be at most this, so that what is put off comes later (milliseconds). */
export const TIME_MAX: u64 = 1 << 62;

function wheelOf(ipvs: State): usize {
  return ipvs.to(Ipvs.of(ipvs).wheelAt);
}

/** The word that has a list's bit. */
function wordAt(wheel: usize, list: u32): usize {
  return wheel + ((list >> WORD) << 3);
}

function summaryAt(wheel: usize, level: u32): usize {
  return wheel + SUMMARIES_AT + (level << 3);
}

function headAt(wheel: usize, list: u32): usize {
  return wheel + LISTS_AT + (list << 2);
}

/** Bit n of a u64, of n the last six bits. */
function bit(n: u32): u64 {
  return (<u64>1) << n;
}

function setBits(wheel: usize, list: u32): void {
  const word = wordAt(wheel, list);
  const summary = summaryAt(wheel, list / LISTS);
  store<u64>(word, load<u64>(word) | bit(list));
  store<u64>(summary, load<u64>(summary) | bit(list >> WORD));
}

function clearBits(wheel: usize, list: u32): void {
  const word = wordAt(wheel, list);
  const left = load<u64>(word) & ~bit(list);
  store<u64>(word, left);
  if (left != 0) return;
  const summary = summaryAt(wheel, list / LISTS);
  store<u64>(summary, load<u64>(summary) & ~bit(list >> WORD));
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
function hang(ipvs: State, session: u32, side: Side): void {
  const time = max<u64>(side.expires, ipvs.now);
  const timer = side.timer;
  hangIn(ipvs, session, side, time, listOf(ipvs.now, time, (timer & TIMER_TEMPLATE) != 0));
}

function hangIn(ipvs: State, session: u32, side: Side, time: u64, list: u32): void {
  const wheel = wheelOf(ipvs);
  const head = headAt(wheel, list);
  const next = load<u32>(head);
  side.hung = time;
  side.timer = (side.timer & TIMER_TEMPLATE) | (list + 1);
  side.next = next;
  side.before = 0;
  store<u32>(head, session);
  if (next != 0) Side.of(ipvs, next).before = session;
  else setBits(wheel, list);
}

/** The list in which a session of no template hangs that expires so many milliseconds from now. */
export function timerList(ipvs: State, after: u64): u32 {
  return listOf(ipvs.now, ipvs.now + after, false);
}

/** Hangs a new session up in such a list. */
export function hangNew(ipvs: State, session: u32, side: Side, expires: u64, list: u32): void {
  side.expires = expires;
  hangIn(ipvs, session, side, expires, list);
}

/** Takes a session's timer off, if it hangs. */
export function takeDown(ipvs: State, session: u32): void {
  const side = Side.of(ipvs, session);
  const timer = side.timer & TIMER_LIST;
  if (timer == 0) return;
  if (side.next != 0) Side.of(ipvs, side.next).before = side.before;
  if (side.before != 0) Side.of(ipvs, side.before).next = side.next;
  else {
    const wheel = wheelOf(ipvs);
    store<u32>(headAt(wheel, timer - 1), side.next);
    if (side.next == 0) clearBits(wheel, timer - 1);
  }
  side.timer &= TIMER_TEMPLATE;
}

/** A session expires so many milliseconds from now (mod_timer). */
export function restart(ipvs: State, session: u32, after: u64): void {
  const side = Side.of(ipvs, session);
  side.expires = ipvs.now + after;
  if ((side.timer & TIMER_LIST) != 0 && side.expires >= side.hung) return;
  takeDown(ipvs, session);
  hang(ipvs, session, side);
}

/** The lowest level that holds anything, or LEVELS. */
function firstLevel(wheel: usize): u32 {
  if ((load<u64>(summaryAt(wheel, 0)) | load<u64>(summaryAt(wheel, TEMPLATES))) != 0) return 0;
  let level: u32 = 1;
  while (level < LEVELS && load<u64>(summaryAt(wheel, level)) == 0) level++;
  return level;
}

/** The first place of a level, or of the templates, that holds anything; LISTS where none does. */
function firstPlace(wheel: usize, level: u32): u32 {
  const summary = load<u64>(summaryAt(wheel, level));
  if (summary == 0) return LISTS;
  const word = <u32>ctz<u64>(summary);
  return (word << WORD) + <u32>ctz<u64>(load<u64>(wordAt(wheel, level * LISTS + (word << WORD))));
}

/** The first list of a level that holds something. */
function firstList(wheel: usize, level: u32): u32 {
  const own = firstPlace(wheel, level);
  if (level != 0) return level * LISTS + own;
  const template = firstPlace(wheel, TEMPLATES);
  return own <= template ? own : TEMPLATES * LISTS + template;
}

/** When a list's time begins. */
function startOf(now: u64, level: u32, list: u32): u64 {
  const shift = level * DIGIT;
  const above = shift + DIGIT >= 64 ? 0 : (now >> (shift + DIGIT)) << (shift + DIGIT);
  return above | ((<u64>(list % LISTS)) << shift);
}

/** Hangs all sessions of a list up again. */
function spread(ipvs: State, wheel: usize, list: u32): void {
  let session = load<u32>(headAt(wheel, list));
  store<u32>(headAt(wheel, list), 0);
  clearBits(wheel, list);
  while (session != 0) {
    const side = Side.of(ipvs, session);
    const next = side.next;
    hang(ipvs, session, side);
    session = next;
  }
}

/** Where those stand that were taken down last. */
export function dueAt(ipvs: State): usize {
  return wheelOf(ipvs) + DUE_AT;
}

/**
 * Takes down sessions of a list of one millisecond, behind `count` others (DUE_), until one is tied to others or there are DUE_MOST;
 * how many there are then.
 */
function drain(ipvs: State, wheel: usize, list: u32, count: u32): u32 {
  let session = load<u32>(headAt(wheel, list));
  let isTied: bool = false;
  while (session != 0 && count < DUE_MOST && !isTied) {
    const side = Side.of(ipvs, session);
    const next = side.next;
    if (side.expires <= ipvs.now) {
      side.timer &= TIMER_TEMPLATE;
      store<u32>(wheel + DUE_AT + count++ * DUE_LEN, session);
      isTied = side.isTied;
    } else hang(ipvs, session, side);
    session = next;
  }
  store<u32>(headAt(wheel, list), session);
  if (session != 0) Side.of(ipvs, session).before = 0;
  else clearBits(wheel, list);
  return count;
}

/**
 * Takes down the next sessions that expire until a time, in that order, to where `dueAt` says: at most DUE_MOST, and behind one
 * that is tied to others none. How many; 0: there is none, and the wheel has come to that time.
 */
export function takeDue(ipvs: State, until: u64): u32 {
  const wheel = wheelOf(ipvs);
  let count: u32 = 0;
  while (count < DUE_MOST) {
    const level = firstLevel(wheel);
    const list = level == LEVELS ? 0 : firstList(wheel, level);
    const start = level == LEVELS ? u64.MAX_VALUE : startOf(ipvs.now, level, list);
    if (start > until) {
      ipvs.now = max<u64>(ipvs.now, until);
      break;
    }
    ipvs.now = start;
    if (level != 0) spread(ipvs, wheel, list);
    else {
      count = drain(ipvs, wheel, list, count);
      if (count != 0 && isLastTied(ipvs, wheel, count)) break;
    }
  }
  return count;
}

function isLastTied(ipvs: State, wheel: usize, count: u32): bool {
  return Side.of(ipvs, load<u32>(wheel + DUE_AT + (count - 1) * DUE_LEN)).isTied;
}
