import { describe, expect, it } from "vitest";
import type { Cluster } from "../../src/model/cluster.js";
import { compileIptables, type IptablesOptions } from "../../src/proxy/iptables.js";
import type { Iptables } from "../../src/ruleset/iptables.js";
import { parseIptables, printIptables } from "../../src/ruleset/iptables-text.js";
import { clusterOf, ip, nodeOf, prefix, type ServiceFields } from "../proxy/cluster-of.js";
import { cannotRun, inNamespace } from "./namespace.js";

const TWO = ["10.244.1.9@worker-1", "10.244.2.9@worker-2"];
const REMOTE = ["10.244.2.9@worker-2"];
const MANY = Array.from({ length: 70 }, (_, index) => `10.244.2.${index + 1}@worker-2`);

/** The same endpoints by their IPv6 addresses. */
const six = (endpoints: readonly string[]) => endpoints.map((text) => `fd00::${text}`);

const VARIED = varied();

/** A Service of every kind that makes rules of its own, in both families. */
function varied(): Cluster {
  const cluster = clusterOf()
    .clusterCIDRs("10.244.0.0/16 fd00::10.244.0.0/112")
    .node("dual", "172.18.0.9 fd00:18::9", "10.244.9.0/24 fd00::10.244.9.0/120");
  const served = (name: string, fields: ServiceFields, port: string, endpoints: readonly string[]) => {
    cluster.service(`shop/${name}`, fields).slice(`shop/${name}`, port, ...endpoints);
    cluster.slice(`shop/${name}`, port, ...six(endpoints));
  };
  served("web", { clusterIPs: "10.96.0.41 fd00:96::41", ports: "http:80" }, "http:8080", MANY);
  const dns = { clusterIPs: "10.96.0.10 fd00:96::10", ports: "dns:53/UDP sctp:80/SCTP" };
  served("dns", dns, "dns:53/UDP", TWO);
  cluster.slice("shop/dns", "sctp:80/SCTP", ...TWO).slice("shop/dns", "sctp:80/SCTP", ...six(TWO));
  const nodePort = { clusterIPs: "10.96.0.43 fd00:96::43", type: "NodePort", ports: ":80>30080" } as const;
  served("node-port", nodePort, ":8080", TWO);
  const lb: ServiceFields = {
    clusterIPs: "10.96.0.44 fd00:96::44",
    type: "LoadBalancer",
    ports: "http:80>30081",
    externalTrafficPolicy: "Local",
    externalIPs: "192.0.2.7 192.0.2.8 2001:db8::7",
    ingress: "198.51.100.1 2001:db8:100::1",
    sourceRanges: "203.0.113.0/25 172.18.0.0/16 0.0.0.0/0 2001:db8:113::/48 fd00:18::/64 ::/0",
    healthCheckNodePort: 32000,
  };
  served("lb", lb, "http:8080", REMOTE);
  const local: ServiceFields = {
    clusterIPs: "10.96.0.45 fd00:96::45",
    externalIPs: "192.0.2.9 2001:db8::9",
    ports: ":80",
    externalTrafficPolicy: "Local",
    affinitySeconds: 600,
  };
  served("local", local, ":8080", TWO);
  cluster.service("shop/empty", {
    ...nodePort,
    clusterIPs: "10.96.0.46 fd00:96::46",
    ports: "http:80>30082",
  });
  const inside: ServiceFields = {
    ...local,
    clusterIPs: "10.96.0.47 fd00:96::47",
    internalTrafficPolicy: "Local",
  };
  served("inside", { ...inside, externalIPs: "", affinitySeconds: 86400 }, ":8080", REMOTE);
  return cluster.build();
}

/** The tables in the order of their names: the tools list them in the order of their first use. */
function byTable(iptables: Iptables): string {
  const tables = [...iptables.tables].sort((a, b) => (a.name < b.name ? -1 : 1));
  return printIptables({ ...iptables, tables });
}

/** The kernel's listing, without what no other kernel would list. */
function withoutRemarks(listing: string): string {
  return listing
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .join("\n")
    .replace(/\[\d+:\d+\]/g, "[0:0]");
}

/** One table's part of a listing. */
function tableOf(listing: string, name: string): string {
  return new RegExp(`^\\*${name}\n[^]*?\nCOMMIT\n`, "m").exec(listing)?.[0] ?? "";
}

const OPTIONS: readonly IptablesOptions[] = [
  {},
  {
    masqueradeAll: true,
    nodePortAddresses: ["127.0.0.0/8", "172.18.0.0/16", "fd00:18::/64"].map(prefix),
    nodeAddresses: ["172.18.0.9", "fd00:18::9"].map(ip),
  },
  { detectLocal: "none", localhostNodePorts: false, masqueradeBit: 31 },
  { detectLocal: { interfaceNamePrefix: "veth" }, conntrackTcpBeLiberal: true, masqueradeBit: 0 },
  { detectLocal: { bridgeInterface: "cbr0" } },
];

describe.each([
  ["iptables-legacy", 4],
  ["iptables-nft", 4],
  ["ip6tables-legacy", 6],
  ["ip6tables-nft", 6],
] as const)("a real kernel's %s", (tool, family) => {
  const obstacle = cannotRun(`${tool}-save && echo '*nat\nCOMMIT' | ${tool}-restore`);
  const title = (text: string) => (obstacle === undefined ? text : `${text} (${obstacle})`);

  it.skipIf(obstacle !== undefined).each(OPTIONS)(
    title("loads what is printed and lists it octet for octet: %o"),
    (options) => {
      const node = nodeOf(VARIED, "dual");
      const { iptables } = compileIptables(VARIED, node, { ...options, family });
      const text = printIptables(iptables);
      const listed = withoutRemarks(inNamespace(`${tool}-restore && ${tool}-save`, text));
      for (const { name } of iptables.tables) expect(tableOf(listed, name)).toBe(tableOf(text, name));
      expect(byTable(parseIptables(listed, "kernel", family))).toBe(byTable(iptables));
    },
  );

  it.skipIf(obstacle !== undefined)(title("rounds probabilities as threshold and print do"), () => {
    const sizes = [2, 3, 7, 49, 1000, 2048, 4096, 99999, 100001];
    const rules = sizes.map(
      (n) => `-A A -m statistic --mode random --probability ${(1 / n).toFixed(10)} -j RETURN\n`,
    );
    const listed = withoutRemarks(
      inNamespace(`${tool}-restore && ${tool}-save -t nat`, `*nat\n:A - [0:0]\n${rules.join("")}COMMIT\n`),
    );
    const read = parseIptables(listed, "kernel", family);
    expect(printIptables(read)).toBe(listed);
    const thresholds = read.tables[0]?.chains
      .flatMap((chain) => chain.rules)
      .flatMap(({ matches }) => matches);
    expect(thresholds).toEqual(
      sizes.map((n) => ({ kind: "statistic", threshold: Math.round(Number((1 / n).toFixed(10)) * 2 ** 31) })),
    );
  });
});
