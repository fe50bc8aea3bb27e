import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Compilation } from "../../src/compilation.js";
import { compile } from "../../src/compile.js";
import { Engine } from "../../src/engine/engine.js";
import type { ClusterChange } from "../../src/model/change.js";
import type { Cluster } from "../../src/model/cluster.js";
import { printHostPort } from "../../src/net/port.js";
import { tcp } from "../../src/packet/build.js";
import { applyChange } from "../../src/ruleset/apply.js";
import type { RulesetChange } from "../../src/ruleset/change.js";
import { type RealServer, serviceName } from "../../src/ruleset/ipvs.js";
import type { Ruleset } from "../../src/ruleset/ruleset.js";
import type { CountersOf } from "../../src/ruleset/server-counters.js";
import { canonical } from "../canonical.js";
import { changeCluster } from "../oracle/cluster-change.js";
import { GracefulNode } from "../oracle/graceful.js";
import { Tally } from "../tally.js";
import { clusterOf } from "./cluster-of.js";

const IPVS = { proxy: "ipvs" } as const;

const realName = ({ address, port }: Pick<RealServer, "address" | "port">) => printHostPort(address, port);

/** Every virtual server's real ones, with those of weight 0 marked. */
function listing({ ipvs }: Ruleset): Record<string, readonly string[]> {
  return Object.fromEntries(
    (ipvs?.servers ?? []).map((virtual) => [
      serviceName(virtual),
      virtual.servers.map(
        (real) => `${realName(real)}${real.weight === 0 ? ` 0 of ${real.lastWeight}` : ""}`,
      ),
    ]),
  );
}

/** The Service with endpoints of these numbers; a Service without any is not there. */
function clusterWith(numbers: readonly number[] | undefined): Cluster {
  const cluster = clusterOf();
  if (numbers === undefined) return cluster.build();
  const endpoints = numbers.map(
    (number) => `10.244.${1 + (number % 2)}.${2 + number}@worker-${1 + (number % 2)}`,
  );
  const built = cluster
    .service("shop/web", {
      clusterIPs: "10.96.0.1",
      ports: "web:80>30080 dns:53/UDP sig:90/SCTP",
      externalIPs: "192.0.2.1",
      type: "NodePort",
    })
    .slice("shop/web", "web:8080", ...endpoints)
    .build();
  const ports = [
    { name: "web", protocol: "TCP", port: 8080 },
    { name: "dns", protocol: "UDP", port: 53 },
    { name: "sig", protocol: "SCTP", port: 90 },
  ] as const;
  return { ...built, endpointSlices: built.endpointSlices.map((slice) => ({ ...slice, ports })) };
}

/** What makes the first cluster of the second's objects. */
function changesTo({ services, endpointSlices }: Cluster, from: Cluster): ClusterChange[] {
  const [service] = services;
  const [endpointSlice] = endpointSlices;
  const [oldService] = from.services;
  const [oldSlice] = from.endpointSlices;
  return [
    ...(service === undefined || oldService !== undefined ? [] : [{ kind: "service-set" as const, service }]),
    ...(endpointSlice === undefined ? [] : [{ kind: "endpointslice-set" as const, endpointSlice }]),
    ...(service !== undefined || oldService === undefined
      ? []
      : [{ kind: "service-deleted" as const, namespace: oldService.namespace, name: oldService.name }]),
    ...(endpointSlice !== undefined || oldSlice === undefined
      ? []
      : [{ kind: "endpointslice-deleted" as const, namespace: oldSlice.namespace, name: oldSlice.name }]),
  ];
}

function wantedBy(cluster: Cluster): ReadonlyMap<string, readonly string[]> {
  const { ipvs } = compile(cluster, IPVS);
  return new Map(ipvs?.servers.map((virtual) => [serviceName(virtual), virtual.servers.map(realName)]));
}

/** Counters of which those that are busy have a connection, in either column. */
function countersOf(busy: ReadonlySet<string>): CountersOf {
  return (virtual) =>
    virtual.servers.map((real, index) => {
      const isBusy = busy.has(`${serviceName(virtual)} ${realName(real)}`);
      const { address, port } = real;
      return {
        address,
        port,
        active: isBusy && index % 2 === 0 ? 1 : 0,
        inactive: isBusy && index % 2 === 1 ? 3 : 0,
      };
    });
}

const drawnSteps = fc.array(
  fc.record({
    /** undefined: the Service is deleted. */
    endpoints: fc.option(fc.uniqueArray(fc.nat(5), { maxLength: 5 }), { nil: undefined, freq: 8 }),
    busySeed: fc.nat(1000),
    minutes: fc.boolean(),
  }),
  { minLength: 2, maxLength: 12 },
);

