import { State } from "../../state";
import { Ipvs, ipvsOf } from "../ipvs/layout";
import { foldAddress, hash32 } from "./hash";

/**
 * What lblc and lblcr chose: entries of a virtual server and an address that is called, each with a destination or, for
 * lblcr, a set of them. The kernel has a table of 1,024 buckets for each service; here all services share buckets, records and
 * members, and where those are used up nothing more is noted, as where a kernel's memory is. There are indices only, so that
 * all of it can be moved.
 *
 *   head · buckets (the first entry's index) · entries 1 … · members 1 …
 */
@unmanaged
@final
export class Cache {
  /** Entries, and members of sets, never used, and lists of those given back. */
  entriesTop: u32;
  entriesFree: u32;
  membersTop: u32;
  membersFree: u32;
  /** How many entries there are. */
  entries: u32;

  @inline
  static at(address: usize): Cache {
    return changetype<Cache>(address);
  }
}

/** An entry (ip_vs_lblc_entry, ip_vs_lblcr_entry). */
@unmanaged
@final
export class Entry {
  /** The whole address, of IPv4 in its last lane. */
  address0: u64;
  address1: u64;
  /** When it was last asked for, and its set last changed (milliseconds). */
  used: u64;
  changed: u64;
  next: u32;
  service: u32;
  /** lblc: the destination's number and serial. */
  destination: u32;
  serial: u32;
  /** lblcr: the set's newest member, and how many there are. */
  members: u32;
  size: u32;
  /** lblc: where in the ring it was found last. */
  place: u32;

  @inline
  static at(address: usize): Entry {
    return changetype<Entry>(address);
  }
}

/** One destination of a set (ip_vs_dest_set_elem). */
@unmanaged
@final
export class Member {
  next: u32;
  destination: u32;
  serial: u32;
  place: u32;

  @inline
  static at(address: usize): Member {
    return changetype<Member>(address);
  }
}

/** Of a kernel's table (IP_VS_LBLC_TAB_BITS), and how many entries are too many for it. */
export const TABLE_BITS: u32 = 10;
export const TABLE_MOST: u32 = 16 << TABLE_BITS;
const HEAD_LEN: u32 = 64;
const BUCKETS: u32 = 1 << 14;
export const ENTRIES: u32 = 1 << 15;
const ENTRY_LEN: u32 = 64;
export const MEMBERS: u32 = 1 << 16;
const MEMBER_LEN: u32 = 16;
const ENTRIES_AT: u32 = HEAD_LEN + BUCKETS * 4;
const MEMBERS_AT: u32 = ENTRIES_AT + (ENTRIES + 1) * ENTRY_LEN;
const CACHE_LEN: u32 = MEMBERS_AT + (MEMBERS + 1) * MEMBER_LEN;

/** Octets of a cache. */
export function cacheLength(): u32 {
  return CACHE_LEN;
}

/** Makes a cache in `cacheLength` octets. */
export function cacheCreate(address: usize): void {
  memory.fill(address, 0, CACHE_LEN);
}

/** The cache of a state with IPVS' part, or 0. */
export function cacheOf(state: State): usize {
  const at = Ipvs.of(ipvsOf(state)).cacheAt;
  return at == 0 ? 0 : ipvsOf(state).to(at);
}

export function entryAt(cache: usize, index: u32): Entry {
  return Entry.at(cache + ENTRIES_AT + index * ENTRY_LEN);
}

export function memberAt(cache: usize, index: u32): Member {
  return Member.at(cache + MEMBERS_AT + index * MEMBER_LEN);
}

/** The bucket of a kernel's table that an address falls in. */
export function bucketOf(high: v128, last: u32): u32 {
  return hash32(foldAddress(high, last), TABLE_BITS);
}

/** Where a bucket of a service's table begins here: others' entries may stand between. */
export function headOf(cache: usize, service: u32, bucket: u32): usize {
  const mixed = ((service * 0x9e3779b1) >> 18) ^ bucket;
  return cache + HEAD_LEN + (mixed & (BUCKETS - 1)) * 4;
}
