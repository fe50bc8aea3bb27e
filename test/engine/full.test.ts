import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Cluster } from "../../src/cluster.js";
import { Compilation } from "../../src/compilation.js";
import { compile } from "../../src/compile.js";
import { Engine } from "../../src/engine/engine.js";
import { printIp } from "../../src/net/ip.js";
import { tcp } from "../../src/packet/build.js";
import type { RulesetChange, RulesetStep } from "../../src/ruleset/change.js";
import { MODES } from "../drawn-cluster.js";

const MEMORY = 6 * 2 ** 20;
const OPTIONS = { connections: 255, fragments: 0, memory: MEMORY } as const;
const SAID =
  /^An engine's memory holds 6 MiB; \d+ octets more for .+ do not fit\. Load fewer Services and routes, state fewer connections or smaller batches, or more memory\.$/;

// A memory of a fixed size is one that can be filled: that of a host without SharedArrayBuffer.
beforeEach(() => void vi.stubGlobal("SharedArrayBuffer", undefined));
afterEach(() => void vi.unstubAllGlobals());

/** Everything that there is of an engine, but for how large its image may grow in its place. */
function everything({ machine, memory, image, state }: Engine): Buffer {
  const tables = Buffer.from(memory.octets(image, machine.imageTop(image) >>> 0));
  tables.fill(0, 8, 12);
  return Buffer.concat([tables, memory.octets(state, memory.view(state, 12).getUint32(8, true))]);
}

function refusalOf(call: () => void): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error("was not refused");
}

/** Applies changes until one is refused for want of room, which must leave no trace; how many were applied. */
function fill(engine: Engine, changes: Iterable<RulesetChange>): number {
  let applied = 0;
  for (const change of changes) {
    const [before, { ruleset }] = [everything(engine), engine];
    try {
      engine.apply(change);
      applied++;
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
      expect((error as Error).message).toMatch(SAID);
      expect(everything(engine).equals(before)).toBe(true);
      expect(engine.ruleset).toEqual(ruleset);
      return applied;
    }
  }
  throw new Error("all of it fits");
}

describe("an engine whose memory is full", () => {
  it.each(MODES)("refuses more Services than fit while it is loaded: %s", async (proxy) => {
    const ruleset = compile(Cluster.synthetic({ services: 12_000, endpoints: 3 }), { proxy });
    await expect(Engine.load(ruleset, OPTIONS)).rejects.toThrow(SAID);
    await expect(Engine.load(ruleset, OPTIONS)).rejects.toThrow(RangeError);
  });

  it.each(MODES)(
    "refuses Services that come until none fits, before anything is changed: %s",
    async (proxy) => {
      const [few, all] = [
        Cluster.synthetic({ services: 10, endpoints: 4 }),
        Cluster.synthetic({ services: 8000, endpoints: 4 }),
      ];
      const compilation = new Compilation(few, { proxy });
      const engine = await Engine.load(compilation.ruleset, OPTIONS);
      const changes = function* (): Generator<RulesetChange> {
        for (let first = 10; first < all.services.length; first += 10) {
          yield all.services.slice(first, first + 10).flatMap((service, index) => {
            const endpointSlice = all.endpointSlices[first + index];
            if (endpointSlice === undefined) throw new Error("a Service without endpoints");
            return [
              ...compilation.apply({ kind: "service-set", service }),
              ...compilation.apply({ kind: "endpointslice-set", endpointSlice }),
            ];
          });
        }
      };
      const frame = tcp("10.244.1.7:41000", `${printIp(few.services[0]?.clusterIPs[0] ?? 0)}:80`);
      // What a trace is written to is taken once.
      engine.trace(frame);
      expect(fill(engine, changes())).toBeGreaterThan(0);
      expect(engine.trace(frame)).toMatch(/dst .+:80 → 10\.244\./);
      engine.apply([{ kind: "name-set", address: 1, name: "one" }]);
    },
  );

  it("refuses routes", async () => {
    const engine = await Engine.load(compile(Cluster.synthetic({ services: 1, endpoints: 1 })), OPTIONS);
    const changes = Array.from({ length: 60 }, (_, block): readonly RulesetStep[] =>
      Array.from({ length: 500 }, (__, index) => ({
        kind: "route-set",
        route: {
          prefix: { address: (0x14000000 + (block * 500 + index) * 256) >>> 0, length: 24 },
          dev: "eth0",
        },
      })),
    );
    expect(fill(engine, changes)).toBeGreaterThan(0);
  });

  it("refuses virtual servers for which its state has no room, before the tables are changed", async () => {
    const ruleset = compile(Cluster.synthetic({ services: 10, endpoints: 1 }), { proxy: "ipvs" });
    // Connections take nearly all memory, so that a state moved for more schedulers finds none.
    const engine = await Engine.load(ruleset, {
      connections: 22_000,
      ipvsConnections: 64,
      fragments: 0,
      memory: MEMORY,
    });
    const servers = Array.from({ length: 200 }, (_, index): RulesetStep => {
      const server = {
        protocol: "TCP",
        address: 0x0a700000 + index,
        port: 80,
        scheduler: "rr",
        origin: "",
        servers: [],
      } as const;
      return { kind: "server-set", server };
    });
    const before = everything(engine);
    expect(refusalOf(() => engine.apply(servers)).message).toMatch(
      /for connections and schedulers do not fit/,
    );
    expect(everything(engine).equals(before)).toBe(true);
    engine.apply(servers.slice(0, 40));
    expect(engine.follow(tcp("10.244.1.7:41000", "10.96.0.1:80")).verdict).toBe("FORWARD");
  });

  it("refuses workers and batches", async () => {
    const engine = await Engine.load(compile(Cluster.synthetic({ services: 1, endpoints: 1 })), OPTIONS);
    expect(() => engine.batch(10_000)).toThrow(/for a batch do not fit/);
    expect(() => engine.workers(64)).not.toThrow();
  });
});
