import { FLOW6_LEN, FLOW6_WORDS_LEN } from "../assembly/abi/entry.js";
import { ETH_LEN, IP4_DST, IP4_LEN, IP4_SRC, PROTO_TCP } from "../assembly/abi/wire.js";
import {
  DST_AT,
  FlowTable,
  PORTS_AT,
  PROTOCOL_AT,
  RECORD_WORDS,
  REPLY_DST_AT,
  REPLY_PORTS_AT,
  REPLY_SRC_AT,
  SRC_AT,
} from "./baseline/flow.js";
import { FlowTable6 } from "./baseline/flow6.js";
import { WordMap } from "./baseline/word-map.js";
import { Pair } from "./pair.js";
import { PACKETS, POD_INTERFACE, podFrames, routerOf, sceneOf } from "./scene.js";
import { assertSame, type Case, PLAIN, type Topic, WASM } from "./topic.js";

const CONNECTIONS = 65_535;
/** Tuples are looked up so often in a run, so that it takes 100 µs. */
const ROUNDS = 16;

/** Words src, dst, ports, protocol of each frame, over and over. */
function tuplesOf(frames: readonly Uint8Array[], rounds: number): Uint32Array {
  const tuples = frames.flatMap((frame) => {
    const view = new DataView(frame.buffer, frame.byteOffset + ETH_LEN);
    return [view.getUint32(IP4_SRC), view.getUint32(IP4_DST), view.getUint32(IP4_LEN), PROTO_TCP];
  });
  return Uint32Array.from(
    { length: tuples.length * rounds },
    (_, at) => tuples[at % tuples.length] as number,
  );
}

/** The same connections in the baseline, opened in the same order. */
function open(table: FlowTable, tuples: Uint32Array): void {
  for (let at = 0; at < tuples.length; at += 4) {
    const [src, dst, ports, protocol] = tuples.subarray(at, at + 4) as unknown as [
      number,
      number,
      number,
      number,
    ];
    const record = table.reserve();
    const words = table.records.subarray(record * RECORD_WORDS, (record + 1) * RECORD_WORDS);
    words[SRC_AT] = words[REPLY_DST_AT] = src;
    words[DST_AT] = words[REPLY_SRC_AT] = dst;
    words[PORTS_AT] = ports;
    words[REPLY_PORTS_AT] = (ports << 16) | (ports >>> 16);
    words[PROTOCOL_AT] = protocol;
    table.commit(record);
  }
}

async function cases(): Promise<readonly Case[]> {
  const cluster = sceneOf(100);
  const router = routerOf(cluster, "worker-1");
  const [known, forgetful] = [await Pair.make(router, PACKETS), await Pair.make(router, PACKETS)];
  const flows = podFrames(cluster, "worker-1");
  const frames = flows.opening;
  known.establish(flows, POD_INTERFACE, POD_INTERFACE);
  forgetful.run(frames, POD_INTERFACE);
  if (!known.forwardsAll) throw new Error("the router drops packets");
  const table = new FlowTable(CONNECTIONS);
  open(table, tuplesOf(frames, 1));
  const hits = tuplesOf(frames, ROUNDS);
  const misses = hits.map((word, at) => (at % 4 === 2 ? word ^ 1 : word));
  return [
    lookups("find, hit", known, table, hits),
    lookups("find, miss", known, table, misses),
    lookups6(known),
    {
      name: "open, and forward",
      unit: "packet",
      count: PACKETS,
      contenders: forgetful.contenders(frames, POD_INTERFACE, true),
    },
    {
      name: "know, and forward",
      unit: "packet",
      count: PACKETS,
      contenders: known.contenders(flows.middle, POD_INTERFACE, false),
    },
  ];
}

function lookups(name: string, { engine }: Pair, table: FlowTable, tuples: Uint32Array): Case {
  const count = tuples.length / 4;
  const { machine, memory, state } = engine;
  const [at, resultsAt] = [memory.take(tuples.byteLength), memory.take(count * 4)];
  memory.words(at, tuples.length).set(tuples);
  const plainResults = new Uint32Array(count);
  const runOurs = () => machine.flowFindMany(state, at, count, resultsAt);
  const runPlain = () => table.findMany(tuples, plainResults);
  runOurs();
  runPlain();
  assertSame(name, memory.words(resultsAt, count), plainResults);
  return {
    name,
    unit: "lookup",
    count,
    contenders: [
      { name: WASM, run: runOurs },
      { name: PLAIN, run: runPlain },
    ],
  };
}

const TUPLE6_WORDS = FLOW6_LEN / 4;
const FOREVER = 1e12;

/** As many IPv6 connections, each of its own client, found by their first packets' tuples. */
function lookups6({ engine }: Pair): Case {
  const { machine, memory, state } = engine;
  const pair = memory.take(2 * FLOW6_LEN);
  const tuples = new Uint32Array(PACKETS * TUPLE6_WORDS);
  const [plain, map] = [new FlowTable6(CONNECTIONS), new WordMap(TUPLE6_WORDS, TUPLE6_WORDS)];
  const numbers: number[] = [0];
  const [client, server, ports, turned] = [0x20010db8, 0xfd000010, (40_000 << 16) | 80, (80 << 16) | 40_000];
  for (let index = 0; index < PACKETS; index++) {
    const original = [7, client, index, 0, 0, server, 10, 0, ports, PROTO_TCP];
    const reply = [0, server, 10, 0, 7, client, index, 0, turned, PROTO_TCP];
    const both = Uint32Array.of(...original, ...reply);
    memory.words(pair, 2 * TUPLE6_WORDS).set(both);
    tuples.set(original, index * TUPLE6_WORDS);
    const number = machine.flow6Open(state, pair, 0, FOREVER) >>> 0;
    numbers[plain.open(both)] = number;
    map.set(tuples, index, number * 2);
  }
  const name = "find IPv6, hit";
  const keys = Uint32Array.from(
    { length: tuples.length * ROUNDS },
    (_, at) => tuples[at % tuples.length] as number,
  );
  const count = PACKETS * ROUNDS;
  const [at, words, resultsAt] = [
    memory.take(keys.byteLength),
    memory.take(FLOW6_WORDS_LEN),
    memory.take(count * 4),
  ];
  memory.words(at, keys.length).set(keys);
  const [plainResults, mapResults] = [new Uint32Array(count), new Uint32Array(count)];
  const runOurs = () => machine.flow6FindMany(state, at, count, words, resultsAt);
  const runPlain = () => plain.findMany(keys, plainResults);
  const runMap = () => map.findMany(keys, mapResults);
  for (const run of [runOurs, runPlain, runMap]) run();
  const results = memory.words(resultsAt, count);
  // Each numbers its connections by itself.
  assertSame(
    name,
    results,
    plainResults.map((found) => ((numbers[found >>> 1] as number) << 1) | (found & 1)),
  );
  assertSame(`${name}, Map`, results, mapResults);
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

/** 2,048 connections in a table for 65,535. */
export const flowTopic: Topic = { name: "connection table", cases };
