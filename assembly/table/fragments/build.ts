import { State } from "../../state";
import {
  bucketsFor,
  CELL_LEN,
  CELLS_MAX,
  cellsFor,
  Datagram,
  FRAGMENT_LEN,
  Fragment,
  MORE_LEN,
  STORE_LEN,
  Store,
} from "./layout";
import { bucketOf } from "./lookup";

/** Lays a store of so many cells (1 … CELLS_MAX) out at an offset of the state. */
export function storeCreate(state: State, at: u32, cells: u32): void {
  const room = min<u32>(cells, CELLS_MAX);
  const buckets = bucketsFor(room) * 4;
  state.fragmentsAt = at;
  const kept = Store.of(state);
  memory.fill(changetype<usize>(kept), 0, STORE_LEN + buckets);
  kept.room = room;
  kept.top = 1;
  kept.mask = bucketsFor(room) - 1;
  kept.cellsAt = STORE_LEN + buckets - CELL_LEN;
}

/** Cells that a state has, 0 without a store. */
export function cellsOf(state: State): u32 {
  return state.fragmentsAt == 0 ? 0 : Store.of(state).room;
}

/** A cell; there must be one. */
function take(kept: Store): u32 {
  kept.used++;
  const number = kept.free;
  if (number == 0) return kept.top++;
  kept.free = kept.fragment(number).next;
  return number;
}

function give(kept: Store, number: u32): void {
  kept.fragment(number).next = kept.free;
  kept.free = number;
  kept.used--;
}

/** Gives a datagram's fragments back, and forgets what they said: but for the largest (ip_frag_reinit). */
export function datagramEmpty(kept: Store, datagram: Datagram): void {
  let number = datagram.first;
  while (number != 0) {
    const next = kept.fragment(number).next;
    let cell = number;
    while (cell != 0) {
      const more = kept.fragment(cell).more;
      give(kept, cell);
      cell = more;
    }
    number = next;
  }
  datagram.flags = datagram.length = datagram.here = datagram.ecn = 0;
  datagram.first = datagram.last = datagram.count = 0;
}

/** Forgets a datagram. */
export function datagramForget(state: State, number: u32): void {
  const kept = Store.of(state);
  const datagram = kept.datagram(number);
  let link = bucketOf(state, datagram.src);
  while (load<u32>(link) != number) link = changetype<usize>(kept.datagram(load<u32>(link)));
  forgetAt(kept, link);
}

/** Forgets the datagram that a link names; the link names the next one then. */
function forgetAt(kept: Store, link: usize): void {
  const number = load<u32>(link);
  const datagram = kept.datagram(number);
  store<u32>(link, datagram.next);
  datagramEmpty(kept, datagram);
  give(kept, number);
}

/** Forgets the datagrams of a bucket that have waited too long. */
function expire(kept: Store, bucket: usize, now: u64): void {
  let link = bucket;
  while (load<u32>(link) != 0) {
    const datagram = kept.datagram(load<u32>(link));
    if (datagram.expires <= now) forgetAt(kept, link);
    else link = changetype<usize>(datagram);
  }
}

/** Whether there is room for a fragment that is kept with so many octets, and its datagram; what waits too long makes room. */
export function fragmentHasRoom(state: State, octets: u32): bool {
  const kept = Store.of(state);
  const needed = cellsFor(octets) + 1;
  if (kept.room - kept.used >= needed) return true;
  if (kept.swept == state.now) return false;
  kept.swept = state.now;
  const buckets = changetype<usize>(kept) + STORE_LEN;
  for (let bucket: u32 = 0; bucket <= kept.mask; bucket++) expire(kept, buckets + (bucket << 2), state.now);
  return kept.room - kept.used >= needed;
}

/** Counts so many fragments of a source that are not kept here, as others in between (ip_frag_too_far). */
export function fragmentsPass(state: State, src: v128, count: u32): void {
  const kept = Store.of(state);
  for (let number = load<u32>(bucketOf(state, src)); number != 0; number = kept.datagram(number).next) {
    const datagram = kept.datagram(number);
    if (i32x4.all_true(i32x4.eq(datagram.src, src))) datagram.distance += count;
  }
}

/** The datagram of a fragment that has come, made if it is the first one; it waits for so many milliseconds. There is room. */
export function datagramFind(state: State, kind: u32, id: u32, src: v128, dst: v128, wait: u64): u32 {
  const kept = Store.of(state);
  const bucket = bucketOf(state, src);
  expire(kept, bucket, state.now);
  let found: u32 = 0;
  for (let number = load<u32>(bucket); number != 0; number = kept.datagram(number).next) {
    const datagram = kept.datagram(number);
    if (!i32x4.all_true(i32x4.eq(datagram.src, src))) continue;
    datagram.distance++;
    if (datagram.kind == kind && datagram.id == id && i32x4.all_true(i32x4.eq(datagram.dst, dst)))
      found = number;
  }
  return found != 0 ? found : datagramOpen(state, bucket, kind, id, src, dst, wait);
}

function datagramOpen(state: State, bucket: usize, kind: u32, id: u32, src: v128, dst: v128, wait: u64): u32 {
  const kept = Store.of(state);
  const number = take(kept);
  const datagram = kept.datagram(number);
  memory.fill(changetype<usize>(datagram), 0, CELL_LEN);
  datagram.next = load<u32>(bucket);
  store<u32>(bucket, number);
  datagram.kind = kind;
  datagram.id = id;
  datagram.src = src;
  datagram.dst = dst;
  datagram.expires = state.now + wait;
  return number;
}

/** Keeps so many octets from an address on in a fragment's cells. */
function keep(kept: Store, number: u32, from: usize, octets: u32): void {
  let left = octets;
  let part = min<u32>(left, CELL_LEN - FRAGMENT_LEN);
  memory.copy(kept.cell(number) + FRAGMENT_LEN, from, part);
  let at = from + part;
  let cell = kept.fragment(number);
  cell.more = 0;
  for (left -= part; left != 0; left -= part) {
    const more = take(kept);
    cell.more = more;
    cell = kept.fragment(more);
    cell.more = 0;
    part = min<u32>(left, CELL_LEN - MORE_LEN);
    memory.copy(kept.cell(more) + MORE_LEN, at, part);
    at += part;
  }
}

/**
 * Puts a fragment behind another one (`placeOf`), with its data at `from` and `head` octets of what stands before that.
 * There is room.
 */
export function fragmentInsert(
  kept: Store,
  datagram: Datagram,
  before: u32,
  offset: u32,
  length: u32,
  from: usize,
  head: u32,
): Fragment {
  const number = take(kept);
  keep(kept, number, from - head, head + length);
  const fragment = kept.fragment(number);
  fragment.offset = offset;
  fragment.length = length;
  fragment.head = head;
  const isAppended = before != 0 && before == datagram.last && kept.fragment(before).end == offset;
  fragment.begins = u32(!isAppended);
  if (before == datagram.last) datagram.last = number;
  if (before == 0) {
    fragment.next = datagram.first;
    datagram.first = number;
  } else {
    fragment.next = kept.fragment(before).next;
    kept.fragment(before).next = number;
  }
  datagram.count++;
  datagram.here += length;
  return fragment;
}
