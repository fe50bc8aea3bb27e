import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Batch } from "../src/engine/batch.js";
import { Engine } from "../src/engine/engine.js";
import { findModule } from "../src/engine/wasm.js";
import { icmpEcho, tcp, udp } from "../src/packet/build.js";
import type { Ruleset } from "../src/ruleset/ruleset.js";
import { drawnServices, engineOf, MODES, NODE_IP, POD } from "./drawn-cluster.js";
import type { DrawnService } from "./oracle/services.js";
import { Tally } from "./tally.js";

/** A frame and the name of the interface it comes in by; undefined for the node's own. */
interface Arrival {
  readonly frame: Uint8Array;
  readonly by: string | undefined;
}

const FLAGS = ["S", "S", "S", "A", "SA", "FA", "R"] as const;

/** Packets of few connections: requests and answers, first ones and last ones, good ones and bad. */
function pool(services: readonly DrawnService[]): Arrival[] {
  return services.flatMap((service) => {
    const { clusterIP, vip, port, nodePort, protocol, endpoints, targetPort } = service;
    const build = (from: string, to: string, flags: string) =>
      protocol === "TCP" ? tcp(from, to, { flags }) : udp(from, to, { payload: 5 });
    const requests = FLAGS.flatMap((flags): Arrival[] => [
      { frame: build(`${POD}:40000`, `${clusterIP}:${port}`, flags), by: "cni0" },
      { frame: build(`${POD}:40001`, `${clusterIP}:${port}`, flags), by: "cni0" },
      { frame: build("198.51.100.7:40000", `${NODE_IP}:${nodePort}`, flags), by: "eth0" },
      { frame: build("198.51.100.7:40000", `${vip}:${port}`, flags), by: "eth0" },
      { frame: build(`${NODE_IP}:40000`, `${clusterIP}:${port}`, flags), by: undefined },
    ]);
    const answers = endpoints.flatMap(({ address, isLocal }) =>
      ["SA", "A", "FA", "R"].map(
        (flags): Arrival => ({
          frame: build(`${address}:${targetPort}`, `${POD}:40000`, flags),
          by: isLocal ? "cni0" : "flannel.1",
        }),
      ),
    );
    const odd: Arrival[] = [
      { frame: icmpEcho(POD, "10.244.2.100"), by: "cni0" },
      { frame: tcp(`${POD}:1`, `${clusterIP}:81`, { ttl: 1 }), by: "cni0" },
      { frame: new Uint8Array(20), by: "eth0" },
    ];
    return [...requests, ...answers, ...odd];
  });
}

interface Run {
  readonly services: readonly DrawnService[];
  readonly mode: (typeof MODES)[number];
  readonly arrivals: readonly Arrival[];
  readonly seed: number;
}

const run: fc.Arbitrary<Run> = drawnServices.chain((services) => {
  const arrivals = pool(services);
  return fc.record({
    services: fc.constant(services),
    mode: fc.constantFrom(...MODES),
    arrivals: fc.array(fc.constantFrom(...arrivals), { minLength: 30, maxLength: 150, size: "max" }),
    seed: fc.nat(0xffff_ffff),
  });
});

/** What came of each packet: every output column and the frame's octets. */
function outcomes(batch: Batch, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const columns = [batch.ins, batch.outs, batch.nextHops, batch.walked, batch.connections];
    const words = columns.map((column) => column[index]);
    return [
      batch.verdict(index),
      batch.reason(index),
      ...words,
      Buffer.from(batch.frame(index)).toString("hex"),
    ].join(" ");
  });
}

function fill(engine: Engine, batch: Batch, arrivals: readonly Arrival[]): void {
  for (const [index, { frame, by }] of arrivals.entries()) {
    batch.set(index, frame, by === undefined ? 0 : engine.interfaceNumber(frame, by));
  }
}

/** Runs packets in batches of these lengths, and then the rest; time passes between the halves. */
function runSplit(engine: Engine, arrivals: readonly Arrival[], lengths: readonly number[]): string[] {
  const results: string[] = [];
  let at = 0;
  for (const length of [...lengths, arrivals.length]) {
    const part = arrivals.slice(at, at + length);
    if (part.length === 0) continue;
    const batch = engine.batch(part.length, { frameLength: 256 });
    fill(engine, batch, part);
    engine.run(batch, 7);
    results.push(...outcomes(batch, part.length));
    at += part.length;
  }
  return results;
}

function load({ services, mode, seed }: Run, options: Parameters<typeof engineOf>[2] = {}): Promise<Engine> {
  return engineOf(services, mode, { seed, ...options });
}

/** The image, but for its capacity (how much room the host gave it is not the node's), and the state behind it. */
function stateOf(engine: Engine): Buffer {
  const { machine, memory, image, state } = engine;
  const length = memory.view(state, 12).getUint32(8, true);
  const octets = Buffer.from(memory.octets(image, machine.imageTop(image) >>> 0)).fill(0, 8, 12);
  return Buffer.concat([octets, memory.octets(state, length)]);
}

