import { describe, expect, it } from "vitest";
import { Compilation } from "../../src/compilation.js";
import { compile } from "../../src/compile.js";
import { InputError, printDiagnostic } from "../../src/diagnostics.js";
import { Engine } from "../../src/engine/engine.js";
import { findModule } from "../../src/engine/wasm.js";
import { syntheticCluster } from "../../src/model/synthetic.js";
import { type Prefix, parsePrefix } from "../../src/net/prefix.js";
import { tcp, udp } from "../../src/packet/build.js";
import type { Ruleset } from "../../src/ruleset/ruleset.js";
import { engineOf, MODES, NODE_IP, POD } from "../drawn-cluster.js";
import { textOfDestination, tupleOf } from "../frame-tuple.js";
import { REQUEST, WEB } from "./web.js";

describe("an engine", () => {
  it("knows the interface that a frame comes in by: where its source lives", async () => {
    const engine = await engineOf([WEB], "iptables");
    const names = engine.numbering.interfaces.map(({ name }) => name);
    const cases: [string, string | undefined][] = [
      [POD, "cni0"],
      ["10.244.2.100", "flannel.1"],
      ["198.51.100.7", "eth0"],
      [NODE_IP, undefined],
      ["10.244.1.1", undefined],
    ];
    for (const [from, name] of cases) {
      const number = engine.interfaceNumber(tcp(`${from}:1`, "10.96.0.10:80"));
      expect([from, number]).toEqual([from, name === undefined ? 0 : names.indexOf(name) + 1]);
    }
    expect(engine.interfaceNumber(REQUEST, "eth0")).toBe(names.indexOf("eth0") + 1);
    expect(engine.interfaceNumber(new Uint8Array(3))).toBe(names.indexOf("eth0") + 1);
    expect(() => engine.interfaceNumber(REQUEST, "eth7")).toThrow(
      "Node worker-1 has no interface eth7; it has lo, eth0, cni0",
    );
  });

  it("follows a packet as it runs one, and tells of it", async () => {
    const engine = await engineOf([WEB], "nftables", { seed: 5 });
    const twin = await engineOf([WEB], "nftables", { seed: 5 });
    for (let port = 1; port < 20; port++) {
      const frame = tcp(`${POD}:${port}`, "10.96.0.10:80");
      const { verdict, frame: left, steps, out } = engine.follow(frame);
      const batch = twin.batch(1);
      batch.set(0, frame, twin.interfaceNumber(frame));
      twin.run(batch);
      expect([verdict, left]).toEqual([batch.verdict(0), batch.frame(0)]);
      expect(["cni0", "eth0"]).toContain(out);
      expect(steps.length).toBeGreaterThan(3);
      expect(engine.connections).toBe(port);
    }
    expect(engine.trace(REQUEST).split("\n").length).toBeGreaterThan(3);
    expect(engine.follow(tcp(`${POD}:1`, `${NODE_IP}:22`))).toMatchObject({
      verdict: "LOCAL",
      out: undefined,
    });
  });

  it("forgets connections when it is told to", async () => {
    const engine = await engineOf([WEB], "ipvs");
    const first = textOfDestination(tupleOf(engine.follow(REQUEST).frame));
    expect(textOfDestination(tupleOf(engine.follow(REQUEST).frame))).toBe(first);
    expect(engine.connections).toBe(1);
    engine.clearConnections();
    expect(engine.connections).toBe(0);
    engine.follow(REQUEST);
    expect(engine.connections).toBe(1);
  });

  it("counts the octets of its tables: the parts make the whole, and grow with the Services", async () => {
    for (const mode of MODES) {
      const [small, large] = [await engineOf([], mode), await engineOf([WEB], mode)];
      for (const engine of [small, large]) {
        const { all, ...parts } = engine.octets();
        expect(Object.values(parts).reduce((sum, part) => sum + part)).toBe(all);
      }
      const grown = { iptables: "rules", ipvs: "servers", nftables: "rules" } as const;
      expect(large.octets()[grown[mode]]).toBeGreaterThan(small.octets()[grown[mode]]);
      expect(large.octets().connections).toBe(small.octets().connections);
    }
  });

  it("refuses what is no ruleset, no change and no step, in words", async () => {
    for (const wrong of [null, {}, "abc", new ArrayBuffer(8)])
      await expect(Engine.load(wrong as never)).rejects.toThrow(
        "give what compile() answers, or the Uint8Array of engine.save().",
      );
    const engine = await Engine.load(compile(syntheticCluster({ services: 1, endpoints: 1, seed: 1 })));
    for (const wrong of [null, {}, "abc"])
      expect(() => engine.apply(wrong as never)).toThrow("A change is a list of steps (RulesetChange).");
    expect(() => engine.apply([{ kind: "name-set" }, null] as never)).toThrow(
      "Step 2 of the change has no kind",
    );
    const compilation = new Compilation(syntheticCluster({ services: 1, endpoints: 1, seed: 1 }));
    for (const wrong of [undefined, { kind: "pod-set" }])
      expect(() => compilation.apply(wrong as never)).toThrow("There is no change of that kind");
  });

  it("holds rulesets of any size: its image moves where there is room", async () => {
    for (const proxy of MODES) {
      const ruleset = compile(syntheticCluster({ services: 3000, endpoints: 2 }), { proxy });
      const engine = await Engine.load(ruleset, { connections: 100 });
      expect(engine.octets().all).toBeGreaterThan(1 << 20);
      const { verdict, frame } = engine.follow(
        tcp("10.244.0.9:1", `10.96.${(257 + 2999) >> 8}.${(257 + 2999) & 255}:80`),
      );
      expect(verdict).toBe("FORWARD");
      expect(tupleOf(frame.length > 100 ? frame.subarray(50) : frame).dstPort).toBe(8080);
    }
  });

  it("takes as many connections as were stated", async () => {
    const engine = await engineOf([], "iptables", { connections: 3 });
    const server = "10.244.2.100:80";
    const verdicts = [1, 2, 3, 4].map((port) => {
      const client = `${POD}:${port}`;
      const { reason } = engine.follow(tcp(client, server));
      // Those that are assured are not evicted.
      engine.follow(tcp(server, client, { flags: "SA" }), { in: "flannel.1" });
      engine.follow(tcp(client, server, { flags: "A" }));
      return reason;
    });
    expect(verdicts).toEqual(["NONE", "NONE", "NONE", "FLOW_TABLE_FULL"]);
    for (const connections of [0, -1, 1.5, Number.NaN, 4_194_304, 1e12]) {
      await expect(engineOf([], "iptables", { connections })).rejects.toThrow(
        `connections: ${connections} is not a whole number from 1 to 4194303.`,
      );
    }
  });

  it("refuses seeds and words that it does not know", async () => {
    for (const seed of [Number.NaN, 1.5, -1, 2 ** 60, -1n, 1n << 64n]) {
      await expect(engineOf([], "iptables", { seed })).rejects.toThrow(RangeError);
      await expect(engineOf([], "iptables", { seed })).rejects.toThrow(
        `seed: ${seed} is not a whole number from 0`,
      );
    }
    for (const seed of [0, 0n, Number.MAX_SAFE_INTEGER, (1n << 64n) - 1n]) {
      expect((await engineOf([], "iptables", { seed })).connections).toBe(0);
    }
    const wrong = { seed: "7", checksums: "none" } as unknown as { seed: number; checksums: "verify" };
    await expect(engineOf([], "iptables", { seed: wrong.seed })).rejects.toThrow(
      "seed: «7» is not a number or bigint.",
    );
    await expect(engineOf([], "iptables", { checksums: wrong.checksums })).rejects.toThrow(
      "checksums: «none» is neither verify nor offload.",
    );
  });

  it("refuses frames that are no octets, and times that are none", async () => {
    const engine = await engineOf([], "iptables");
    for (const frame of [undefined, "octets", [1, 2]]) {
      const attempt = () => engine.trace(frame as unknown as Uint8Array);
      expect(attempt).toThrow(TypeError);
      expect(attempt).toThrow("A frame is a Uint8Array");
      expect(() => engine.interfaceNumber(frame as unknown as Uint8Array)).toThrow("A frame is a Uint8Array");
    }
    for (const now of [Number.NaN, -1, Number.POSITIVE_INFINITY, 1e300]) {
      expect(() => engine.follow(REQUEST, { now })).toThrow(`now: ${now} is not a number of milliseconds`);
    }
    expect(engine.connections).toBe(0);
  });

  it("verifies checksums, unless that is left to the network card", async () => {
    const frame = udp(`${POD}:1`, "10.96.0.10:80", { payload: 3 });
    frame[40] = (frame[40] ?? 0) ^ 0x55;
    const service = { ...WEB, protocol: "UDP" } as const;
    const [verify, offload] = [
      await engineOf([service], "iptables"),
      await engineOf([service], "iptables", { checksums: "offload" }),
    ];
    expect(verify.follow(frame)).toMatchObject({ verdict: "DROP", reason: "RULE" });
    expect(offload.follow(frame).verdict).toBe("FORWARD");
  });

  it("takes the machine as octets or as a module, for hosts without files", async () => {
    const module = await findModule("trace");
    const engine = await engineOf([WEB], "ipvs", { wasm: { run: module, trace: module } });
    expect(engine.follow(REQUEST).verdict).toBe("FORWARD");
    await expect(engineOf([], "ipvs", { wasm: { run: new Uint8Array([0, 1, 2]) } })).rejects.toThrow(
      WebAssembly.CompileError,
    );
  });

  it("refuses octets that are no image", async () => {
    await expect(Engine.load(new Uint8Array(1000))).rejects.toThrow(InputError);
  });
});

