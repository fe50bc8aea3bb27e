import { EXACT_TABLES_MAX, HOOK_CHAINS_MAX, HOOK_COUNT } from "./abi/entry";
import { IMAGE_MAGIC, IMAGE_VERSION } from "./abi/image";
import { State } from "./state";

/**
 * The head of an image. Every number named …At is an offset from the image's start, 0 for none:
 *
 *   head · route tables · exact directory · hooks · free lists · scratch · settings | blocks, taken and given back by memory/arena.ts
 */
@unmanaged
@final
export class Image {
  magic: u32;
  version: u32;
  /** Octets the host gave, and of those ever used. */
  capacity: u32;
  top: u32;
  /** Moves with every change of a table. */
  sequence: u32;
  flags: u32;

  /** Changes of routes begun and done: equal while nothing is being changed (what a reader in another thread asks). */
  routesBegun: u32;
  routesDone: u32;
  /** A writer is at work: no burst of packets begins. */
  pause: u32;
  nextHopsAt: u32;
  nextHopsRoom: u32;
  /** Their IPv6 addresses, as far as any has one. */
  sources6At: u32;
  sources6Room: u32;
  chainsAt: u32;
  chainsRoom: u32;
  serversAt: u32;
  serversRoom: u32;

  /** Destinations of IPVS by their numbers (table/ring/destinations), how many numbers were ever given, and serials. */
  destinationsAt: u32;
  destinationsRoom: u32;
  destinations: u32;
  serials: u32;
  /** Of those that left (table/ring/left): the first and the last one's number plus one, how many, and their index. */
  leftFirst: u32;
  leftLast: u32;
  left: u32;
  leftIndexAt: u32;
  leftIndexRoom: u32;
  /** How often a destination left. */
  departures: u32;
  /** 1: there was a scheduler that keeps what it chose (table/ring/cache). */
  caches: u32;

  /** Tunnel devices (table/tunnel), and how many there are. */
  tunnelsAt: u32;
  tunnelsRoom: u32;
  tunnels: u32;

  /** Octets of live blocks by PART_ code. */
  octets0: u32;
  octets1: u32;
  octets2: u32;
  octets3: u32;
  octets4: u32;
  octets5: u32;
  octets6: u32;
  octets7: u32;

  /** Where memory/cells.ts cuts its next cell, and where that block ends: multiples of 64, of 32, and of 8. */
  chunk64At: u32;
  chunk64End: u32;
  chunk32At: u32;
  chunk32End: u32;
  chunk8At: u32;
  chunk8End: u32;

  @inline
  static at(address: usize): Image {
    return changetype<Image>(address);
  }

  /** The value of a SETTING_ code. */
  @inline
  setting(code: u32): u32 {
    return load<u32>(this.to(SETTINGS_AT + (code << 2)));
  }

  /** The address behind an offset. */
  @inline
  to(offset: u32): usize {
    return changetype<usize>(this) + offset;
  }

  /** A reader that began before this, or begins before `endRoutes`, repeats its look-ups. */
  beginRoutes(): void {
    atomic.add<u32>(changetype<usize>(this) + offsetof<Image>("routesBegun"), 1);
  }

  endRoutes(): void {
    this.sequence++;
    atomic.add<u32>(changetype<usize>(this) + offsetof<Image>("routesDone"), 1);
  }

  /** Waits until no change of routes is under way; what to ask `isSettled` after the look-ups. */
  @inline
  settledRoutes(): u32 {
    const head = changetype<usize>(this);
    let done = atomic.load<u32>(head + offsetof<Image>("routesDone"));
    while (atomic.load<u32>(head + offsetof<Image>("routesBegun")) != done)
      done = atomic.load<u32>(head + offsetof<Image>("routesDone"));
    return done;
  }

  /** Whether no change began since. */
  @inline
  isSettled(change: u32): bool {
    return atomic.load<u32>(changetype<usize>(this) + offsetof<Image>("routesBegun")) == change;
  }

  /** Begins a change: waits until none of `count` states (addresses, u32 each) is within a burst of this image. */
  beginPause(states: usize, count: u32): void {
    atomic.store<u32>(changetype<usize>(this) + offsetof<Image>("pause"), 1);
    for (let i: u32 = 0; i < count; i++) {
      const state = State.at(load<u32>(states + (i << 2)));
      while (state.isBusy) {}
    }
  }

  /** It was copied to another place: bursts on their way end, and none begins here any more. */
  retire(): void {
    this.magic = 0;
    atomic.store<u32>(changetype<usize>(this) + offsetof<Image>("pause"), 1);
  }

  endPause(): void {
    atomic.store<u32>(changetype<usize>(this) + offsetof<Image>("pause"), 0);
  }

  @inline
  get isPaused(): bool {
    return atomic.load<u32>(changetype<usize>(this) + offsetof<Image>("pause")) != 0;
  }

  @inline
  get isValid(): bool {
    return this.magic == IMAGE_MAGIC && this.version == IMAGE_VERSION;
  }
}

/** Heads of the route tables (table/fib4, table/fib6), 64 octets each. */
export const FIB4_AT: u32 = 256;
export const FIB6_AT: u32 = 320;
export const EXACT_DIRECTORY_AT: u32 = 384;
export const HOOKS_AT: u32 = EXACT_DIRECTORY_AT + EXACT_TABLES_MAX * 4;
/** chain, type | policy << 8 */
export const HOOK_CHAIN_LEN: u32 = 8;
/** A count; how many of the first are HOOK_RAW, and << 16 how many of those and HOOK_MANGLE; then the chains. */
export const HOOK_EARLY: u32 = 4;
export const HOOK_LEN: u32 = 8 + HOOK_CHAINS_MAX * HOOK_CHAIN_LEN;
export const FREE_LISTS_AT: u32 = HOOKS_AT + HOOK_COUNT * HOOK_LEN;
export const FREE_LISTS: u32 = 32;
export const FREE_CELLS_AT: u32 = FREE_LISTS_AT + FREE_LISTS * 4;
/** Space in which the writer lays out 64 slots of a route table, and remembers its way down to them. */
export const SCRATCH_AT: u32 = 1664;
export const SCRATCH_LEN: u32 = 768;
/** What a change of many entries needs is counted here (memory/needs), and behind it what else there is to count. */
export const NEEDS_AT: u32 = SCRATCH_AT + SCRATCH_LEN - 64;
/** Values by SETTING_ code, a word each. */
export const SETTINGS_AT: u32 = SCRATCH_AT + SCRATCH_LEN;
/** A power of two: a copy of it is given back as a block (memory/trial). */
export const IMAGE_HEAD_LEN: u32 = 4096;
