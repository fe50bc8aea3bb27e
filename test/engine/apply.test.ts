import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { STATUS_OK } from "../../assembly/abi/image.js";
import { compile } from "../../src/compile.js";
import { Engine } from "../../src/engine/engine.js";
import { routedTo } from "../../src/engine/way-in.js";
import { type Ip, printIp } from "../../src/net/ip.js";
import { prefixOf } from "../../src/net/prefix.js";
import { icmpEcho, tcp, udp } from "../../src/packet/build.js";
import { applyChange } from "../../src/ruleset/apply.js";
import type { RulesetChange, RulesetStep } from "../../src/ruleset/change.js";
import { fdbKey, ipKey, neighbourKey, prefixKey } from "../../src/ruleset/identity.js";
import type { Ruleset } from "../../src/ruleset/ruleset.js";
import {
  as6,
  clusterFrom,
  drawnServices,
  MODES,
  mirrored,
  NODE_IP,
  POD,
  REMOTE_POD,
  type Stack,
} from "../drawn-cluster.js";
import { changeBetween } from "../oracle/ruleset-diff.js";
import type { DrawnService, Mode } from "../oracle/services.js";
import { Tally } from "../tally.js";

const SEED = 7;
const CONNECTIONS = 4095;

interface Arrival {
  readonly frame: Uint8Array;
  readonly by: string | undefined;
}

interface Clients {
  readonly node: string;
  /** Each with the interface that it comes in by. */
  readonly others: readonly (readonly [address: string, by: string])[];
}

const CLIENTS: Clients = {
  node: NODE_IP,
  others: [
    [POD, "cni0"],
    ["10.244.1.9", "cni0"],
    [REMOTE_POD, "flannel.1"],
    ["198.51.100.7", "eth0"],
  ],
};
const CLIENTS6: Clients = {
  node: as6(NODE_IP),
  others: CLIENTS.others.map(([address, by]) => [as6(address), by === "cni0" ? by : "eth0"]),
};

const end = (address: string, port: number) =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

/** Requests to every Service there ever was. */
function requestsTo(services: readonly DrawnService[], { node, others }: Clients): Arrival[] {
  return services.flatMap(({ clusterIP, externalIP, vip, port, nodePort, protocol }, index) => {
    const build = (from: string, to: string) =>
      protocol === "TCP" ? tcp(from, to, { flags: "S" }) : udp(from, to, { payload: 5 });
    const fronts = [end(clusterIP, port), end(externalIP, port), end(vip, port), end(node, nodePort)];
    return fronts.flatMap((to, front): Arrival[] => {
      const source = 40000 + index * 16 + front;
      return [
        ...others.map(([address, by]) => ({ frame: build(end(address, source), to), by })),
        { frame: build(end(node, source), to), by: undefined },
      ];
    });
  });
}

/** Requests in both families, and packets to addresses in the networks around. */
function pool(services: readonly DrawnService[], extra: readonly number[]): Arrival[] {
  const requests = [...requestsTo(services, CLIENTS), ...requestsTo(mirrored(services), CLIENTS6)];
  const others = extra.flatMap((to, index): Arrival[] => [
    { frame: udp(`${POD}:${1000 + index}`, `${printIp(to)}:9`), by: "cni0" },
    { frame: udp(`198.51.100.7:${1000 + index}`, `${printIp(to)}:9`), by: "eth0" },
  ]);
  const others6 = ADDRESSES6.flatMap((to, index): Arrival[] => [
    { frame: udp(end(as6(POD), 1000 + index), end(printIp(to), 9)), by: "cni0" },
    { frame: udp(end(as6("198.51.100.7"), 1000 + index), end(printIp(to), 9)), by: "eth0" },
  ]);
  return [...requests, ...others, ...others6, { frame: icmpEcho(POD, NODE_IP), by: "cni0" }];
}

/** What the machine finds behind IPv6 addresses: what its numbers stand for. */
function ways6(engine: Engine): unknown {
  return ADDRESSES6.flatMap((address) => [address, address + 1n]).map((address) => {
    const hop = routedTo(address, engine);
    return hop === 0xffffffff ? "none" : (engine.numbering.hops[hop] ?? "nowhere");
  });
}

