import { State } from "../../state";
import { hasIpvs } from "../ipvs/layout";
import { Cache, cacheOf, Entry, entryAt, headOf, TABLE_BITS, TABLE_MOST } from "./cache";
import { dropEntry } from "./cache-entries";
import { POSITION_CHECK, POSITION_ENTRIES, POSITION_LOOKS, POSITION_ROVER } from "./layout";

/**
 * Stale entries of a service's table are looked for every minute: once in thirty those of all buckets that a day passed by,
 * else, while there are too many, some that were not used for six minutes (ip_vs_lblc_check_expire). What a kernel's timer does
 * is done when the table is next asked, which nobody can tell apart.
 */
const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;
const UNUSED: u64 = 6 * MINUTE;
const FULL_EVERY: u32 = 30;
/** Times in a position are in units of 16 ms, and wrap. */
const UNIT_SHIFT: u64 = 4;
const CHECK_AFTER: u32 = 60_000 >> 4;
/** After so many looks nothing is left that was there before the first. */
const LOOKS_MAX: u32 = 3000;
const BUCKETS: u32 = 1 << TABLE_BITS;

/** Drops what of a bucket was last used so long before a time; how much that was. */
function dropUnused(cache: usize, service: u32, bucket: u32, now: u64, after: u64): u32 {
  let dropped: u32 = 0;
  let link = headOf(cache, service, bucket);
  for (let index = load<u32>(link); index != 0; index = load<u32>(link)) {
    const entry = entryAt(cache, index);
    if (entry.service == service && now >= entry.used + after) {
      dropEntry(cache, link);
      dropped++;
    } else link = changetype<usize>(entry) + offsetof<Entry>("next");
  }
  return dropped;
}

/** Goes through buckets from where it was, until `goal` entries are dropped. */
function sweep(cache: usize, service: u32, position: usize, now: u64, after: u64, goal: u32): void {
  let bucket: u32 = load<u16>(position, POSITION_ROVER);
  let dropped: u32 = 0;
  for (let i: u32 = 0; i < BUCKETS && dropped < goal; i++) {
    bucket = (bucket + 1) & (BUCKETS - 1);
    dropped += dropUnused(cache, service, bucket, now, after);
  }
  store<u16>(position, bucket, POSITION_ROVER);
  store<u32>(position, load<u32>(position, POSITION_ENTRIES) - dropped, POSITION_ENTRIES);
}

function look(cache: usize, service: u32, position: usize, now: u64): void {
  const looks: u32 = load<u16>(position, POSITION_LOOKS);
  const entries = load<u32>(position, POSITION_ENTRIES);
  if (looks % FULL_EVERY == 0) {
    sweep(cache, service, position, now, DAY, u32.MAX_VALUE);
    store<u16>(position, 1, POSITION_LOOKS);
  } else if (entries <= TABLE_MOST) store<u16>(position, looks + 1, POSITION_LOOKS);
  else {
    const goal = min<u32>(((entries - TABLE_MOST) * 4) / 3, TABLE_MOST / 2);
    sweep(cache, service, position, now, UNUSED, max<u32>(goal, 1));
  }
}

/** Looks as often as was due since the table was last asked. */
export function expireEntries(cache: usize, state: State, service: u32, position: usize): void {
  const now = <u32>(state.now >> UNIT_SHIFT);
  let late = now - load<u32>(position, POSITION_CHECK);
  for (let looks: u32 = 0; looks < LOOKS_MAX && late < 0 - CHECK_AFTER; looks++) {
    look(cache, service, position, state.now - ((<u64>late) << UNIT_SHIFT));
    late -= CHECK_AFTER;
  }
  if (late < 0 - CHECK_AFTER) {
    const more = late / CHECK_AFTER + 1;
    store<u16>(position, 1 + ((load<u16>(position, POSITION_LOOKS) + more - 1) % FULL_EVERY), POSITION_LOOKS);
    late -= more * CHECK_AFTER;
  }
  store<u32>(position, now - late, POSITION_CHECK);
}

/**
 * A virtual server begins with an empty table, looked through for the first time in a minute, whether or not there is room
 * for its entries yet.
 */
export function beginEntries(state: State, service: u32, position: usize): void {
  store<u32>(position, <u32>(state.now >> UNIT_SHIFT) + CHECK_AFTER, POSITION_CHECK);
  store<u32>(position, 0, POSITION_ENTRIES);
  store<u32>(position, 1, POSITION_LOOKS);
  const cache = hasIpvs(state) ? cacheOf(state) : 0;
  if (cache == 0) return;
  for (let bucket: u32 = 0; bucket < BUCKETS && Cache.at(cache).entries != 0; bucket++)
    dropUnused(cache, service, bucket, u64.MAX_VALUE, 0);
}
