import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Compilation } from "../src/compilation.js";
import { compile } from "../src/compile.js";
import { InputError } from "../src/diagnostics.js";
import type { ClusterChange } from "../src/model/change.js";
import type { Cluster } from "../src/model/cluster.js";
import type { EndpointSlice } from "../src/model/endpointslice.js";
import { compareIp } from "../src/net/ip.js";
import { applyChange } from "../src/ruleset/apply.js";
import type { RulesetChange } from "../src/ruleset/change.js";
import type { Ruleset } from "../src/ruleset/ruleset.js";
import { canonical } from "./canonical.js";
import { drawnChanges, EMPTY, EVENTFUL } from "./drawn-changes.js";
import { changeCluster } from "./oracle/cluster-change.js";
import { clusterOf } from "./proxy/cluster-of.js";
import { Tally } from "./tally.js";

const MODES = ["iptables", "ipvs", "nftables"] as const;

/** The cluster after a change; undefined where the change is refused. */
function changed(cluster: Cluster, change: ClusterChange): Cluster | undefined {
  try {
    return changeCluster(cluster, change);
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return undefined;
  }
}

/** Real servers of IPVS stand in the order in which they came: in one order here. */
function unordered(ruleset: Ruleset): Ruleset {
  const { ipvs } = ruleset;
  if (ipvs === undefined) return ruleset;
  const servers = ipvs.servers.map((virtual) => {
    const sorted = [...virtual.servers].sort((a, b) => compareIp(a.address, b.address) || a.port - b.port);
    return { ...virtual, servers: sorted };
  });
  return { ...ruleset, names: ruleset.names, ipvs: { ...ipvs, servers } };
}

/** What every mode must tell at some time, and what only one can. */
const SEEN: Readonly<Record<(typeof MODES)[number], readonly string[]>> = {
  iptables: ["chain-set", "chain-removed", "rules-spliced"],
  ipvs: ["chain-set", "rules-spliced", "ipset-added", "ipset-removed", "server-set", "server-removed"].concat(
    ["address-added", "address-removed", "diagnostic-added", "diagnostic-removed"],
  ),
  nftables: ["nft-chain-set", "nft-chain-removed", "nft-element-set", "nft-element-removed"].concat([
    "nft-address-added",
    "nft-address-removed",
    "nft-set-set",
    "nft-set-removed",
    "diagnostic-added",
    "diagnostic-removed",
  ]),
};
const SEEN_BY_ALL = ["neighbour-set", "neighbour-removed", "name-set"];

describe("Compilation", () => {
  it.each(MODES)("in mode %s tells what leads from one cluster's ruleset to the next one's", (proxy) => {
    const seen = new Tally();
    let refused = 0;
    fc.assert(
      fc.property(fc.tuple(drawnChanges, drawnChanges), ([first, second]) => {
        let cluster = first.reduce((made, change) => changed(made, change) ?? made, EMPTY);
        const compilation = new Compilation(cluster, { proxy });
        let ruleset = compile(cluster, { proxy });
        for (const change of second) {
          const next = changed(cluster, change);
          if (next === undefined) {
            expect(() => compilation.apply(change)).toThrow("is not there, so it cannot be deleted");
            refused += 1;
            continue;
          }
          const steps = [...compilation.apply(change), ...compilation.terminate(() => [])];
          for (const { kind } of steps) seen.count(kind);
          const expected = compile(next, { proxy });
          ruleset = applyChange(ruleset, steps);
          expect(canonical(unordered(ruleset))).toEqual(canonical(unordered(expected)));
          expect(unordered(compilation.ruleset)).toEqual(unordered(expected));
          cluster = next;
        }
      }),
      { numRuns: 150, examples: [[[[], EVENTFUL]]] },
    );
    seen.expectEach([...SEEN[proxy], ...SEEN_BY_ALL]);
    expect(seen.names).toHaveLength(SEEN[proxy].length + SEEN_BY_ALL.length);
    expect(refused).toBeGreaterThan(10);
  });
});