function run(engine: Engine, state: number, arrivals: readonly Arrival[], now: number): string[] {
  const batch = engine.batch(arrivals.length, { frameLength: 256 });
  for (const [index, { frame, by }] of arrivals.entries())
    batch.set(index, frame, by === undefined ? 0 : engine.interfaceNumber(frame, by));
  const { machine, image } = engine;
  expect(machine.run(image, state, batch.address, arrivals.length, now)).toBe(STATUS_OK);
  return arrivals.map((_, index) =>
    [
      batch.verdict(index),
      batch.reason(index),
      batch.walked[index],
      batch.outs[index],
      Buffer.from(batch.frame(index)).toString("hex"),
    ].join(" "),
  );
}

/** No connections, the seed's random numbers, and schedulers at their beginning. */
function newState({ machine, memory, image }: Engine): number {
  const servers = machine.imageServers(image) >>> 0;
  const state = memory.take(machine.stateLength(CONNECTIONS, servers) >>> 0);
  expect(machine.stateCreate(state, CONNECTIONS, servers, SEED, 0)).toBe(STATUS_OK);
  return state;
}

/** The order of rules counts, that of everything else does not. */
function sorted(ruleset: Ruleset): unknown {
  const by = <T>(items: readonly T[], keyOf: (item: T) => string) =>
    [...items].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const text = (value: unknown) =>
    JSON.stringify(value, (_, one) => (typeof one === "bigint" ? `${one}` : one));
  const named = <T extends { readonly name: string }>(items: readonly T[]) => by(items, ({ name }) => name);
  const { ipsets, ipvs } = ruleset;
  const tables = (iptables: Ruleset["iptables"]) =>
    iptables?.tables.map((table) => ({ ...table, chains: named(table.chains) }));
  const nft = (table: Ruleset["nftables"]) =>
    table && {
      ...table,
      sets: table.sets.map((set) => ({ ...set, addresses: by(set.addresses, text) })),
      maps: table.maps.map((map) => ({ ...map, elements: by(map.elements, text) })),
      chains: named(table.chains),
    };
  return {
    ...ruleset,
    interfaces: ruleset.interfaces.map((device) => ({ ...device, addresses: by(device.addresses, text) })),
    routes: by(ruleset.routes, ({ prefix }) => prefixKey(prefix)),
    neighbours: by(ruleset.neighbours, neighbourKey),
    fdb: by(ruleset.fdb, fdbKey),
    iptables: tables(ruleset.iptables),
    ip6tables: tables(ruleset.ip6tables),
    ipsets: ipsets?.map((set) => ({ ...set, entries: by(set.entries, text) })),
    ipvs: ipvs && by(ipvs.servers, text),
    nftables: nft(ruleset.nftables),
    nftables6: nft(ruleset.nftables6),
    names: new Map(by([...ruleset.names], ([address]) => ipKey(address))),
  };
}

