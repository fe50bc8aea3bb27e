import { describe, expect, it } from "vitest";
import type { CompileOptions } from "../../src/compile.js";
import type { DifferenceGroup } from "../../src/diff/difference.js";
import type { Topic } from "../../src/diff/topic.js";
import type { ProxyMode } from "../../src/ruleset/ruleset.js";
import { clusterOf } from "../proxy/cluster-of.js";
import { groupsOf } from "./ask.js";
import { rowsCluster } from "./rows-cluster.js";

const UNTOUCHED = "passes, its destination untouched";
const REFUSED = "is rejected (ICMP port unreachable)";
const REFUSED_BY_IPVS = "is rejected (ICMP port unreachable: no endpoints)";
const DROPPED = "is dropped";
const NODE = "reaches the node itself";
const NAMED = `${NODE}, accepted by name`;
const ENDPOINT = "goes to an endpoint";
const MASQUERADED = `${ENDPOINT}, masqueraded`;
const FORGETTING = `${MASQUERADED}; the client is remembered for 600 s from its latest new connection`;
const CHOSEN = `${ENDPOINT}, by the scheduler's choice`;
const MASQUERADED_CHOSEN = `${MASQUERADED}, by the scheduler's choice`;

/** A row of the table of modes: the Service that shows it, and what it makes of the modes' packets. */
interface Row {
  readonly topic: Topic;
  /** The one that shows it; absent for an address of no Service. */
  readonly service?: string;
  readonly words: Readonly<Record<ProxyMode, string>>;
}

const ROWS: readonly (readonly [string, Row])[] = [
  [
    "unknown port of a ClusterIP",
    {
      topic: "unknown-port",
      service: "shop/plain",
      words: { iptables: UNTOUCHED, nftables: REFUSED, ipvs: REFUSED },
    },
  ],
  [
    "unallocated ClusterIP",
    { topic: "unallocated-cluster-ip", words: { iptables: UNTOUCHED, nftables: DROPPED, ipvs: UNTOUCHED } },
  ],
  [
    "no endpoints",
    {
      topic: "no-endpoints",
      service: "shop/empty",
      words: { iptables: REFUSED, nftables: REFUSED, ipvs: REFUSED_BY_IPVS },
    },
  ],
  [
    "externalTrafficPolicy Local, none local, outsider",
    {
      topic: "local-policy-outside",
      service: "shop/remote",
      words: { iptables: DROPPED, nftables: DROPPED, ipvs: CHOSEN },
    },
  ],
  [
    "Pod to a load balancer's address, externalTrafficPolicy Local",
    {
      topic: "local-policy-pod",
      service: "shop/local",
      words: { iptables: ENDPOINT, nftables: ENDPOINT, ipvs: CHOSEN },
    },
  ],
  [
    "source ranges, no endpoints",
    {
      topic: "source-ranges-no-endpoints",
      service: "shop/guarded",
      words: { iptables: REFUSED, nftables: DROPPED, ipvs: DROPPED },
    },
  ],
  [
    "nodePort addresses",
    {
      topic: "node-port-addresses",
      service: "shop/sticky",
      words: { iptables: MASQUERADED, nftables: NODE, ipvs: MASQUERADED_CHOSEN },
    },
  ],
  [
    "nodePort on 127.0.0.1",
    {
      topic: "node-port-localhost",
      service: "shop/sticky",
      words: { iptables: MASQUERADED, nftables: NODE, ipvs: NODE },
    },
  ],
  [
    "healthCheckNodePort's accept rule",
    {
      topic: "health-check-node-port",
      service: "shop/local",
      words: { iptables: NAMED, nftables: NODE, ipvs: NAMED },
    },
  ],
  [
    "affinity's scope",
    {
      topic: "affinity-scope",
      service: "shop/sticky",
      words: { iptables: MASQUERADED, nftables: MASQUERADED, ipvs: MASQUERADED_CHOSEN },
    },
  ],
  [
    "affinity's refresh",
    {
      topic: "affinity-refresh",
      service: "shop/sticky",
      words: {
        iptables: FORGETTING,
        nftables: FORGETTING,
        ipvs: `${FORGETTING}, and while one of its connections lives`,
      },
    },
  ],
  [
    "choice",
    {
      topic: "choice",
      service: "shop/plain",
      words: { iptables: ENDPOINT, nftables: ENDPOINT, ipvs: CHOSEN },
    },
  ],
  [
    // Without filter's KUBE-IPVS-FILTER the node itself would answer in mode ipvs.
    "ping to a ClusterIP",
    {
      topic: "ping",
      service: "shop/plain",
      words: { iptables: UNTOUCHED, nftables: REFUSED, ipvs: REFUSED },
    },
  ],
  [
    "packet out of state to a Service",
    {
      topic: "out-of-state",
      service: "shop/plain",
      words: { iptables: DROPPED, nftables: UNTOUCHED, ipvs: NODE },
    },
  ],
  [
    "node to an external address, externalTrafficPolicy Local, none local",
    {
      topic: "local-policy-node",
      service: "shop/remote",
      words: { iptables: MASQUERADED, nftables: MASQUERADED, ipvs: CHOSEN },
    },
  ],
];