function sliceOf(count: number): EndpointSlice {
  const texts = Array.from({ length: count }, (_, index) => {
    return `10.244.2.${index % 250}@worker-2`.replace("2.", `${2 + Math.floor(index / 250)}.`);
  });
  const [slice] = clusterOf()
    .slice("shop/web", "http:8080", ...texts)
    .build().endpointSlices;
  return { ...(slice as EndpointSlice), name: "web-1" };
}

const SHOP = clusterOf()
  .service("shop/db", { clusterIPs: "10.96.0.2", ports: "http:80" })
  .slice("shop/db", "http:8080", "10.244.1.9@worker-1")
  .service("shop/web", { clusterIPs: "10.96.0.1", ports: "http:80", externalIPs: "192.0.2.1" })
  .build();

const kindsOf = (change: RulesetChange) => change.map(({ kind }) => kind).sort();

describe("a change's size", () => {
  it("is that of the Service: an endpoint more leaves the others' chains alone", () => {
    const texts = Array.from({ length: 50 }, (_, index) => `10.244.2.${index + 1}@worker-2`);
    const many = clusterOf();
    for (let index = 0; index < 40; index += 1) {
      many.service(`shop/s${index}`, { clusterIPs: `10.96.1.${index}`, ports: "http:80" });
      many.slice(`shop/s${index}`, "http:8080", ...texts);
    }
    const cluster = many.build();
    const slice = cluster.endpointSlices[7] as EndpointSlice;
    const endpointSlice = { ...slice, endpoints: slice.endpoints.slice(1) };
    const sizes = MODES.map((proxy) => {
      return kindsOf(new Compilation(cluster, { proxy }).apply({ kind: "endpointslice-set", endpointSlice }));
    });
    expect(sizes).toEqual([
      ["chain-removed", "chain-set"],
      ["server-set"],
      ["nft-chain-removed", "nft-chain-set"],
    ]);
  });

  it("is nothing where nothing changes", () => {
    for (const proxy of MODES) {
      const compilation = new Compilation(SHOP, { proxy });
      const [service] = SHOP.services;
      const [endpointSlice] = SHOP.endpointSlices;
      if (service === undefined || endpointSlice === undefined) throw new Error("no objects");
      expect(compilation.apply({ kind: "service-set", service: { ...service } })).toEqual([]);
      expect(compilation.apply({ kind: "endpointslice-set", endpointSlice })).toEqual([]);
    }
  });

  it("is that of the cluster where it becomes a large one or ceases to be: comments go and come", () => {
    let ruleset = compile(SHOP);
    let cluster: Cluster = SHOP;
    const compilation = new Compilation(SHOP);
    for (const count of [999, 1000, 1001, 999, 0]) {
      const change = { kind: "endpointslice-set", endpointSlice: sliceOf(count) } as const;
      cluster = changeCluster(cluster, change);
      ruleset = applyChange(ruleset, compilation.apply(change));
      expect(canonical(ruleset)).toEqual(canonical(compile(cluster)));
    }
  });
});

describe("claims", () => {
  it("pass to the next Service when the first one leaves", () => {
    const cluster = clusterOf();
    for (const [index, name] of ["a/x", "b/x", "c/x"].entries()) {
      cluster.service(name, {
        clusterIPs: `10.96.0.${1 + index}`,
        externalIPs: "192.0.2.1",
        ports: "http:80",
      });
    }
    const compilation = new Compilation(cluster.build(), { proxy: "ipvs" });
    const steps = compilation.apply({ kind: "service-deleted", namespace: "a", name: "x" });
    const servers = steps.flatMap((step) => (step.kind === "server-set" ? [step.server.origin] : []));
    expect(servers).toEqual(["b/x:http"]);
    const told = steps.flatMap((step) =>
      step.kind === "diagnostic-added" || step.kind === "diagnostic-removed"
        ? [`${step.kind} ${step.diagnostic.place.object}`]
        : [],
    );
    expect(told.sort()).toEqual([
      "diagnostic-added Service c/x",
      "diagnostic-removed Service b/x",
      "diagnostic-removed Service c/x",
    ]);
  });
});
