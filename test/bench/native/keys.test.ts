import { expect, it } from "vitest";
import { maglevPlaces } from "../../../bench/baseline/maglev.js";
import { Random } from "../../../bench/baseline/random.js";
import * as keys from "../../../bench/native/keys.js";
import { MAGLEV_PLACES } from "../../../bench/native/packet-scenarios.js";
import { drawTuples, hitKeys, missKeys, TUPLE_WORDS } from "../../../bench/native/tuples.js";

const ROUTES = [
  { address: 0x0a000000, length: 8, nextHop: 1 },
  { address: 0xc0a80180, length: 25, nextHop: 2 },
  { address: 0xffffffff, length: 32, nextHop: 3 },
];
const ROUTES6 = [
  { address: 0x20010db8n << 96n, length: 33, nextHop: 1 },
  { address: (0x20010db8n << 96n) + 5n, length: 128, nextHop: 2 },
];

it("draws in-prefix keys inside every prefix, and nowhere else", () => {
  const drawn = keys.inPrefixKeys4(new Random(1), ROUTES, 3000);
  const of = (key: number) =>
    ROUTES.findIndex(({ address, length }) => Math.floor((key - address) / 2 ** (32 - length)) === 0);
  const counts = [0, 0, 0];
  for (const key of drawn) counts[of(key)] = (counts[of(key)] ?? 0) + 1;
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(3000);
  expect(Math.min(...counts)).toBeGreaterThan(800);
  // Hosts differ, up to the last.
  expect(new Set([...drawn].filter((key) => of(key) === 1)).size).toBe(128);
});

it("draws IPv6 keys in network order, inside prefixes or in 2000::/3", () => {
  const first = (octets: Uint8Array, index: number) =>
    new DataView(octets.buffer, index * 16).getBigUint64(0) >> 31n;
  const inside = keys.inPrefixKeys6(new Random(2), ROUTES6, 64);
  expect([...Array(64).keys()].every((index) => first(inside, index) === 0x20010db8n << 1n)).toBe(true);
  const uniform = keys.uniformKeys6(new Random(3), 4096);
  const tops = [...Array(4096).keys()].map((index) => uniform[index * 16] as number);
  expect(tops.every((top) => top >= 0x20 && top < 0x40)).toBe(true);
  expect(new Set(tops).size).toBe(32);
});

it("draws ranks by Zipf's law", () => {
  const ranks = keys.zipfRanks(new Random(4), 100, 200_000);
  const share = (rank: number) => ranks.filter((one) => one === rank).length / ranks.length;
  const harmonic = Array.from({ length: 100 }, (_, rank) => 1 / (rank + 1)).reduce((a, b) => a + b);
  for (const rank of [0, 1, 9, 99]) expect(share(rank)).toBeCloseTo(1 / (rank + 1) / harmonic, 2);
  expect(share(99)).toBeGreaterThan(0);
  expect(new Set(keys.zipfKeys4(new Random(5), ROUTES, 1000)).size).toBeLessThan(1000);
});

it("draws connections whose directions all differ, hits among them and misses beside them", () => {
  const tuples = drawTuples(new Random(6), 70_000);
  const text = (words: Uint32Array, row: number) =>
    words.subarray(row * TUPLE_WORDS, (row + 1) * TUPLE_WORDS).join();
  const known = new Set(Array.from({ length: 140_000 }, (_, row) => text(tuples, row)));
  expect(known.size).toBe(140_000);
  const [src, dst, ports = 0] = tuples;
  expect([...tuples.subarray(4, 7)]).toEqual([dst, src, ((ports << 16) | (ports >>> 16)) >>> 0]);
  const [hits, misses] = [hitKeys(new Random(7), tuples, 500), missKeys(new Random(7), tuples, 500)];
  const found = (words: Uint32Array) => [...Array(500).keys()].filter((row) => known.has(text(words, row)));
  expect(found(hits).length).toBe(500);
  expect(found(misses).length).toBe(0);
});

it("fills Maglev's places evenly", () => {
  const backends = Uint32Array.from({ length: 14 }, (_, word) => (word % 2 === 0 ? 0x0af40101 + word : 80));
  const places = maglevPlaces(backends, MAGLEV_PLACES);
  const counts = [...Array(7).keys()].map((backend) => places.filter((one) => one === backend).length);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(65_537);
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
});
