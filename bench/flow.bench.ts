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
  const frames = podFrames(cluster, "worker-1");
  for (const pair of [known, forgetful]) pair.run(frames, POD_INTERFACE);
  if (!known.forwardsAll) throw new Error("the router drops packets");
  const table = new FlowTable(CONNECTIONS);
  open(table, tuplesOf(frames, 1));
  const hits = tuplesOf(frames, ROUNDS);
  const misses = hits.map((word, at) => (at % 4 === 2 ? word ^ 1 : word));
  return [
    lookups("find, hit", known, table, hits),
    lookups("find, miss", known, table, misses),
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
      contenders: known.contenders(frames, POD_INTERFACE, false),
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

/** 2,048 connections in a table for 65,535. */
export const flowTopic: Topic = { name: "connection table", cases };
