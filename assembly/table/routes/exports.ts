import { KEY6_LEN } from "../../abi/entry";
import { STATUS_BAD_ENTRY } from "../../abi/image";
import { Image } from "../../image";
import { fib4Insert, fib4Remove } from "../fib4/build";
import { fib4LongestLength, fib4Lookup, fib4LookupBurst } from "../fib4/lookup";
import { fib6LongestLength, fib6Lookup, fib6LookupBurst } from "../fib6/lookup";
import { routesDelete, routesSet } from "./bulk";
import { Fib } from "./fib";

/** The machine's exports about routes (re-exported by index). */

/** Look-ups between two looks at the image's changes. */
const BURST: u32 = 256;

/**
 * Inserts routes (ROUTE_…), of equal prefixes the last, all or none: BAD_ENTRY if any is none, or its next hop was
 * never set. NO_SPACE, where the table is not filled anew, counts with what one of them can take at most.
 */
export function routesInsert(address: usize, rows: usize, count: u32): u32 {
  const image = Image.at(address);
  return routesSet(image, Fib.of4(image), rows, count);
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
export function routes6Insert(address: usize, rows: usize, count: u32): u32 {
  const image = Image.at(address);
  return routesSet(image, Fib.of6(image), rows, count);
}

/** Removes IPv6 routes (ROUTE6_…; next hops do not count), all or none: BAD_ENTRY if any is not there. */
export function routes6Remove(address: usize, rows: usize, count: u32): u32 {
  const image = Image.at(address);
  return routesDelete(image, Fib.of6(image), rows, count);
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
