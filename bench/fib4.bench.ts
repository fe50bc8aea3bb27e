import { NEXT_HOP_ENTRY_LEN } from "../assembly/abi/entry.js";
import { randomOf } from "../src/compare/random.js";
import { maskOf } from "../src/net/prefix.js";
import { Fib4 } from "./baseline/fib4.js";
import { PlainImage } from "./image.js";
import { assertSame, type Case, PLAIN, type Topic, WASM } from "./topic.js";

const ROUTES = 50_000;
const HOPS = 64;
const KEYS = 1 << 17;
/** Routes lie close together, some twelve in a /16, as they do in the Internet's table. */
const BLOCKS = 4096;
/** Of a hundred routes of a full table, how many have which length (CIDR Report, rounded). */
const LENGTHS: readonly (readonly [length: number, share: number])[] = [
  [24, 60],
  [23, 9],
  [22, 12],
  [21, 5],
  [20, 5],
  [19, 3],
  [18, 2],
  [17, 1],
  [16, 2],
  [28, 1],
];
/** Routes are below this, misses above. */
const EDGE = 0xc0000000;

/** Rows of address, length, next hop. */
function drawRoutes(random: () => number): Uint32Array {
  const lengths = LENGTHS.flatMap(([length, share]) => Array<number>(share).fill(length));
  const blocks = Uint32Array.from({ length: BLOCKS }, () => Math.floor((random() * EDGE) / 2 ** 16));
  const rows = new Uint32Array(ROUTES * 3);
  for (let at = 0; at < rows.length; at += 3) {
    const length = lengths[Math.floor(random() * lengths.length)] as number;
    const block = blocks[Math.floor(random() * BLOCKS)] as number;
    const address = block * 2 ** 16 + Math.floor(random() * 2 ** 16);
    rows.set([(address & maskOf(length)) >>> 0, length, Math.floor(random() * HOPS)], at);
  }
  return rows;
}

/** Addresses that routes hold. */
function drawHits(rows: Uint32Array, random: () => number): Uint32Array {
  return Uint32Array.from({ length: KEYS }, () => {
    const row = Math.floor(random() * ROUTES) * 3;
    const hosts = 2 ** (32 - (rows[row + 1] as number));
    return (rows[row] as number) + Math.floor(random() * hosts);
  });
}

function many(name: string, image: PlainImage, fib: Fib4, keys: Uint32Array): Case {
  const { machine, address } = image;
  const [ours, results] = [image.words(keys), image.words(new Uint32Array(keys.length))];
  const [theirs, plainResults] = [keys.slice(), new Uint32Array(keys.length)];
  const runOurs = () => machine.routeLookupMany(address, ours.at, keys.length, results.at);
  const runPlain = () => fib.lookupMany(theirs, plainResults);
  runOurs();
  runPlain();
  assertSame(name, results.words, plainResults);
  return {
    name,
    unit: "lookup",
    count: keys.length,
    contenders: [
      { name: WASM, run: runOurs },
      { name: PLAIN, run: runPlain },
    ],
  };
}

/** Each address needs the answer before it: what is measured is how long one lookup takes, not how many overlap. */
function chained(image: PlainImage, fib: Fib4, keys: Uint32Array): Case {
  const { machine, address } = image;
  const chain = keys.slice();
  for (let index = 1; index < keys.length; index++) {
    const before = machine.routeLookup(address, keys[index - 1] as number);
    chain[index] = ((keys[index] as number) ^ before) >>> 0;
  }
  const follow = (lookup: (key: number) => number) => () => {
    let hop = 0;
    for (let index = 0; index < chain.length; index++) hop = lookup((chain[index] as number) ^ hop);
    return hop;
  };
  const runOurs = follow((key) => machine.routeLookup(address, key));
  const runPlain = follow((key) => fib.lookup(key) >>> 7);
  assertSame("dependent", Uint32Array.of(runOurs()), Uint32Array.of(runPlain()));
  return {
    name: "hit, dependent, a call each",
    unit: "lookup",
    count: keys.length,
    contenders: [
      { name: WASM, run: runOurs },
      { name: PLAIN, run: runPlain },
    ],
  };
}

async function cases(): Promise<readonly Case[]> {
  const random = randomOf(1);
  const [image, empty] = [await PlainImage.make(), await PlainImage.make()];
  const [fib, emptyFib] = [new Fib4(), new Fib4()];
  const hop = image.words(new Uint32Array(NEXT_HOP_ENTRY_LEN / 4));
  for (let number = 0; number < HOPS; number++)
    image.check(image.machine.nextHopSet(image.address, number, hop.at));
  const rows = drawRoutes(random);
  image.check(image.machine.routesInsert(image.address, image.words(rows).at, ROUTES));
  for (let at = 0; at < rows.length; at += 3)
    fib.insert(rows[at] as number, rows[at + 1] as number, rows[at + 2] as number);
  const hits = drawHits(rows, random);
  const misses = Uint32Array.from({ length: KEYS }, () => EDGE + Math.floor(random() * (2 ** 32 - EDGE)));
  return [
    many("no table: the loop", empty, emptyFib, hits),
    many("hit", image, fib, hits),
    many("miss", image, fib, misses),
    chained(image, fib, hits),
  ];
}

/** 50,000 routes with the lengths of a full Internet table. */
export const fib4Topic: Topic = { name: "fib4", cases };