describe("graceful termination", () => {
  it("leaves of a kernel what kube-proxy does, as endpoints come and go under connections", () => {
    const seen = new Tally();
    fc.assert(
      fc.property(drawnSteps, (steps) => {
        let cluster = clusterWith([0, 1]);
        const compilation = new Compilation(cluster, IPVS);
        let ruleset = compilation.ruleset;
        const node = new GracefulNode();
        node.sync(wantedBy(cluster), new Set());
        const take = (change: RulesetChange) => {
          ruleset = applyChange(ruleset, change);
        };
        for (const { endpoints, busySeed, minutes } of steps) {
          const next = clusterWith(endpoints);
          // Those that left before are asked for but once a minute.
          const all = [...node.kernel].flatMap(([virtual, list]) =>
            list.map(({ name, weight }) => ({ name: `${virtual} ${name}`, isLeaving: weight === 0 })),
          );
          const drawn = (index: number) => ((busySeed >> (index % 10)) & 1) === 1;
          const busy = new Set(
            all.filter(({ isLeaving }, index) => isLeaving || drawn(index)).map(({ name }) => name),
          );
          for (const change of changesTo(next, cluster)) {
            take(compilation.apply(change));
            cluster = changeCluster(cluster, change);
          }
          take(compilation.terminate(countersOf(busy)));
          node.sync(wantedBy(cluster), busy);
          if (minutes) {
            const left = new Set([...busy].filter((_, index) => index % 3 === 0));
            const idle = compilation.terminate(countersOf(left));
            if (idle.length > 0) seen.count("settled");
            take(idle);
            node.flush(left);
          }
          const expected = Object.fromEntries(
            [...node.kernel].map(([virtual, list]) => [
              virtual,
              list.map(({ name, weight }) => (weight === 0 ? `${name} 0 of 1` : name)),
            ]),
          );
          for (const list of node.kernel.values())
            for (const { weight } of list) seen.count(weight === 0 ? "leaving" : "serving");
          expect(listing(compilation.ruleset)).toEqual(expected);
          expect(canonical(ruleset)).toEqual(canonical(compilation.ruleset));
        }
      }),
      { numRuns: 60 },
    );
    seen.expectEach(["settled", "leaving", "serving"]);
  });

  it("deletes an endpoint that returns before it adds it again, behind all others", () => {
    const [both, one] = [clusterWith([0, 1]), clusterWith([1])];
    const compilation = new Compilation(both, IPVS);
    const change = (cluster: Cluster) => changesTo(cluster, both).flatMap((each) => compilation.apply(each));
    const first = (steps: RulesetChange) =>
      steps.flatMap((step) => {
        if (step.kind !== "server-set" || serviceName(step.server) !== "TCP 10.96.0.1:80") return [];
        return [
          step.server.servers.map(({ port, ...real }) => `${realName({ ...real, port })} ${real.weight}`),
        ];
      });
    expect(first(change(one))).toEqual([["10.244.1.2:8080 0", "10.244.2.3:8080 1"]]);
    expect(first(change(both))).toEqual([["10.244.2.3:8080 1"], ["10.244.2.3:8080 1", "10.244.1.2:8080 1"]]);
  });

  it("asks nothing of virtual servers that nobody left, and nothing in other modes", () => {
    const compilation = new Compilation(clusterWith([0, 1]), IPVS);
    const asked: string[] = [];
    const note: CountersOf = (virtual) => {
      asked.push(serviceName(virtual));
      return [];
    };
    expect(compilation.terminate(note)).toEqual([]);
    for (const each of changesTo(clusterWith([1]), clusterWith([0, 1]))) compilation.apply(each);
    expect(compilation.terminate(note)).toHaveLength(5);
    expect(asked.sort()).toEqual(
      ["10.244.1.0:30080", "10.244.1.1:30080", "10.96.0.1:80", "172.18.0.2:30080", "192.0.2.1:80"].map(
        (name) => `TCP ${name}`,
      ),
    );
    expect(compilation.terminate(note)).toEqual([]);
    expect(new Compilation(clusterWith([0])).terminate(note)).toEqual([]);
  });

  it("lets connections of an endpoint that left go on, and gives it no new ones", async () => {
    const cluster = (second: string) =>
      clusterOf()
        .service("shop/web", { clusterIPs: "10.96.0.1", ports: "web:80" })
        .slice("shop/web", "web:8080", "10.244.1.9@worker-1", `10.244.1.10@worker-1${second}`)
        .build();
    const both = cluster("");
    const compilation = new Compilation(both, IPVS);
    const engine = await Engine.load(compilation.ruleset, { connections: 63 });
    const follow = (next: Cluster) => {
      for (const change of changesTo(next, both)) engine.apply(compilation.apply(change));
    };
    /** The last octet of the endpoint that a packet of a client's port goes to. */
    const send = (port: number, flags: string) => {
      const { frame, verdict } = engine.follow(tcp(`10.244.1.77:${port}`, "10.96.0.1:80", { flags }));
      return verdict === "FORWARD" ? frame[33] : verdict;
    };
    const begun = [1001, 1002].map((port) => send(port, "S"));
    expect([...begun].sort()).toEqual([10, 9]);
    for (const [index, end] of begun.entries())
      engine.follow(tcp(`10.244.1.${end}:8080`, `10.244.1.77:${1001 + index}`, { flags: "SA" }));
    follow(cluster(" !ready !serving terminating"));
    expect([1001, 1002].map((port) => send(port, "A"))).toEqual(begun);
    expect([1003, 1004, 1005].map((port) => send(port, "S"))).toEqual([9, 9, 9]);
    const terminated = compilation.terminate((virtual) =>
      virtual.servers.map(({ address, port }) => ({ address, port, active: 1, inactive: 0 })),
    );
    expect(terminated).toEqual([]);
    engine.apply(compilation.terminate(() => []));
    expect(engine.ruleset.ipvs?.servers[0]?.servers.map(({ weight }) => weight)).toEqual([1]);
    follow(both);
    expect(new Set([1006, 1007].map((port) => send(port, "S")))).toEqual(new Set([9, 10]));
  });
});
