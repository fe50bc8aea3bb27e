import { State } from "../../state";

/**
 * Fragments of datagrams that are not complete (net/ipv4/inet_fragment.c), in cells of one size: a cell for each datagram, one or
 * more for each fragment. Cells have numbers, 0 is none, so that all of it can be moved:
 *
 *   store · buckets (a power of two) · cells 1 … room
 *
 * Datagrams of one source stand in one bucket.
 */
@unmanaged
@final
export class Store {
  /** How many cells there are. */
  room: u32;
  /** First cell never used, the list of those given back, and how many are in use. */
  top: u32;
  free: u32;
  used: u32;
  /** Buckets, less one. */
  mask: u32;
  /** Where cell 0 would be, from the store on. */
  cellsAt: u32;
  /** When it was last looked for datagrams that have waited too long. */
  swept: u64;

  @inline
  static of(state: State): Store {
    return changetype<Store>(state.to(state.fragmentsAt));
  }

  @inline
  cell(number: u32): usize {
    return changetype<usize>(this) + this.cellsAt + <usize>number * CELL_LEN;
  }

  @inline
  datagram(number: u32): Datagram {
    return changetype<Datagram>(this.cell(number));
  }

  @inline
  fragment(number: u32): Fragment {
    return changetype<Fragment>(this.cell(number));
  }
}

/** An incomplete datagram, as `struct inet_frag_queue` has it. */
@unmanaged
@final
export class Datagram {
  /** In its bucket, or among cells given back. */
  next: u32;
  /** What its fragments have in common beside their addresses (`kindOf`). */
  kind: u32;
  id: u32;
  /** DATAGRAM_ bits. */
  flags: u32;
  /** Four words in their order; of IPv4 the last alone. */
  src: v128;
  dst: v128;
  expires: u64;
  /** Octets up to the end that is known so far, and how many of them are here. */
  length: u32;
  here: u32;
  /** The fragments with the lowest offset and with the highest, and how many there are. */
  first: u32;
  last: u32;
  count: u32;
  /** Fragments that the source has sent since the last one of these. */
  distance: u32;
  /** Octets of the largest IP packet among them, and of those that have DF. */
  largest: u32;
  largestWhole: u32;
  /** A bit for each value of the ECN field seen. */
  ecn: u32;
  /** Octets before the first fragment's data that it was kept with. */
  head: u32;
  /** Of IPv6, where in that the next header stands that names the fragment header. */
  nextAt: u32;
}

/** A fragment's first cell; its octets stand behind this and in further cells. */
@unmanaged
@final
export class Fragment {
  /** The one with the next higher offset. */
  next: u32;
  /** The cell with its further octets, which stand there behind this field. */
  more: u32;
  /** Of its data in the datagram. */
  offset: u32;
  length: u32;
  /** Octets of its headers that were kept before its data: those of the first one are the whole datagram's. */
  head: u32;
  /** Octets before its data where it came in, Ethernet's not counted. */
  reach: u32;
  /** 1: it was not appended to what was there before (frag_run_len counts from here). */
  begins: u32;

  @inline
  get end(): u32 {
    return this.offset + this.length;
  }
}

/** The first fragment is there; the last one is. */
export const DATAGRAM_FIRST: u32 = 1;
export const DATAGRAM_LAST: u32 = 2;

export const STORE_LEN: u32 = 64;
export const CELL_LEN: u32 = 512;
/** Where octets begin in a fragment's first cell, and in further ones. */
export const FRAGMENT_LEN: u32 = 32;
export const MORE_LEN: u32 = 8;
export const CELLS_MAX: u32 = 1 << 21;

/** A bucket for every eight cells. */
export function bucketsFor(cells: u32): u32 {
  return cells < 16 ? 1 : (<u32>1) << (28 - <u32>clz<u32>(cells));
}

/** Octets of a store of so many cells. */
export function storeLength(cells: u32): u32 {
  return cells == 0 ? 0 : STORE_LEN + bucketsFor(cells) * 4 + cells * CELL_LEN;
}

/** Cells that a fragment of so many octets takes. */
export function cellsFor(octets: u32): u32 {
  const more = octets - min<u32>(octets, CELL_LEN - FRAGMENT_LEN);
  return 1 + (more + CELL_LEN - MORE_LEN - 1) / (CELL_LEN - MORE_LEN);
}
