import { execFileSync } from "node:child_process";
import { afterEach, describe, expect, it } from "vitest";
import { BATCH_CAPACITY, BURST_LEN } from "../../assembly/abi/packet.js";
import { Cluster } from "../../src/cluster.js";
import { compile } from "../../src/compile.js";
import type { Batch } from "../../src/engine/batch.js";
import { Engine } from "../../src/engine/engine.js";
import type { Workers } from "../../src/engine/workers.js";
import { printIp } from "../../src/net/ip.js";
import { tcp } from "../../src/packet/build.js";
import type { RulesetStep } from "../../src/ruleset/change.js";
import { parseIptables } from "../../src/ruleset/iptables-text.js";

const CLUSTER = Cluster.synthetic({ services: 20, endpoints: 3 });
const PACKETS = 300;
/** A FORWARD chain of many rules, none of which matches: kube-proxy's own shape. */
const LONG_CHAIN = [
  "*filter",
  ":FORWARD ACCEPT [0:0]",
  ...Array.from(
    { length: 100_000 },
    (_, index) => `-A FORWARD -d ${printIp(0x0b000001 + index)}/32 -p tcp -m tcp --dport 80 -j DROP`,
  ),
  "COMMIT",
  "",
].join("\n");

/** Requests of one Pod to every Service, with ports from `first` on, and what becomes of them. */
function fill(batch: Batch, engine: Engine, first: number): void {
  for (let index = 0; index < batch.capacity; index++) {
    const service = CLUSTER.services[index % CLUSTER.services.length];
    const vip = printIp(service?.clusterIPs[0] ?? 0);
    const frame = tcp(`10.244.1.2:${first + index}`, `${vip}:80`);
    batch.set(index, frame, engine.interfaceNumber(frame, "cni0"));
  }
}

function outcomes(batch: Batch): string[] {
  return Array.from({ length: batch.capacity }, (_, index) =>
    [batch.verdict(index), batch.connections[index], Buffer.from(batch.frame(index)).toString("hex")].join(
      " ",
    ),
  );
}

let workers: Workers | undefined;
afterEach(() => workers?.close());

