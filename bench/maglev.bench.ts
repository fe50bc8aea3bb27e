import { SCHEDULER_MAGLEV, SERVER_ENTRY_LEN, SERVER_ROW_LEN } from "../assembly/abi/server.js";
import { VERDICT_FORWARD } from "../assembly/abi/verdict.js";
import { ETH_LEN, IP4_CHECKSUM, IP4_DST, IP4_LEN, TCP_CHECKSUM, TCP_DST } from "../assembly/abi/wire.js";
import type { Batch } from "../src/engine/batch.js";
import { Engine } from "../src/engine/engine.js";
import { verifyChecksums } from "../src/packet/checksum.js";
import { Balancer } from "./baseline/balancer.js";
import { PlainBatch } from "./baseline/batch.js";
import { PACKETS, podFrames, routerOf, sceneOf } from "./scene.js";
import { type Case, PLAIN, type Topic, WASM } from "./topic.js";

const SIZE = 65_537;
const SERVERS = 100;
/** A run balances a batch so often, what was balanced once more too, so that it takes 100 µs. */
const ROUNDS = 4;
/** What a balancer rewrites: the destination, and what sums it up. */
const WRITTEN = [
  [ETH_LEN + IP4_CHECKSUM, 2],
  [ETH_LEN + IP4_DST, 4],
  [ETH_LEN + IP4_LEN + TCP_DST, 2],
  [ETH_LEN + IP4_LEN + TCP_CHECKSUM, 2],
] as const;

/** Rows of address and port. */
function serversOf(count: number): Uint32Array {
  return Uint32Array.from({ length: count * 2 }, (_, at) => (at % 2 === 0 ? 0x0af40000 + at : 8080));
}

/** A virtual server's number, beside those of the ruleset. */
function addServer({ machine, memory, image }: Engine, servers: Uint32Array): number {
  const number = 0;
  const words = SERVER_ENTRY_LEN / 4;
  const count = servers.length / 2;
  const status = memory.borrow(SERVER_ROW_LEN + count * SERVER_ENTRY_LEN, (at) => {
    memory.words(at, 3).set([number, count, SCHEDULER_MAGLEV]);
    const rows = memory.words(at + SERVER_ROW_LEN, count * words);
    for (let index = 0; index < count; index++)
      rows.set([...servers.subarray(index * 2, index * 2 + 2), 1], index * words);
    return machine.serverSet(image, at, at + SERVER_ROW_LEN, SIZE);
  });
  if (status !== 0) throw new Error(`the machine refused the servers (status ${status})`);
  return number;
}

/** Hashes differ, and so do the servers that they choose; all else is to be the same, and both sums right. */
function expectBalanced(ours: Batch, theirs: PlainBatch, addresses: ReadonlySet<number>): void {
  for (let index = 0; index < PACKETS; index++) {
    const frames = [ours.frame(index).slice(), theirs.frame(index).slice()];
    const verdicts = [ours.verdicts[index], theirs.verdicts[index]];
    for (const frame of frames) {
      const { buffer, byteOffset, length } = frame;
      const isServer = addresses.has(new DataView(buffer, byteOffset, length).getUint32(ETH_LEN + IP4_DST));
      const { ip, l4 } = verifyChecksums(frame);
      if (!isServer || ip !== "good" || l4 !== "good") throw new Error(`frame ${index} is not balanced`);
      for (const [at, octets] of WRITTEN) frame.fill(0, at, at + octets);
    }
    const isSame = frames[0]?.toString() === frames[1]?.toString();
    if (!isSame || verdicts.some((verdict) => verdict !== VERDICT_FORWARD))
      throw new Error(`the baseline does otherwise with frame ${index}`);
  }
}

function repeat(run: () => unknown): void {
  for (let round = 0; round < ROUNDS; round++) run();
}

/** The machine and plain TypeScript with the same frames before both, compared once. */
export async function balancing(): Promise<Case> {
  const cluster = sceneOf(100);
  const engine = await Engine.load(routerOf(cluster, "worker-1"));
  const servers = serversOf(SERVERS);
  const number = addServer(engine, servers);
  const [ours, theirs] = [engine.batch(PACKETS), new PlainBatch(PACKETS)];
  const balancer = new Balancer(servers, SIZE);
  const frames = podFrames(cluster, "worker-1").middle;
  const place = (batch: Batch | PlainBatch) => () => {
    for (const [index, frame] of frames.entries()) batch.set(index, frame, 1);
  };
  const { machine, image, state } = engine;
  const contenders = [
    {
      name: WASM,
      prepare: place(ours),
      run: () => repeat(() => machine.balance(image, state, number, ours.address, PACKETS)),
    },
    { name: PLAIN, prepare: place(theirs), run: () => repeat(() => balancer.run(theirs, PACKETS)) },
  ];
  for (const { prepare, run } of contenders) {
    prepare();
    run();
  }
  expectBalanced(ours, theirs, new Set(servers.filter((_, at) => at % 2 === 0)));
  return { name: "balance", unit: "packet", count: PACKETS * ROUNDS, contenders };
}

/** Packets without connections, each given one of 100 servers by its 5-tuple. */
export const maglevTopic: Topic = { name: "maglev", cases: async () => [await balancing()] };
