import type { Cluster, Engine, ProxyMode, Ruleset, TableOctets } from "../index.js";

/** What a compiled node holds, in numbers. */
export interface Summary {
  readonly node: string;
  readonly mode: ProxyMode;
  readonly cluster: {
    readonly nodes: number;
    readonly pods: number;
    readonly services: number;
    readonly endpointSlices: number;
  };
  readonly interfaces: readonly string[];
  readonly routes: number;
  readonly neighbours: number;
  readonly chains: number;
  readonly rules: number;
  /** Sets and maps, and what is in them. */
  readonly sets: number;
  readonly elements: number;
  readonly virtualServers: number;
  readonly realServers: number;
  readonly octets: TableOctets;
  readonly compileMs: number;
  readonly loadMs: number;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function ruleCounts({ iptables, nftables }: Ruleset): Pick<Summary, "chains" | "rules"> {
  const chains = [...(iptables?.tables ?? []).flatMap((table) => table.chains), ...(nftables?.chains ?? [])];
  return { chains: chains.length, rules: sum(chains.map(({ rules }) => rules.length)) };
}

function setCounts({ ipsets = [], nftables }: Ruleset): Pick<Summary, "sets" | "elements"> {
  const sizes = [
    ...ipsets.map(({ entries }) => entries.length),
    ...(nftables?.sets ?? []).map(({ addresses }) => addresses.length),
    ...(nftables?.maps ?? []).map(({ elements }) => elements.length),
  ];
  return { sets: sizes.length, elements: sum(sizes) };
}

/** Counts what a ruleset holds and what it takes in the machine. Times are in milliseconds. */
export function summarize(
  cluster: Cluster,
  engine: Engine,
  times: Pick<Summary, "compileMs" | "loadMs">,
): Summary {
  const { ruleset } = engine;
  const servers = ruleset.ipvs?.servers ?? [];
  return {
    node: ruleset.node,
    mode: ruleset.proxy,
    cluster: {
      nodes: cluster.nodes.length,
      pods: cluster.pods.length,
      services: cluster.services.length,
      endpointSlices: cluster.endpointSlices.length,
    },
    interfaces: ruleset.interfaces.map(({ name }) => name),
    routes: ruleset.routes.length,
    neighbours: ruleset.neighbours.length,
    ...ruleCounts(ruleset),
    ...setCounts(ruleset),
    virtualServers: servers.length,
    realServers: sum(servers.map((server) => server.servers.length)),
    octets: engine.octets(),
    ...times,
  };
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}

/** `node` of `nodes`; what is counted is written in the plural. */
function singular(what: string): string {
  return what === "sets and maps" ? "set or map" : what.replace(/s$/, "");
}

function printCounts(counts: readonly (readonly [number, string])[]): string {
  return counts
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${grouped(count)} ${count === 1 ? singular(what) : what}`)
    .join(", ");
}

/** A line a fact; what a mode does not have is left out. */
export function printSummary(summary: Summary): string {
  const { cluster, octets } = summary;
  const rows: readonly (readonly [string, string])[] = [
    ["node", summary.node],
    ["mode", summary.mode],
    [
      "cluster",
      printCounts([
        [cluster.nodes, "nodes"],
        [cluster.pods, "pods"],
        [cluster.services, "services"],
        [cluster.endpointSlices, "endpoint slices"],
      ]),
    ],
    ["interfaces", summary.interfaces.join(", ")],
    [
      "routing",
      printCounts([
        [summary.routes, "routes"],
        [summary.neighbours, "neighbours"],
      ]),
    ],
    [
      "rules",
      printCounts([
        [summary.rules, "rules"],
        [summary.chains, "chains"],
      ]),
    ],
    [
      "sets",
      printCounts([
        [summary.sets, summary.mode === "nftables" ? "sets and maps" : "sets"],
        [summary.elements, "elements"],
      ]),
    ],
    [
      "ipvs",
      printCounts([
        [summary.virtualServers, "virtual servers"],
        [summary.realServers, "real servers"],
      ]),
    ],
    [
      "octets",
      printCounts([
        [octets.routes, "routes"],
        [octets.rules, "rules"],
        [octets.maps, "sets and maps"],
        [octets.servers, "servers"],
      ]),
    ],
    ["time", `compiled in ${summary.compileMs.toFixed(1)} ms, loaded in ${summary.loadMs.toFixed(1)} ms`],
  ];
  return rows
    .filter(([, text]) => text !== "")
    .map(([name, text]) => `${name.padEnd(10)} ${text}\n`)
    .join("");
}
