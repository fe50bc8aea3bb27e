import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile } from "../../src/compile.js";
import type { Engine } from "../../src/engine/engine.js";
import { applyChange } from "../../src/ruleset/apply.js";
import type { RulesetStep } from "../../src/ruleset/change.js";
import { clusterFrom, MODES } from "../drawn-cluster.js";
import { changeBetween } from "../oracle/ruleset-diff.js";
import type { DrawnService, Mode } from "../oracle/services.js";
import { course, load, networkSteps } from "./drawn-course.js";
import { sorted } from "./unordered.js";

/** Everything of the image that is in use. */
function imageOf(engine: Engine): Buffer {
  const { machine, memory, image } = engine;
  return Buffer.from(memory.octets(image, machine.imageTop(image) >>> 0));
}

const STRANGE: RulesetStep = { kind: "address-added", dev: "lo", address: { address: 1, length: 8 } };
/** Steps that fit no ruleset, and what is said of them. */
type Refused = readonly [RegExp, ...RulesetStep[]];
const REFUSED: readonly Refused[] = [
  [/no such route/, { kind: "route-removed", prefix: { address: 0x01020300, length: 24 } }],
  [/host bits/, { kind: "route-set", route: { prefix: { address: 0x01020304, length: 24 }, dev: "eth0" } }],
  [/out of range/, { kind: "route-set", route: { prefix: { address: 0, length: 33 }, dev: "eth0" } }],
  [/no such neighbour/, { kind: "neighbour-removed", dev: "eth0", address: 1 }],
  [/no such FDB entry/, { kind: "fdb-removed", dev: "eth0", mac: 1 }],
  [/is there already/, STRANGE, STRANGE],
  [/no interface eth9/, { kind: "address-added", dev: "eth9", address: { address: 1, length: 8 } }],
  [/no such address/, { kind: "address-removed", dev: "eth0", address: 1 }],
  [/no such kind|no step of that kind/, { kind: "chain-renamed" } as unknown as RulesetStep],
];
const REFUSED_BY: Readonly<Record<Mode, readonly Refused[]>> = {
  iptables: [
    [/no table mungle/, { kind: "chain-removed", table: "mungle", name: "X" }],
    [/no such chain X/, { kind: "chain-removed", table: "nat", name: "X" }],
    [/no chain KUBE-SERVICES to jump to/, { kind: "chain-removed", table: "nat", name: "KUBE-SERVICES" }],
    [
      /cannot go at position/,
      { kind: "rules-spliced", table: "nat", chain: "OUTPUT", at: 0, removed: 99, rules: [] },
    ],
    [
      /no chain GONE to jump to/,
      {
        kind: "chain-set",
        table: "nat",
        chain: { name: "X", rules: [{ matches: [], target: { kind: "jump", chain: "GONE" } }] },
      },
    ],
    [
      /leads back to itself: a loop/,
      {
        kind: "rules-spliced",
        table: "nat",
        chain: "KUBE-NODEPORTS",
        at: 0,
        removed: 0,
        rules: [{ matches: [], target: { kind: "jump", chain: "KUBE-SERVICES" } }],
      },
    ],
    [
      /no set or map x/,
      {
        kind: "chain-set",
        table: "nat",
        chain: { name: "X", rules: [{ matches: [{ kind: "set", set: "x", sides: ["dst"] }] }] },
      },
    ],
    [/no IPVS/, { kind: "server-removed", protocol: "TCP", address: 1, port: 1 }],
  ],
  ipvs: [
    [/no such virtual server/, { kind: "server-removed", protocol: "TCP", address: 1, port: 1 }],
    [/no ipset X/, { kind: "ipset-added", set: "X", entry: { ip: 1 } }],
    [
      /no such entry of ipset KUBE-CLUSTER-IP/,
      { kind: "ipset-removed", set: "KUBE-CLUSTER-IP", entry: { ip: 1, protocol: "TCP", port: 1 } },
    ],
    [/no nftables/, { kind: "nft-chain-removed", name: "X" }],
  ],
  nftables: [
    [/no such chain X/, { kind: "nft-chain-removed", name: "X" }],
    [/no map X/, { kind: "nft-element-removed", map: "X", element: { protocol: "TCP", port: 1 } }],
    [
      /no such element/,
      { kind: "nft-element-removed", map: "service-ips", element: { address: 1, protocol: "TCP", port: 1 } },
    ],
    [
      /no chain GONE to jump to/,
      {
        kind: "nft-element-set",
        map: "service-ips",
        element: { address: 1, protocol: "TCP", port: 1, verdict: { kind: "goto", chain: "GONE" } },
      },
    ],
    [
      /leads back to itself: a loop/,
      {
        kind: "nft-element-set",
        map: "service-ips",
        element: { address: 1, protocol: "TCP", port: 1, verdict: { kind: "goto", chain: "services" } },
      },
    ],
    [/no such address of set cluster-ips/, { kind: "nft-address-removed", set: "cluster-ips", address: 1 }],
  ],
};

describe("a change that does not fit", () => {
  it.each(MODES)("is refused whole, naming the step, and changes nothing: %s", async (mode) => {
    const property = fc.asyncProperty(course, fc.nat(), async ({ stack, first, changes: [change] }, at) => {
      const compiled = (services: readonly DrawnService[]) =>
        compile(clusterFrom(services, stack), { node: "worker-1", proxy: mode });
      const now = compiled(first);
      const engine = await load(now);
      const fitting = changeBetween(now, compiled(change?.services ?? first));
      const all = [...fitting, ...networkSteps(applyChange(now, fitting), change?.draws ?? [])];
      const before = imageOf(engine);
      const { ruleset } = engine;
      const saved = engine.save();
      const cases = [...REFUSED, ...REFUSED_BY[mode]];
      const [message, ...steps] = cases[at % cases.length] as Refused;
      expect(() => engine.apply([...all, ...steps])).toThrow(message);
      expect(() => engine.apply([...all, ...steps, ...all])).toThrow(TypeError);
      expect(Buffer.compare(imageOf(engine), before)).toBe(0);
      expect(engine.ruleset).toEqual(ruleset);
      expect(Buffer.compare(engine.save(), saved)).toBe(0);
      engine.apply(all);
      expect(sorted(engine.ruleset)).toEqual(sorted(applyChange(now, all)));
    });
    await fc.assert(property, { numRuns: 40, endOnFailure: true });
  });
});
