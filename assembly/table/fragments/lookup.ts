import { hash128 } from "../../hash";
import { State } from "../../state";
import { CELL_LEN, Datagram, FRAGMENT_LEN, MORE_LEN, STORE_LEN, Store } from "./layout";

/** The bucket of a source's datagrams. */
export function bucketOf(state: State, src: v128): usize {
  const first = v128.extract_lane<u64>(src, 0);
  const hash = hash128(first, v128.extract_lane<u64>(src, 1), state.flowKey0, state.flowKey1);
  return state.to(state.fragmentsAt + STORE_LEN + ((<u32>(hash >> 32) & Store.of(state).mask) << 2));
}

/** All octets of a fragment are here; the fragment overlaps others. */
export const PLACE_TAKEN: u32 = 0xffffffff;
export const PLACE_OVERLAPS: u32 = 0xfffffffe;

/**
 * Behind which fragment one from `offset` up to `end` stands, 0 for none; or PLACE_TAKEN where it is part of what was
 * appended piece by piece, or PLACE_OVERLAPS (inet_frag_queue_insert).
 */
export function placeOf(kept: Store, datagram: Datagram, offset: u32, end: u32): u32 {
  if (datagram.last != 0 && kept.fragment(datagram.last).end <= offset) return datagram.last;
  let before: u32 = 0;
  let run = datagram.first;
  while (run != 0) {
    const start = kept.fragment(run).offset;
    const last = lastOfRun(kept, run);
    const stop = kept.fragment(last).end;
    if (end <= start) return before;
    if (offset < stop) return offset >= start && end <= stop ? PLACE_TAKEN : PLACE_OVERLAPS;
    before = last;
    run = kept.fragment(last).next;
  }
  return before;
}

/** The last of the fragments that were appended to this one. */
function lastOfRun(kept: Store, run: u32): u32 {
  let last = run;
  while (true) {
    const next = kept.fragment(last).next;
    if (next == 0 || kept.fragment(next).begins != 0) return last;
    last = next;
  }
}

/** Copies the octets that a fragment was kept with; the address behind them. */
function copyFragment(kept: Store, number: u32, to: usize): usize {
  const fragment = kept.fragment(number);
  let left = fragment.head + fragment.length;
  let part = min<u32>(left, CELL_LEN - FRAGMENT_LEN);
  memory.copy(to, kept.cell(number) + FRAGMENT_LEN, part);
  let at = to + part;
  let more = fragment.more;
  for (left -= part; left != 0; left -= part) {
    part = min<u32>(left, CELL_LEN - MORE_LEN);
    memory.copy(at, kept.cell(more) + MORE_LEN, part);
    at += part;
    more = kept.fragment(more).more;
  }
  return at;
}

/** Copies a datagram that is complete, behind what its first fragment was kept with. */
export function copyDatagram(kept: Store, datagram: Datagram, to: usize): void {
  let at = to;
  for (let number = datagram.first; number != 0; number = kept.fragment(number).next)
    at = copyFragment(kept, number, at);
}
