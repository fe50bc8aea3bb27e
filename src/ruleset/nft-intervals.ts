import { familyOf, type Ip } from "../net/ip.js";
import type { Prefix } from "../net/prefix.js";

/** Addresses from the first to the last, both within, as one number each of either family. */
type Interval = readonly [first: bigint, last: bigint];

const BITS = { 4: 32n, 6: 128n } as const;

function intervalOf({ address, length }: Prefix): Interval {
  const first = BigInt(address);
  const host = BITS[familyOf(address)] - BigInt(length);
  return [first, first + (1n << host) - 1n];
}

/** Intervals as the kernel keeps them: ascending, and what touches or overlaps joined to one. */
function joined(intervals: readonly Interval[]): readonly Interval[] {
  const sorted = [...intervals].sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  const kept: Interval[] = [];
  for (const [first, last] of sorted) {
    const before = kept.at(-1);
    if (before === undefined || first > before[1] + 1n) kept.push([first, last]);
    else if (last > before[1]) kept[kept.length - 1] = [before[0], last];
  }
  return kept;
}

/** How many addresses the largest prefix has that begins at the address, as a power of two. */
function alignment(address: bigint, bits: bigint): bigint {
  let host = 0n;
  while (host < bits && ((address >> host) & 1n) === 0n) host += 1n;
  return host;
}

/** The fewest prefixes that make up the interval, ascending. */
function split([first, last]: Interval, family: 4 | 6): readonly Prefix[] {
  const bits = BITS[family];
  const prefixes: Prefix[] = [];
  for (let at = first; at <= last; ) {
    let host = alignment(at, bits);
    while (at + (1n << host) - 1n > last) host -= 1n;
    prefixes.push({ address: family === 4 ? Number(at) : at, length: Number(bits - host) });
    at += 1n << host;
  }
  return prefixes;
}

/**
 * Prefixes of one family as nft makes a set of them: ascending, what overlaps or touches joined, and each interval that
 * is left in the fewest prefixes.
 */
export function prefixSet(prefixes: readonly Prefix[]): readonly Prefix[] {
  const [some] = prefixes;
  if (some === undefined) return [];
  const family = familyOf(some.address);
  return joined(prefixes.map(intervalOf)).flatMap((interval) => split(interval, family));
}

/** The prefixes of a range of addresses of one family. */
export function rangePrefixes(first: Ip, last: Ip): readonly Prefix[] {
  return split([BigInt(first), BigInt(last)], familyOf(first));
}

/** The intervals that prefixes make up, first and last address of each, ascending. */
export function intervalsOf(prefixes: readonly Prefix[]): readonly (readonly [first: Ip, last: Ip])[] {
  const [some] = prefixes;
  if (some === undefined) return [];
  const ipOf = (value: bigint): Ip => (familyOf(some.address) === 4 ? Number(value) : value);
  return joined(prefixes.map(intervalOf)).map(([first, last]) => [ipOf(first), ipOf(last)] as const);
}
