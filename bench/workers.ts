import { Command, InvalidArgumentError } from "commander";
import { compile } from "../src/compile.js";
import type { Batch } from "../src/engine/batch.js";
import { Engine } from "../src/engine/engine.js";
import type { EngineWorker } from "../src/engine/workers.js";
import { syntheticCluster } from "../src/model/synthetic.js";
import { printIp } from "../src/net/ip.js";
import { tcp } from "../src/packet/build.js";
import { replyTo, SEGMENT_LEN } from "../src/packet/segment.js";
import { median, spreadOf } from "../src/report/statistics.js";

/** How much more of established packets two worker threads forward than one, over one image. */

interface Options {
  readonly workers: number;
  readonly rounds: number;
  readonly packets: number;
}

const SERVICES = 1000;
const NOW = 1;
const WARM_ROUNDS = 60;

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError("It is a whole number, 1 or more.");
}

/** A worker with packets of connections that it knows, as they come in. */
class Lane {
  readonly worker: EngineWorker;
  readonly #batch: Batch;
  readonly #fresh: Uint8Array;

  private constructor(worker: EngineWorker, batch: Batch) {
    this.worker = worker;
    this.#batch = batch;
    this.#fresh = batch.octets.slice();
  }

  /** Opens a connection a packet, and has each answered: both directions come to one worker. */
  static async open(engine: Engine, worker: EngineWorker, packets: number, first: number): Promise<Lane> {
    const { interfaces, hops } = engine.numbering;
    const cluster = syntheticCluster({ services: SERVICES, endpoints: 4 });
    const pods = cluster.pods.filter(({ nodeName }) => nodeName === engine.ruleset.node);
    const [batch, answers] = [0, 0].map(() => engine.batch(packets, { frameLength: 256 })) as [Batch, Batch];
    const requests = Array.from({ length: packets }, (_, index) => {
      const pod = printIp(pods[(first + index) % pods.length]?.podIPs[0] ?? 0);
      const vip = printIp(cluster.services[index % SERVICES]?.clusterIPs[0] ?? 0);
      return { from: `${pod}:${1024 + Math.floor((first + index) / pods.length)}`, to: `${vip}:80` };
    });
    const place = (flags: string) => {
      for (const [index, { from, to }] of requests.entries()) {
        const frame = tcp(from, to, { flags });
        batch.set(index, frame, engine.interfaceNumber(frame));
      }
    };
    place("S");
    await worker.run(batch, NOW);
    for (let index = 0; index < packets; index++) {
      const hop = hops[batch.nextHops[index] ?? 0];
      const back = interfaces.findIndex(({ name }) => name === hop?.dev) + 1;
      answers.set(index, replyTo(batch.frame(index).slice(0, 50 + SEGMENT_LEN), hop?.kind === "vxlan"), back);
    }
    await worker.run(answers, NOW);
    place("A");
    return new Lane(worker, batch);
  }

  refill(): void {
    this.#batch.octets.set(this.#fresh);
  }

  run(): Promise<void> {
    return this.worker.run(this.#batch, NOW);
  }

  /** Error unless every packet was forwarded. */
  check(): void {
    for (let index = 0; index < this.#batch.capacity; index++) {
      const verdict = this.#batch.verdict(index);
      if (verdict !== "FORWARD") throw new Error(`packet ${index}: ${verdict} ${this.#batch.reason(index)}`);
    }
  }
}

/** Millions of packets a second that so many lanes forward together. */
async function throughput(lanes: readonly Lane[], packets: number): Promise<number> {
  for (const lane of lanes) lane.refill();
  const begin = performance.now();
  await Promise.all(lanes.map((lane) => lane.run()));
  return (lanes.length * packets) / (performance.now() - begin) / 1000;
}

async function measure({ workers: count, rounds, packets }: Options): Promise<void> {
  const cluster = syntheticCluster({ services: SERVICES, endpoints: 4 });
  const engine = await Engine.load(compile(cluster, { proxy: "iptables" }), {
    connections: packets,
    checksums: "offload",
  });
  const workers = engine.workers(count);
  const lanes: Lane[] = [];
  for (const worker of workers.all)
    lanes.push(await Lane.open(engine, worker, packets, lanes.length * packets));
  // Until the host has compiled the machine for good.
  for (let round = 0; round < WARM_ROUNDS; round++) await throughput(lanes, packets);
  const [one, all]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    one.push(await throughput(lanes.slice(0, 1), packets));
    all.push(await throughput(lanes, packets));
  }
  for (const lane of lanes) lane.check();
  const ratios = all.map((mpps, round) => mpps / (one[round] as number));
  const [low, high] = spreadOf(ratios).map((ratio) => ratio.toFixed(2));
  process.stdout.write(
    `${packets} packets a worker and round, ${rounds} rounds in turn, in memory alone (no I/O); ${workers.threads} threads\n` +
      `  one worker      ${median(one).toFixed(2)} million packets/s\n` +
      `  ${count} workers       ${median(all).toFixed(2)} million packets/s\n` +
      `  ${median(ratios).toFixed(2)} times one (${low} to ${high})\n`,
  );
  workers.close();
}

await new Command("workers")
  .description("time established packets in one worker thread and in several, in turn")
  .option("--workers <n>", "threads", parseCount, 2)
  .option("--rounds <n>", "how often each has its turn", parseCount, 25)
  .option("--packets <n>", "packets of a worker's batch", parseCount, 131_072)
  .action(measure)
  .parseAsync();
