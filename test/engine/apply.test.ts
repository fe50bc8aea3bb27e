import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { STATUS_OK } from "../../assembly/abi/image.js";
import { compile } from "../../src/compile.js";
import { Engine } from "../../src/engine/engine.js";
import { routedTo } from "../../src/engine/way-in.js";
import { printIp } from "../../src/net/ip.js";
import { icmpEcho, tcp, udp } from "../../src/packet/build.js";
import { applyChange } from "../../src/ruleset/apply.js";
import type { Ruleset } from "../../src/ruleset/ruleset.js";
import { as6, clusterFrom, MODES, mirrored, NODE_IP, POD, REMOTE_POD } from "../drawn-cluster.js";
import { changeBetween } from "../oracle/ruleset-diff.js";
import type { DrawnService } from "../oracle/services.js";
import { Tally } from "../tally.js";
import { ADDRESSES6, CONNECTIONS, course, load, networkSteps, SEED } from "./drawn-course.js";
import { sorted } from "./unordered.js";
import { WEB } from "./web.js";

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
  const ipvs = [CONNECTIONS, machine.imageDestinations(image) >>> 0, machine.imageCaches(image)] as const;
  const state = memory.take(machine.stateLength(CONNECTIONS, servers, 0, 0, ...ipvs) >>> 0);
  expect(machine.stateCreate(state, CONNECTIONS, servers, SEED, 0)).toBe(STATUS_OK);
  expect(machine.stateReach(state, servers, 0, ...ipvs)).toBe(STATUS_OK);
  return state;
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

describe("many changes", () => {
  it.each(MODES)("do not grow the image without bound: %s", async (mode) => {
    const service = (index: number): DrawnService => ({
      ...WEB,
      clusterIP: `10.96.0.${index + 10}`,
      externalIP: `203.0.113.${index + 10}`,
      vip: `192.0.2.${index + 10}`,
      nodePort: 30080 + index,
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
    // IPVS knows 1,024 real servers that left.
    expect(engine.octets().servers).toBeLessThan(fresh.octets().servers + 8192 + 2048 * 72);
    expect(engine.numbering.chains.length).toBeLessThan(200);
    expect(engine.numbering.hops.length).toBeLessThan(100);
  });
});