/** A test that all packets were dropped alike would tell nothing. */
class Variety {
  readonly #tally = new Tally();

  add(results: readonly string[]): void {
    for (const result of results) this.#tally.count(result.split(" ")[0] ?? "");
  }

  check(): void {
    this.#tally.expectEach(["FORWARD", "LOCAL", "DROP", "REJECT"], 20);
  }
}

describe("law: trace ≡ run", () => {
  it("from equal images and seeds both builds leave equal octets: frames, columns, image and state", async () => {
    const variety = new Variety();
    const tracer = await findModule("trace");
    const property = fc.asyncProperty(run, async (drawn) => {
      const engines = [await load(drawn), await load(drawn, { wasm: { run: tracer } })];
      const [runs, traces] = engines.map((engine) => {
        const batch = engine.batch(drawn.arrivals.length, { traces: 40 * drawn.arrivals.length });
        fill(engine, batch, drawn.arrivals);
        engine.run(batch, 7);
        return { batch, results: outcomes(batch, batch.capacity), image: stateOf(engine) };
      });
      expect(traces?.results).toEqual(runs?.results);
      expect(Buffer.compare(traces?.image ?? Buffer.of(), runs?.image ?? Buffer.of(1))).toBe(0);
      expect(runs?.batch.records()).toEqual([]);
      const ends = traces?.batch.records().filter(({ event }) => event === "VERDICT");
      expect(ends?.map(({ packet }) => packet)).toEqual(drawn.arrivals.map((_, index) => index));
      variety.add(runs?.results ?? []);
    });
    await fc.assert(property, { numRuns: 120 });
    variety.check();
  });
});

describe("law: run equals one packet at a time", () => {
  it("for any split into batches, across bursts and within them", async () => {
    const variety = new Variety();
    const property = fc.asyncProperty(
      run,
      fc.array(fc.integer({ min: 1, max: 80 }), { maxLength: 6 }),
      async (drawn, lengths) => {
        const [whole, split, single] = [await load(drawn), await load(drawn), await load(drawn)];
        const expected = runSplit(
          single,
          drawn.arrivals,
          drawn.arrivals.map(() => 1),
        );
        expect(runSplit(whole, drawn.arrivals, [])).toEqual(expected);
        expect(runSplit(split, drawn.arrivals, lengths)).toEqual(expected);
        expect(Buffer.compare(stateOf(whole), stateOf(single))).toBe(0);
        expect(Buffer.compare(stateOf(split), stateOf(single))).toBe(0);
        variety.add(expected);
      },
    );
    await fc.assert(property, { numRuns: 120 });
    variety.check();
  });
});

/** A ruleset whose names are compared one by one, whatever kind of map holds them. */
const plain = (ruleset: Ruleset) => ({ ...ruleset, names: [...ruleset.names] });

describe("law: a loaded engine goes on as the saved one would have", () => {
  it("with its connections, scheduler and random state", async () => {
    const variety = new Variety();
    const property = fc.asyncProperty(run, fc.nat(30), async (drawn, cut) => {
      const saved = await load(drawn);
      runSplit(saved, drawn.arrivals.slice(0, cut), []);
      const loaded = await Engine.load(saved.save());
      expect(plain(loaded.ruleset)).toEqual(plain(saved.ruleset));
      expect(Buffer.compare(stateOf(loaded), stateOf(saved))).toBe(0);
      const rest = drawn.arrivals.slice(cut);
      const expected = runSplit(saved, rest, []);
      expect(runSplit(loaded, rest, [])).toEqual(expected);
      expect(Buffer.compare(stateOf(loaded), stateOf(saved))).toBe(0);
      variety.add(expected);
    });
    await fc.assert(property, { numRuns: 120 });
    variety.check();
  });

  it("and without its connections, as one that forgot them", async () => {
    const property = fc.asyncProperty(run, async (drawn) => {
      const saved = await load(drawn);
      runSplit(saved, drawn.arrivals, []);
      const loaded = await Engine.load(saved.save({ flows: false }));
      saved.clearConnections();
      expect(loaded.connections).toBe(0);
      expect(runSplit(loaded, drawn.arrivals, [])).toEqual(runSplit(saved, drawn.arrivals, []));
    });
    await fc.assert(property, { numRuns: 20 });
  });
});

describe("law: equal seeds, equal outcomes", () => {
  it("and unequal ones choose otherwise", async () => {
    let different = 0;
    const property = fc.asyncProperty(run, async (drawn) => {
      const [first, second, other] = [
        await load(drawn),
        await load(drawn),
        await load(drawn, { seed: (drawn.seed ^ 1) >>> 0 }),
      ];
      const expected = runSplit(first, drawn.arrivals, []);
      expect(runSplit(second, drawn.arrivals, [])).toEqual(expected);
      if (runSplit(other, drawn.arrivals, []).join() !== expected.join()) different++;
    });
    await fc.assert(property, { numRuns: 30 });
    expect(different).toBeGreaterThan(5);
  });
});
