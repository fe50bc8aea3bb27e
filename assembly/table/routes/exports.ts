import {
  KEY6_LEN,
  ROUTE_ADDRESS,
  ROUTE_ENTRY_LEN,
  ROUTE_LENGTH,
  ROUTE_NEXT_HOP,
  ROUTE6_ENTRY_LEN,
  ROUTE6_HIGH,
  ROUTE6_LENGTH,
  ROUTE6_LOW,
  ROUTE6_NEXT_HOP,
} from "../../abi/entry";
import { STATUS_BAD_ENTRY, STATUS_OK } from "../../abi/image";
import { Image } from "../../image";
import { fib4AreRoutes, fib4Insert, fib4Load, fib4Remove } from "../fib4/build";
import { fib4LongestLength, fib4Lookup, fib4LookupBurst } from "../fib4/lookup";
import { fib6AreRoutes, fib6Insert, fib6Load, fib6Remove } from "../fib6/build";
import { fib6LongestLength, fib6Lookup, fib6LookupBurst } from "../fib6/lookup";
import { Fib } from "./fib";
import { isLoad } from "./load";

/** The machine's exports about routes (re-exported by index). */

/** Look-ups between two looks at the image's changes. */
const BURST: u32 = 256;

/**
 * Inserts routes (ROUTE_…), of equal prefixes the last; BAD_ENTRY if any is none, and then nothing is changed. An
 * empty table is loaded at once or not at all; otherwise `done` (u32, when not 0) counts the routes inserted, and
 * after NO_SPACE the call may be repeated from there or from the start.
 */
export function routesInsert(address: usize, rows: usize, count: u32, done: usize): u32 {
  const image = Image.at(address);
  if (!fib4AreRoutes(rows, count, image.nextHopsRoom)) return STATUS_BAD_ENTRY;
  if (isLoad(Fib.of4(image), count)) {
    const status = fib4Load(image, rows, count);
    if (status == STATUS_OK && done != 0) store<u32>(done, count);
    return status;
  }
  for (let i: u32 = 0; i < count; i++) {
    const row = rows + i * ROUTE_ENTRY_LEN;
    const length = load<u32>(row, ROUTE_LENGTH);
    const status = fib4Insert(image, load<u32>(row, ROUTE_ADDRESS), length, load<u32>(row, ROUTE_NEXT_HOP));
    if (status != STATUS_OK) return status;
    if (done != 0) store<u32>(done, i + 1);
  }
  return STATUS_OK;
}

/** Adds or replaces a route. The next hop must be set first. */
export function routeInsert(address: usize, prefix: u32, length: u32, nextHop: u32): u32 {
  const image = Image.at(address);
  return nextHop < image.nextHopsRoom ? fib4Insert(image, prefix, length, nextHop) : STATUS_BAD_ENTRY;
}

export function routeRemove(address: usize, prefix: u32, length: u32): u32 {
  return fib4Remove(Image.at(address), prefix, length);
}

/** The next hop of the longest prefix that holds an address, or 0xffffffff. */
export function routeLookup(address: usize, destination: u32): u32 {
  return fib4Lookup(Image.at(address), destination) - 1;
}

/** The length of that prefix, or 0xffffffff. */
export function routeLookupLength(address: usize, destination: u32): u32 {
  return fib4LongestLength(Image.at(address), destination);
}

/**
 * Looks up `count` addresses (u32 each); next hops (or 0xffffffff) go to `results`. Another thread may change routes
 * meanwhile: a burst that a change met is looked up again. Answers how many bursts were.
 */
export function routeLookupMany(address: usize, keys: usize, count: u32, results: usize): u32 {
  const image = Image.at(address);
  let repeated: u32 = 0;
  for (let i: u32 = 0; i < count; i += BURST) {
    const change = image.settledRoutes();
    fib4LookupBurst(image, keys + (i << 2), min<u32>(BURST, count - i), results + (i << 2));
    if (image.isSettled(change)) continue;
    i -= BURST;
    repeated++;
  }
  return repeated;
}

/** IPv6: as routesInsert, rows are ROUTE6_…. */
export function routes6Insert(address: usize, rows: usize, count: u32, done: usize): u32 {
  const image = Image.at(address);
  if (!fib6AreRoutes(rows, count, image.nextHopsRoom)) return STATUS_BAD_ENTRY;
  if (isLoad(Fib.of6(image), count)) {
    const status = fib6Load(image, rows, count);
    if (status == STATUS_OK && done != 0) store<u32>(done, count);
    return status;
  }
  for (let i: u32 = 0; i < count; i++) {
    const row = rows + i * ROUTE6_ENTRY_LEN;
    const high = load<u64>(row, ROUTE6_HIGH);
    const low = load<u64>(row, ROUTE6_LOW);
    const status = fib6Insert(
      image,
      high,
      low,
      load<u32>(row, ROUTE6_LENGTH),
      load<u32>(row, ROUTE6_NEXT_HOP),
    );
    if (status != STATUS_OK) return status;
    if (done != 0) store<u32>(done, i + 1);
  }
  return STATUS_OK;
}

/** Removes IPv6 routes (ROUTE6_…; next hops do not count) one after another; BAD_ENTRY at one that is not there. */
export function routes6Remove(address: usize, rows: usize, count: u32, done: usize): u32 {
  const image = Image.at(address);
  for (let i: u32 = 0; i < count; i++) {
    const row = rows + i * ROUTE6_ENTRY_LEN;
    const high = load<u64>(row, ROUTE6_HIGH);
    const status = fib6Remove(image, high, load<u64>(row, ROUTE6_LOW), load<u32>(row, ROUTE6_LENGTH));
    if (status != STATUS_OK) return status;
    if (done != 0) store<u32>(done, i + 1);
  }
  return STATUS_OK;
}

/** The next hop of the longest IPv6 prefix that holds the address at `key` (KEY6_LEN octets), or 0xffffffff. */
export function route6Lookup(address: usize, key: usize): u32 {
  return fib6Lookup(Image.at(address), load<u64>(key), load<u64>(key, 8)) - 1;
}

/** The length of that prefix, or 0xffffffff. */
export function route6LookupLength(address: usize, key: usize): u32 {
  return fib6LongestLength(Image.at(address), load<u64>(key), load<u64>(key, 8));
}

/** As routeLookupMany, for addresses of KEY6_LEN octets each. */
export function route6LookupMany(address: usize, keys: usize, count: u32, results: usize): u32 {
  const image = Image.at(address);
  let repeated: u32 = 0;
  for (let i: u32 = 0; i < count; i += BURST) {
    const change = image.settledRoutes();
    fib6LookupBurst(image, keys + i * KEY6_LEN, min<u32>(BURST, count - i), results + (i << 2));
    if (image.isSettled(change)) continue;
    i -= BURST;
    repeated++;
  }
  return repeated;
}