describe("workers", () => {
  it("do what an engine of the same seed does, at the same time, each with connections of its own", async () => {
    for (const proxy of ["iptables", "ipvs", "nftables"] as const) {
      const options = { seed: 9, connections: 1024 };
      const engine = await Engine.load(compile(CLUSTER, { proxy }), options);
      workers = engine.workers(3);
      expect([workers.threads, workers.all.length]).toEqual([3, 3]);
      const batches = workers.all.map(() => engine.batch(PACKETS));
      for (const round of [0, 1]) {
        for (const [index, batch] of batches.entries()) fill(batch, engine, 1000 * index + 500 * round);
        await Promise.all(workers.all.map((worker, index) => worker.run(batches[index] as Batch, round)));
        for (const worker of workers.all) expect(worker.connections).toBe((round + 1) * PACKETS);
        expect(engine.connections).toBe(0);
      }
      for (const [index, batch] of batches.entries()) {
        const alone = await Engine.load(compile(CLUSTER, { proxy }), { ...options, seed: 9 + index });
        const own = alone.batch(PACKETS);
        for (const round of [0, 1]) {
          fill(own, alone, 1000 * index + 500 * round);
          alone.run(own, round);
        }
        expect(outcomes(batch)).toEqual(outcomes(own));
      }
      workers.close();
    }
  });

  it("run on while the engine changes, each burst before a change or after it", async () => {
    const engine = await Engine.load(compile(CLUSTER), { connections: 4096 });
    workers = engine.workers(2);
    const lanes = workers.all.map((worker) => ({ worker, batch: engine.batch(2048) }));
    for (const [index, { batch }] of lanes.entries()) fill(batch, engine, 2100 * index + 1000);
    const prefix = { address: 0x0a600000, length: 12 };
    let isDone = false;
    const runs = Promise.all(lanes.map(({ worker, batch }) => worker.run(batch))).then(() => {
      isDone = true;
    });
    let changes = 0;
    while (!isDone && changes < 100_000) {
      engine.apply([{ kind: "route-set", route: { prefix, dev: "eth0" } }]);
      engine.apply([{ kind: "route-removed", prefix }]);
      changes += 2;
      if (changes % 100 === 0) await new Promise(setImmediate);
    }
    await runs;
    expect(changes).toBeGreaterThan(2);
    for (const { worker, batch } of lanes) {
      expect(outcomes(batch).filter((one) => !one.startsWith("FORWARD"))).toEqual([]);
      expect(worker.connections).toBe(2048);
    }
  });

  it("begin no burst while a change is under way", async () => {
    const [engine, other] = [await Engine.load(compile(CLUSTER)), await Engine.load(compile(CLUSTER))];
    workers = engine.workers(1);
    const [worker] = workers.all;
    const batch = engine.batch(64);
    fill(batch, engine, 1000);
    await worker?.run(batch);
    fill(batch, engine, 1000);
    engine.machine.imagePause(engine.image, 0, 0);
    const running = worker?.run(batch);
    // Many times as much work as the worker has, by an engine that nobody changes.
    const long = other.batch(2048);
    for (let round = 0; round < 20; round++) {
      fill(long, other, 1000);
      other.run(long, round);
    }
    const verdicts = [...batch.verdicts];
    engine.machine.imageResume(engine.image);
    await running;
    expect(verdicts).toEqual(Array.from({ length: 64 }, () => 0));
    expect(batch.verdict(63)).toBe("FORWARD");
  });

  it("go on over an image that a change moved, and over virtual servers that it brought", async () => {
    // On their way to IPVS packets pass INPUT.
    const iptables = parseIptables(LONG_CHAIN.replaceAll("FORWARD", "INPUT"), "rules");
    const engine = await Engine.load({ ...compile(CLUSTER, { proxy: "ipvs" }), iptables });
    workers = engine.workers(1);
    const [worker] = workers.all;
    // Seconds of work, unless the change comes: it always does.
    const batch = engine.batch(512 * BURST_LEN, { frameLength: 256 });
    const drop: RulesetStep = {
      kind: "rules-spliced",
      table: "filter",
      chain: "INPUT",
      at: 0,
      removed: 0,
      rules: [{ matches: [], target: { kind: "drop" } }],
    };
    const routes = Array.from({ length: 20_000 }, (_, index): RulesetStep => {
      return {
        kind: "route-set",
        route: { prefix: { address: 0x14000000 + index * 256, length: 24 }, dev: "eth0" },
      };
    });
    const servers = Array.from({ length: 300 }, (_, index): RulesetStep => {
      const reals = [{ address: 0x0af40209, port: 8080, weight: 1 }];
      const at = { protocol: "TCP", address: 0x0a700000 + index, port: 80 } as const;
      return { kind: "server-set", server: { ...at, scheduler: "rr", origin: "", servers: reals } };
    });
    await worker?.run(batch, 0, 0);
    for (const more of [routes, servers]) {
      fill(batch, engine, 1000);
      batch.verdicts.fill(0);
      const before = engine.image;
      const running = worker?.run(batch);
      // The first burst walks past 100,000 rules a packet meanwhile.
      while (Atomics.load(batch.verdicts, 0) === 0);
      engine.apply([drop, ...more]);
      const judged = batch.verdicts.indexOf(0);
      expect(engine.image === before).toBe(more === servers);
      await running;
      const verdicts = outcomes(batch).map((one) => one.split(" ")[0]);
      expect(verdicts[0]).toBe("FORWARD");
      expect(verdicts.lastIndexOf("FORWARD")).toBeLessThan(judged + BURST_LEN);
      expect(verdicts.at(-1)).toBe("DROP");
      engine.apply([{ ...drop, removed: 1, rules: [] } as RulesetStep]);
    }
    const room = engine.machine.stateServers(worker?.state ?? 0) >>> 0;
    expect(room).toBeGreaterThanOrEqual(engine.machine.imageServers(engine.image) >>> 0);
  });

  it("are refused what another does, and everything once they are closed", async () => {
    const engine = await Engine.load(compile(CLUSTER), { connections: 4096 });
    workers = engine.workers(2);
    const [one, other] = workers.all;
    const [batch, more] = [engine.batch(256), engine.batch(256)];
    fill(batch, engine, 1000);
    const running = one?.run(batch);
    await expect(one?.run(more)).rejects.toThrow("still runs another batch");
    await expect(other?.run(batch)).rejects.toThrow("The batch is a worker's until its run is done");
    expect(() => engine.run(batch)).toThrow("until its run is done");
    expect(() => batch.set(0, tcp("10.244.1.2:1", "10.96.0.1:80"))).toThrow("until its run is done");
    expect(() => workers?.close()).toThrow("A worker still runs a batch: await that before you close them.");
    await running;
    engine.run(batch, 1);
    await other?.run(batch);
    workers.close();
    await expect(one?.run(batch)).rejects.toThrow(
      "The workers are closed: make others with engine.workers().",
    );
  });

  it("leave no change waiting when one fails", async () => {
    const engine = await Engine.load(compile(CLUSTER));
    workers = engine.workers(1);
    const batch = engine.batch(BURST_LEN);
    fill(batch, engine, 1000);
    // Columns so long end outside of the memory.
    new DataView(batch.octets.buffer, batch.octets.byteOffset).setUint32(BATCH_CAPACITY, 0x10000000, true);
    await expect(workers.all[0]?.run(batch)).rejects.toThrow("memory access out of bounds");
    engine.apply([
      { kind: "route-set", route: { prefix: { address: 0x0a600000, length: 12 }, dev: "eth0" } },
    ]);
  });

  it("end the burst that is under way before a change begins", async () => {
    const compiled = compile(CLUSTER);
    const engine = await Engine.load({ ...compiled, iptables: parseIptables(LONG_CHAIN, "rules") });
    workers = engine.workers(1);
    const [worker] = workers.all;
    const batch = engine.batch(BURST_LEN);
    // The thread has begun when this is done.
    await worker?.run(batch, 0, 0);
    fill(batch, engine, 1000);
    const running = worker?.run(batch);
    // One packet after another walks past 100,000 rules: the first has its verdict long before the last.
    while (Atomics.load(batch.verdicts, 0) === 0);
    const last = { kind: "rules-spliced", table: "filter", chain: "FORWARD", at: 0, removed: 0 } as const;
    engine.apply([{ ...last, rules: [{ matches: [], target: { kind: "drop" } }] }]);
    const atChange = [...batch.verdicts];
    await running;
    expect(atChange).toEqual([...batch.verdicts]);
    expect(outcomes(batch).filter((one) => !one.startsWith("FORWARD"))).toEqual([]);
    fill(batch, engine, 3000);
    await worker?.run(batch);
    expect(outcomes(batch).filter((one) => !one.startsWith("DROP"))).toEqual([]);
  });

  it("refuse batches of others, a second one at a time, and what no number of packets is", async () => {
    const engine = await Engine.load(compile(CLUSTER), { connections: 64 });
    const other = await Engine.load(compile(CLUSTER), { connections: 64 });
    workers = engine.workers(1);
    const [worker] = workers.all;
    const batch = engine.batch(2);
    await expect(worker?.run(other.batch(1))).rejects.toThrow("not one of this worker's engine");
    await expect(worker?.run(batch, 0, 3)).rejects.toThrow("count: 3 is not a whole number from 0 to 2.");
    await expect(worker?.run(batch, -1)).rejects.toThrow("not a number of milliseconds");
    const first = worker?.run(batch);
    await expect(worker?.run(batch)).rejects.toThrow("still runs another batch");
    await first;
    expect(() => engine.workers(0)).toThrow("count: 0 is not a whole number from 1 to 64.");
  });

  it("run in the one thread of a host without SharedArrayBuffer, and say so", () => {
    const script = `
      delete globalThis.SharedArrayBuffer;
      const { Cluster, compile, Engine, tcp } = await import("./dist/src/index.js");
      const ruleset = compile(Cluster.synthetic({ services: 2, endpoints: 2 }));
      const engine = await Engine.load(ruleset, { connections: 100, memory: 2 ** 24 });
      const workers = engine.workers(2);
      const batch = engine.batch(1);
      batch.set(0, tcp("10.244.1.2:1", "10.96.0.1:80"), engine.interfaceNumber(tcp("10.244.1.2:1", "10.96.0.1:80")));
      await workers.all[1].run(batch);
      let refusal = "";
      try { engine.batch(1_000_000); } catch (error) { refusal = error.message; }
      console.log(JSON.stringify([workers.threads, batch.verdict(0), workers.all[1].connections, refusal]));`;
    const said = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    const [threads, verdict, connections, refusal] = JSON.parse(said) as [number, string, number, string];
    expect([threads, verdict, connections]).toEqual([0, "FORWARD", 1]);
    expect(refusal).toMatch(/^An engine's memory holds 16 MiB; .* or more memory\.$/);
  });
});
