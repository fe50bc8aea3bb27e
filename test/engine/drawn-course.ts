import fc from "fast-check";
import { Engine } from "../../src/engine/engine.js";
import type { Ip } from "../../src/net/ip.js";
import { prefixOf } from "../../src/net/prefix.js";
import { applyChange } from "../../src/ruleset/apply.js";
import type { RulesetChange, RulesetStep } from "../../src/ruleset/change.js";
import type { Ruleset } from "../../src/ruleset/ruleset.js";
import { drawnServices, MODES, type Stack } from "../drawn-cluster.js";
import type { Mode } from "../oracle/services.js";

export const SEED = 7;
export const CONNECTIONS = 4095;

const DEVICES = ["eth0", "cni0", "flannel.1", "lo"];
export const ADDRESSES6 = [
  0xfd00_0010_0244_0001n << 64n,
  (0xfd00_0010_0244_0001n << 64n) + 1n,
  (0xfd00_0010_0244_0001n << 64n) + 9n,
  (0xfd00_0010_0244_0002n << 64n) + 9n,
  (0xfd00_0172_0018n << 80n) + 2n,
  (0xfd00_0172_0018n << 80n) + 3n,
  0xfe80n << 112n,
  1n,
];
export const ADDRESSES4 = [
  0x0af40109, 0x0af40164, 0x0af40200, 0x0af40264, 0x0af40300, 0xac120002, 0xac120003, 0xac120001,
];

/** A step that fits a ruleset, of its network; numbers choose which. */
function networkStep(ruleset: Ruleset, [kind, a, b, c]: readonly number[]): RulesetStep {
  const pick = <T>(items: readonly T[], index: number | undefined) => items[(index ?? 0) % items.length] as T;
  const dev = pick(DEVICES, b);
  // The two families share devices and next hops, and nothing else.
  const is6 = (kind ?? 0) % 2 === 1;
  const addresses: readonly Ip[] = is6 ? ADDRESSES6 : ADDRESSES4;
  const longer = is6 ? 96 : 0;
  const address = pick(addresses, a);
  const { routes, neighbours, fdb, interfaces } = ruleset;
  switch (((kind ?? 0) >> 1) % 10) {
    case 0: {
      const lengths = is6 ? [0, 8, 16, 48, 64, 65, 127, 128] : [0, 8, 16, 23, 24, 25, 31, 32];
      const prefix = prefixOf(address, pick(lengths, c));
      const gateways = is6 ? ADDRESSES6 : [...ADDRESSES4, ...ADDRESSES6];
      return { kind: "route-set", route: { prefix, dev, via: pick(gateways, (b ?? 0) >> 2) } };
    }
    case 1:
      return {
        kind: "route-set",
        route: { prefix: prefixOf(address, longer + pick([8, 16, 24, 28, 32], c)), dev },
      };
    case 2:
      if (routes.length === 0) break;
      return { kind: "route-removed", prefix: pick(routes, a).prefix };
    case 3: {
      const mac = pick(fdb.length === 0 ? [1] : fdb.map((entry) => entry.mac), c);
      return {
        kind: "neighbour-set",
        neighbour: { address, dev, mac: (c ?? 0) % 3 === 0 ? 0x02420000 + (a ?? 0) : mac },
      };
    }
    case 4:
      if (neighbours.length === 0) break;
      return { kind: "neighbour-removed", ...pick(neighbours, a) };
    case 5:
      return {
        kind: "fdb-set",
        entry: {
          mac: pick([1, 2, ...fdb.map(({ mac }) => mac)], c),
          dev: "flannel.1",
          dst: pick(ADDRESSES4, a),
        },
      };
    case 6:
      if (fdb.length === 0) break;
      return { kind: "fdb-removed", ...pick(fdb, a) };
    case 7: {
      const free = addresses.filter(
        (one) =>
          !interfaces.some(
            ({ name, addresses }) => name === dev && addresses.some((own) => own.address === one),
          ),
      );
      if (free.length === 0) break;
      return {
        kind: "address-added",
        dev,
        address: { address: pick(free, a), length: longer + pick([8, 24, 32], c) },
      };
    }
    case 8: {
      const own = interfaces.find(({ name }) => name === dev)?.addresses ?? [];
      if (own.length === 0) break;
      return { kind: "address-removed", dev, address: pick(own, a).address };
    }
  }
  return { kind: "name-set", address, name: `name-${b}` };
}

/** Steps that fit one after another. */
export function networkSteps(ruleset: Ruleset, draws: readonly (readonly number[])[]): RulesetChange {
  const steps: RulesetStep[] = [];
  let current = ruleset;
  for (const draw of draws) {
    const step = networkStep(current, draw);
    current = applyChange(current, [step]);
    steps.push(step);
  }
  return steps;
}

const draws = fc.array(fc.array(fc.nat(1000), { minLength: 4, maxLength: 4 }), { maxLength: 6 });
/** A node, and what changes on it: Services, and what surrounds them. */
export const course = fc.record({
  mode: fc.constantFrom<Mode>(...MODES),
  stack: fc.constantFrom<Stack>("IPv4", "dual", "dual"),
  first: drawnServices,
  changes: fc.array(
    fc.record({ services: fc.oneof(drawnServices, fc.constant(undefined)), draws, packets: fc.boolean() }),
    { minLength: 1, maxLength: 5 },
  ),
  extra: fc.array(
    fc.tuple(fc.constantFrom(...ADDRESSES4), fc.nat(3)).map(([base, low]) => base + low),
    { minLength: 6, maxLength: 12 },
  ),
});

export function load(ruleset: Ruleset): Promise<Engine> {
  return Engine.load(ruleset, { seed: SEED, connections: CONNECTIONS });
}
