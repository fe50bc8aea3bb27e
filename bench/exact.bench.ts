import { EXACT6_ENTRY_LEN } from "../assembly/abi/entry.js";
import { randomOf } from "../src/compare/random.js";
import { ExactMap, ExactTable } from "./baseline/exact.js";
import { ExactTable6 } from "./baseline/exact6.js";
import { WordMap } from "./baseline/word-map.js";
import { PlainImage } from "./image.js";
import { assertSame, type Case, PLAIN, type Topic, WASM } from "./topic.js";

const ENTRIES = 40_000;
const KEYS = 1 << 15;
const TABLE = 1;
const TABLE6 = 2;
const ROW6_WORDS = EXACT6_ENTRY_LEN / 4;
const TCP = 6;

/** Rows of address, protocol << 16 | port, value. */
function drawRows(random: () => number): Uint32Array {
  const rows = new Uint32Array(ENTRIES * 3);
  for (let index = 0; index < ENTRIES; index++) {
    const port = 1 + Math.floor(random() * 65535);
    rows.set([0x0a600000 + index, (TCP << 16) | port, index + 1], index * 3);
  }
  return rows;
}

interface Tables {
  readonly image: PlainImage;
  readonly plain: ExactTable;
  readonly map: ExactMap;
}

function lookups(name: string, { image, plain, map }: Tables, keys: Uint32Array): Case {
  const count = keys.length / 2;
  const { machine, address } = image;
  const [ours, results] = [image.words(keys), image.words(new Uint32Array(count))];
  const [theirs, plainResults, mapResults] = [keys.slice(), new Uint32Array(count), new Uint32Array(count)];
  const runOurs = () => machine.exactFindMany(address, TABLE, ours.at, count, results.at);
  const runPlain = () => plain.findMany(theirs, plainResults);
  const runMap = () => map.findMany(theirs, mapResults);
  for (const run of [runOurs, runPlain, runMap]) run();
  assertSame(name, results.words, plainResults);
  assertSame(`${name}, Map`, results.words, mapResults);
  return {
    name,
    unit: "lookup",
    count,
    contenders: [
      { name: WASM, run: runOurs },
      { name: PLAIN, run: runPlain },
      { name: "Map", run: runMap },
    ],
  };
}

/** Rows of an address in one /112, protocol << 16 | port, value. */
function drawRows6(random: () => number): Uint32Array {
  const rows = new Uint32Array(ENTRIES * ROW6_WORDS);
  for (let index = 0; index < ENTRIES; index++) {
    const protoPort = (TCP << 16) | (1 + Math.floor(random() * 65535));
    rows.set([0x00960000, 0xfd000010, index, 0, protoPort, index + 1], index * ROW6_WORDS);
  }
  return rows;
}

/** Look-ups of IPv6 keys. */
function lookups6(random: () => number, image: PlainImage): readonly Case[] {
  const rows = drawRows6(random);
  const { machine, address } = image;
  image.check(machine.exact6Insert(address, TABLE6, image.words(rows).at, ENTRIES));
  const [plain, map] = [new ExactTable6(), new WordMap(ROW6_WORDS, ROW6_WORDS - 1)];
  for (let row = 0; row < ENTRIES; row++) {
    plain.add(rows, row * ROW6_WORDS);
    map.set(rows, row, row + 1);
  }
  const hits = new Uint32Array(KEYS * ROW6_WORDS);
  for (let at = 0; at < hits.length; at += ROW6_WORDS) {
    const row = Math.floor(random() * ENTRIES) * ROW6_WORDS;
    hits.set(rows.subarray(row, row + ROW6_WORDS), at);
  }
  const misses = hits.map((word, at) => (at % ROW6_WORDS === 2 ? word + ENTRIES : word));
  return [
    ["IPv6, hit", hits],
    ["IPv6, miss", misses],
  ].map(([name, keys]) => case6(name as string, { image, plain, map }, keys as Uint32Array));
}

interface Tables6 {
  readonly image: PlainImage;
  readonly plain: ExactTable6;
  readonly map: WordMap;
}

function case6(name: string, { image, plain, map }: Tables6, keys: Uint32Array): Case {
  const { machine, address } = image;
  const [ours, results] = [image.words(keys), image.words(new Uint32Array(KEYS))];
  const [plainResults, mapResults] = [new Uint32Array(KEYS), new Uint32Array(KEYS)];
  const runPlain = () => plain.findMany(keys, plainResults);
  const runOurs = () => machine.exact6FindMany(address, TABLE6, ours.at, KEYS, results.at);
  const runMap = () => map.findMany(keys, mapResults);
  for (const run of [runOurs, runPlain, runMap]) run();
  assertSame(name, results.words, plainResults);
  assertSame(`${name}, Map`, results.words, mapResults);
  return {
    name,
    unit: "lookup",
    count: KEYS,
    contenders: [
      { name: WASM, run: runOurs },
      { name: PLAIN, run: runPlain },
      { name: "Map", run: runMap },
    ],
  };
}

async function cases(): Promise<readonly Case[]> {
  const random = randomOf(2);
  const tables: Tables = { image: await PlainImage.make(), plain: new ExactTable(), map: new ExactMap() };
  const { image } = tables;
  const rows = drawRows(random);
  image.check(image.machine.exactInsert(image.address, TABLE, image.words(rows).at, ENTRIES));
  const hits = new Uint32Array(KEYS * 2);
  for (let at = 0; at < rows.length; at += 3) {
    const row = [rows[at] as number, rows[at + 1] as number, rows[at + 2] as number] as const;
    tables.plain.set(...row);
    tables.map.set(...row);
  }
  for (let at = 0; at < hits.length; at += 2) {
    const row = Math.floor(random() * ENTRIES) * 3;
    hits.set(rows.subarray(row, row + 2), at);
  }
  const misses = hits.map((word, at) => (at % 2 === 0 ? word + 2 * ENTRIES : word));
  return [lookups("hit", tables, hits), lookups("miss", tables, misses), ...lookups6(random, image)];
}

/** 40,000 entries, as the verdict map of so many Services has. */
export const exactTopic: Topic = { name: "exact match", cases };
