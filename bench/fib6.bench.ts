import { NEXT_HOP_ENTRY_LEN, ROUTE6_ENTRY_LEN } from "../assembly/abi/entry.js";
import { randomOf } from "../src/compare/random.js";
import { Fib6 } from "./baseline/fib6.js";
import { PlainImage } from "./image.js";
import { assertSame, type Case, PLAIN, type Topic, WASM } from "./topic.js";

const ROUTES = 50_000;
const HOPS = 64;
const KEYS = 1 << 16;
const ROW_WORDS = ROUTE6_ENTRY_LEN / 4;
/** Routes lie in so many /32. */
const BLOCKS = 8192;
/** Of a hundred routes of a full table, how many have which length (CIDR Report, rounded). */
const LENGTHS: readonly (readonly [length: number, share: number])[] = [
  [48, 46],
  [44, 9],
  [40, 10],
  [36, 5],
  [32, 16],
  [29, 3],
  [46, 5],
  [47, 4],
  [64, 2],
];

const word = (random: () => number) => Math.floor(random() * 2 ** 32);

/** The word of a mask of so many bits of which `before` are in words before it. */
function maskWord(length: number, before: number): number {
  const bits = Math.min(32, Math.max(0, length - before));
  return bits === 0 ? 0 : (-1 << (32 - bits)) >>> 0;
}

/** A route or an address: words, the two halves' lower one first each. */
type Words = readonly [number, number, number, number];

function masked([b, a, d, c]: Words, length: number): Words {
  const cut = (one: number, before: number) => (one & maskWord(length, before)) >>> 0;
  return [cut(b, 32), cut(a, 0), cut(d, 96), cut(c, 64)];
}

/** Rows of ROUTE6_…, the shortest first, one a prefix. */
function drawRoutes(random: () => number): Uint32Array {
  const lengths = LENGTHS.flatMap(([length, share]) => Array<number>(share).fill(length));
  const blocks = Array.from({ length: BLOCKS }, () => 0x20000000 + Math.floor(random() * 2 ** 29));
  const routes = new Map<string, readonly [Words, number]>();
  while (routes.size < ROUTES) {
    const length = lengths[Math.floor(random() * lengths.length)] as number;
    const block = blocks[Math.floor(random() * BLOCKS)] as number;
    const prefix = masked([word(random), block, word(random), word(random)], length);
    routes.set(`${prefix.join()} ${length}`, [prefix, length]);
  }
  const rows = new Uint32Array(ROUTES * ROW_WORDS);
  const sorted = [...routes.values()].sort(([, a], [, b]) => a - b);
  for (const [index, [prefix, length]] of sorted.entries())
    rows.set([...prefix, length, Math.floor(random() * HOPS)], index * ROW_WORDS);
  return rows;
}

function keysOf(draw: () => Words): Uint32Array {
  const keys = new Uint32Array(KEYS * 4);
  for (let at = 0; at < keys.length; at += 4) keys.set(draw(), at);
  return keys;
}

/** Addresses that routes hold. */
function drawHits(rows: Uint32Array, random: () => number): Uint32Array {
  return keysOf(() => {
    const row = rows.subarray(Math.floor(random() * ROUTES) * ROW_WORDS);
    const prefix = [...row.subarray(0, 4)];
    const host = [word(random), word(random), word(random), word(random)] as const;
    const network = masked(host, row[4] as number);
    return prefix.map(
      (one, index) => (one | ((host[index] as number) ^ (network[index] as number))) >>> 0,
    ) as unknown as Words;
  });
}

function many(name: string, image: PlainImage, fib: Fib6, keys: Uint32Array): Case {
  const { machine, address } = image;
  const [ours, results] = [image.words(keys), image.words(new Uint32Array(KEYS))];
  const plainResults = new Uint32Array(KEYS);
  const runOurs = () => machine.route6LookupMany(address, ours.at, KEYS, results.at);
  const runPlain = () => fib.lookupMany(keys, plainResults);
  runOurs();
  runPlain();
  assertSame(name, results.words, plainResults);
  return {
    name,
    unit: "lookup",
    count: KEYS,
    contenders: [
      { name: WASM, run: runOurs },
      { name: PLAIN, run: runPlain },
    ],
  };
}

async function cases(): Promise<readonly Case[]> {
  const random = randomOf(6);
  const [image, fib] = [await PlainImage.make(), new Fib6()];
  const hop = image.words(new Uint32Array(NEXT_HOP_ENTRY_LEN / 4));
  for (let number = 0; number < HOPS; number++)
    image.check(image.machine.nextHopSet(image.address, number, hop.at));
  const rows = drawRoutes(random);
  image.check(image.machine.routes6Insert(image.address, image.words(rows).at, ROUTES));
  for (let at = 0; at < rows.length; at += ROW_WORDS)
    fib.insert(rows.subarray(at, at + 4), rows[at + 4] as number, rows[at + 5] as number);
  const uniform = keysOf(() => [
    word(random),
    0x20000000 + Math.floor(random() * 2 ** 29),
    word(random),
    word(random),
  ]);
  return [
    many("in prefixes", image, fib, drawHits(rows, random)),
    many("uniform in 2000::/3", image, fib, uniform),
  ];
}

/** 50,000 IPv6 routes with the lengths of a full Internet table. */
export const fib6Topic: Topic = { name: "fib6", cases };