describe("several routes to one prefix", () => {
  const ruleset = compile(syntheticCluster({ services: 1, endpoints: 1 }));
  const prefix = parsePrefix("198.18.0.0/15") as Prefix;
  const prefix6 = parsePrefix("2001:db8::/32") as Prefix;
  const repeated: Ruleset = {
    ...ruleset,
    routes: [
      { prefix, dev: "eth0" },
      { prefix: prefix6, dev: "eth0" },
      ...ruleset.routes,
      { prefix, dev: "cni0" },
      { prefix, dev: "eth0", metric: 7 },
      { prefix: prefix6, dev: "cni0" },
    ],
  };
  const routeTo = (engine: Engine, to: Prefix) =>
    engine.ruleset.routes.filter(({ prefix: one }) => one.address === to.address && one.length === to.length);

  it("are one when they are loaded, the last of the least metric, and the ruleset says so", async () => {
    const engine = await Engine.load(repeated);
    expect(engine.trace(udp("10.244.1.9:1", "198.18.0.1:9"))).toContain("198.18.0.0/15 → cni0");
    expect(routeTo(engine, prefix)).toEqual([{ prefix, dev: "cni0" }]);
    expect(routeTo(engine, prefix6)).toEqual([{ prefix: prefix6, dev: "cni0" }]);
    const last = ruleset.routes.length + 2;
    const said = engine.ruleset.diagnostics.slice(ruleset.diagnostics.length).map(printDiagnostic);
    expect(said).toEqual([
      `ruleset: routes[0] leads to 198.18.0.0/15 too and is left out: routes[${last}] counts, since it is the last.`,
      `ruleset: routes[${last + 1}] leads to 198.18.0.0/15 too and is left out: routes[${last}] counts, since its metric is less.`,
      `ruleset: routes[1] leads to 2001:db8::/32 too and is left out: routes[${last + 2}] counts, since it is the last.`,
    ]);
    const again = await Engine.load(engine.save());
    expect(again.ruleset.routes).toEqual(engine.ruleset.routes);
    expect(again.ruleset.diagnostics).toEqual(engine.ruleset.diagnostics);
  });

  it("are the last when a change sets them", async () => {
    const engine = await Engine.load(ruleset);
    engine.apply([
      { kind: "route-set", route: { prefix, dev: "eth0" } },
      { kind: "route-set", route: { prefix, dev: "cni0", metric: 9 } },
    ]);
    expect(routeTo(engine, prefix)).toEqual([{ prefix, dev: "cni0", metric: 9 }]);
  });
});