const DEVICES = ["eth0", "cni0", "flannel.1", "lo"];
const ADDRESSES6 = [
  0xfd00_0010_0244_0001n << 64n,
  (0xfd00_0010_0244_0001n << 64n) + 1n,
  (0xfd00_0010_0244_0001n << 64n) + 9n,
  (0xfd00_0010_0244_0002n << 64n) + 9n,
  (0xfd00_0172_0018n << 80n) + 2n,
  (0xfd00_0172_0018n << 80n) + 3n,
  0xfe80n << 112n,
  1n,
];
const ADDRESSES4 = [
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
function networkSteps(ruleset: Ruleset, draws: readonly (readonly number[])[]): RulesetChange {
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
const course = fc.record({
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

function load(ruleset: Ruleset): Promise<Engine> {
  return Engine.load(ruleset, { seed: SEED, connections: CONNECTIONS });
}

/** The kinds of steps that must come up. */
const KINDS = [
  ...["chain-set", "chain-removed", "rules-spliced", "ipset-added", "ipset-removed"],
  ...["server-set", "server-removed"],
  ...["nft-chain-set", "nft-chain-removed", "nft-element-set", "nft-element-removed"],
  ...["route-set", "route-removed", "neighbour-set", "neighbour-removed", "fdb-set", "fdb-removed"],
  ...["address-added", "address-removed", "name-set"],
];

describe("apply", () => {
  it("leaves an engine that does with every packet what one loaded anew does", async () => {
    const seen = new Tally();
    const property = fc.asyncProperty(course, async ({ mode, stack, first, changes, extra }) => {
      const compiled = (services: readonly DrawnService[]) =>
        compile(clusterFrom(services, stack), { node: "worker-1", proxy: mode });
      let now = compiled(first);
      const changed = await load(now);
      const arrivals = pool([...first, ...changes.flatMap(({ services = [] }) => services)], extra);
      let clock = 1;
      for (const { services, draws: drawn, packets } of changes) {
        if (packets) run(changed, changed.state, arrivals, clock++);
        const target = services === undefined ? now : compiled(services);
        const change = changeBetween(now, target);
        const all = [...change, ...networkSteps(applyChange(now, change), drawn)];
        for (const { kind } of all) seen.count(kind);
        now = applyChange(now, all);
        changed.apply(all);
        expect(sorted(changed.ruleset)).toEqual(sorted(now));
      }
      const fresh = await load(now);
      expect(ways6(changed)).toEqual(ways6(fresh));
      const [ours, theirs] = [newState(changed), newState(fresh)];
      // New packets, and the same again, which are then of connections.
      for (const at of [1, 2])
        expect(run(changed, ours, arrivals, at)).toEqual(run(fresh, theirs, arrivals, at));
      // Connections of before the changes stay, in the engine and in what it saves.
      const again = await Engine.load(changed.save());
      expect(run(again, again.state, arrivals, clock)).toEqual(run(changed, changed.state, arrivals, clock));
    });
    await fc.assert(property, { numRuns: 120, endOnFailure: true });
    seen.expectEach(KINDS, 10);
  });
});

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

describe("many changes", () => {
  it.each(MODES)("do not grow the image without bound: %s", async (mode) => {
    const service = (index: number): DrawnService => ({
      clusterIP: `10.96.0.${index + 10}`,
      externalIP: `203.0.113.${index + 10}`,
      vip: `192.0.2.${index + 10}`,
      nodePort: 30080 + index,
      port: 80,
      targetPort: 8080,
      protocol: "TCP",
      internalPolicy: "Cluster",
      externalPolicy: "Cluster",
      endpoints: Array.from({ length: 1 + (index % 4) }, (_, own) => ({
        address: `10.244.${1 + (own % 2)}.${own + 9}`,
        isLocal: own % 2 === 0,
        state: "ready",
      })),
    });
    const compiled = (indices: readonly number[]) =>
      compile(clusterFrom(indices.map(service)), { node: "worker-1", proxy: mode });
    const states = [[], [0, 1, 2, 3], [1, 2], [2, 3, 4, 5, 6], [0, 6]].map(compiled);
    const changes = states.flatMap((from) => states.map((to) => changeBetween(from, to)));
    const engine = await load(states[0] as Ruleset);
    let state = 0;
    const tops: number[] = [];
    for (let step = 0; step < 2000; step++) {
      const next = (step * 7 + (step >> 3)) % states.length;
      engine.apply(changes[state * states.length + next] ?? []);
      state = next;
      tops.push(engine.machine.imageTop(engine.image) >>> 0);
    }
    expect(Math.max(...tops.slice(200))).toBeLessThanOrEqual(Math.max(...tops.slice(0, 200)));
    engine.apply(changes[state * states.length] ?? []);
    const fresh = await load(states[0] as Ruleset);
    expect(engine.octets().rules).toBeLessThan(2 * fresh.octets().rules + 8192);
    expect(engine.octets().servers).toBeLessThan(fresh.octets().servers + 8192);
    expect(engine.numbering.chains.length).toBeLessThan(200);
    expect(engine.numbering.hops.length).toBeLessThan(100);
  });
});
