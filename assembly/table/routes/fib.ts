import { FIB4_AT, FIB6_AT, Image, SCRATCH_AT } from "../../image";
import { SLOTS } from "./layout";

/**
 * The head of one family's routes. The look-up side is a trie of words, one for each node of the store from depth
 * `bits` on (fib4/layout, fib6/layout): those at depth `bits` in one array, the root, by the address's first bits,
 * the others in their parents' blocks.
 *
 * The field `root` says all that a look-up must know at once: the array's offset (a multiple of 64), whether leaves
 * are wide, and `bits`; a reader in another thread loads it once.
 */
@unmanaged
@final
export class Fib {
  root: u32;
  /** The store's root. */
  storeAt: u32;
  routes: u32;
  /** Of the store. */
  nodes: u32;
  is6: u32;
  /** Roots of 6, 12 and 18 bits out of use, each linked through its first word. */
  parked6: u32;
  parked12: u32;
  parked18: u32;
  /** IPv4: the cell that says that there is no route, 0 until it is needed. */
  noneAt: u32;
  /** IPv4: the window (fib4/window), 0 where there is none, and the first octet of the addresses in it. */
  windowAt: u32;
  windowFirst: u32;
  /** IPv4: the window's panes (fib4/panes), an offset | log2 of how many there is room for; 0 where there are none. */
  panes: u32;
  /** IPv6: where the next block is cut from, and lists of blocks given back (fib6/cells). */
  chunkAt: u32;
  chunkEnd: u32;
  free64: u32;
  free256: u32;

  @inline
  static of4(image: Image): Fib {
    return changetype<Fib>(image.to(FIB4_AT));
  }

  @inline
  static of6(image: Image): Fib {
    return changetype<Fib>(image.to(FIB6_AT));
  }

  @inline
  get bits(): u32 {
    return this.root & ROOT_BITS;
  }

  @inline
  get isWide(): bool {
    return (this.root & ROOT_WIDE) != 0;
  }

  @inline
  get rootAt(): u32 {
    return this.root & ROOT_OFFSET;
  }
}

export const ROOT_BITS: u32 = 31;
export const ROOT_WIDE: u32 = 32;
export const ROOT_OFFSET: u32 = ~(<u32>63);

/**
 * The writer's scratch: 64 slots, the nodes on the way down with what each inherits, a head under construction, and 64
 * words.
 */
export const SLOTS_AT: u32 = SCRATCH_AT;
export const PATH_AT: u32 = SLOTS_AT + SLOTS * 4;
export const INHERITED_AT: u32 = PATH_AT + 96;
export const NEXT_FIB_AT: u32 = INHERITED_AT + 96;
export const WORDS_AT: u32 = NEXT_FIB_AT + 64;