const PAIRS = [
  ["iptables", "nftables"],
  ["iptables", "ipvs"],
  ["nftables", "ipvs"],
] as const;

/** Pings of ClusterIPs are treated alike in both. */
function isLike({ words, topic }: Row, a: ProxyMode, b: ProxyMode): boolean {
  return words[a] === words[b] || (topic === "node-port-addresses" && a === "iptables" && b === "ipvs");
}

const shows =
  ({ topic, service, words }: Row, a: ProxyMode, b: ProxyMode) =>
  (group: DifferenceGroup) => {
    const isOf = service === undefined ? group.services.length === 0 : group.services.includes(service);
    return group.topic === topic && isOf && group.a === words[a] && group.b === words[b];
  };

describe.each(PAIRS)("the difference of modes %s and %s", (a, b) => {
  const found = groupsOf(rowsCluster(), [{ proxy: a }, { proxy: b }], { allPackets: true });

  it.each(ROWS)("finds by itself: %s", async (_, row) => {
    const showing = (await found).filter(shows(row, a, b));
    expect(showing).toHaveLength(isLike(row, a, b) ? 0 : 1);
  });

  it("is about nothing that the modes do not differ in", async () => {
    const known = new Set(ROWS.map(([, { topic }]) => topic));
    expect((await found).filter(({ topic }) => !known.has(topic))).toEqual([]);
  });
});

describe("the difference of versions", () => {
  const versions = (a: "1.33" | "1.34", b: "1.34" | "1.35", proxy: ProxyMode) =>
    [
      { proxy, kubernetesVersion: a },
      { proxy, kubernetesVersion: b },
    ] as const satisfies readonly CompileOptions[];

  it("is in mode nftables what the node asks of external addresses: the old layout judges it before DNAT", async () => {
    const groups = await groupsOf(rowsCluster(), versions("1.33", "1.34", "nftables"));
    expect(groups.map(({ topic, a, b, services }) => [topic, a, b, services])).toEqual([
      ["local-policy-node", DROPPED, MASQUERADED, ["shop/remote"]],
      // There it asks for endpoints first, and then for source ranges.
      ["source-ranges-no-endpoints", REFUSED, DROPPED, ["shop/guarded"]],
    ]);
    expect(groups[0]?.example).toMatchObject({ from: "172.18.0.2:41000", to: "203.0.113.12:80" });
  });

  it("is nothing where no behaviour changed", async () => {
    expect(await groupsOf(rowsCluster(), versions("1.34", "1.35", "nftables"))).toEqual([]);
    expect(await groupsOf(rowsCluster(), versions("1.33", "1.35", "iptables"))).toEqual([]);
  });
});

it("a cluster that shows no row shows no difference of iptables and nftables but those of every ClusterIP", async () => {
  const cluster = clusterOf()
    .service("shop/plain", { clusterIPs: "10.96.0.10", ports: "http:80" })
    .slice("shop/plain", "http:8080", "10.244.1.10@worker-1", "10.244.2.10@worker-2")
    .build();
  const groups = await groupsOf(cluster, [{ proxy: "iptables" }, { proxy: "nftables" }]);
  expect(groups.map(({ topic }) => topic)).toEqual(["unknown-port", "unallocated-cluster-ip", "ping"]);
});
