import { describe, expect, it } from "vitest";
import { compileIptables } from "../../src/proxy/iptables.js";
import type { Iptables } from "../../src/ruleset/iptables.js";
import { parseIptables, printIptables } from "../../src/ruleset/iptables-text.js";
import { clusterOf, nodeOf, prefix } from "../proxy/cluster-of.js";
import { cannotRun, inNamespace } from "./namespace.js";

const TWO = ["10.244.1.9@worker-1", "10.244.2.9@worker-2"];
const REMOTE = ["10.244.2.9@worker-2"];
const MANY = Array.from({ length: 70 }, (_, index) => `10.244.2.${index + 1}@worker-2`);

/** A Service of every kind that makes rules of its own. */
const VARIED = clusterOf()
  .service("shop/web", { clusterIPs: "10.96.0.41", ports: "http:80" })
  .slice("shop/web", "http:8080", ...MANY)
  .service("shop/dns", { clusterIPs: "10.96.0.10", ports: "dns:53/UDP sctp:80/SCTP" })
  .slice("shop/dns", "dns:53/UDP", ...TWO)
  .slice("shop/dns", "sctp:80/SCTP", ...TWO)
  .service("shop/node-port", { clusterIPs: "10.96.0.43", type: "NodePort", ports: ":80>30080" })
  .slice("shop/node-port", ":8080", ...TWO)
  .service("shop/lb", {
    clusterIPs: "10.96.0.44",
    type: "LoadBalancer",
    ports: "http:80>30081",
    externalTrafficPolicy: "Local",
    externalIPs: "192.0.2.7 192.0.2.8",
    ingress: "198.51.100.1",
    sourceRanges: "203.0.113.0/25 172.18.0.0/16",
    healthCheckNodePort: 32000,
  })
  .slice("shop/lb", "http:8080", ...REMOTE)
  .service("shop/local", {
    clusterIPs: "10.96.0.45",
    externalIPs: "192.0.2.9",
    ports: ":80",
    externalTrafficPolicy: "Local",
  })
  .slice("shop/local", ":8080", ...TWO)
  .service("shop/empty", { clusterIPs: "10.96.0.46", type: "NodePort", ports: "http:80>30082" })
  .service("shop/inside", { clusterIPs: "10.96.0.47", ports: "http:80", internalTrafficPolicy: "Local" })
  .slice("shop/inside", "http:8080", ...REMOTE)
  .build();

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

const OPTIONS = [
  {},
  { masqueradeAll: true, nodePortAddresses: [prefix("127.0.0.0/8")] },
  { detectLocal: "none", localhostNodePorts: false },
] as const;

describe.each(["iptables-legacy", "iptables-nft"])("a real kernel's %s", (tool) => {
  const obstacle = cannotRun(`${tool}-save && echo '*nat\nCOMMIT' | ${tool}-restore`);
  const title = (text: string) => (obstacle === undefined ? text : `${text} (${obstacle})`);

  it.skipIf(obstacle !== undefined).each(OPTIONS)(
    title("loads what is printed and lists it octet for octet: %o"),
    (options) => {
      const { iptables } = compileIptables(VARIED, nodeOf(VARIED), options);
      const text = printIptables(iptables);
      const listed = withoutRemarks(inNamespace(`${tool}-restore && ${tool}-save`, text));
      for (const { name } of iptables.tables) expect(tableOf(listed, name)).toBe(tableOf(text, name));
      expect(byTable(parseIptables(listed, "kernel"))).toBe(byTable(iptables));
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
    const read = parseIptables(listed, "kernel");
    expect(printIptables(read)).toBe(listed);
    const thresholds = read.tables[0]?.chains
      .flatMap((chain) => chain.rules)
      .flatMap(({ matches }) => matches);
    expect(thresholds).toEqual(
      sizes.map((n) => ({ kind: "statistic", threshold: Math.round(Number((1 / n).toFixed(10)) * 2 ** 31) })),
    );
  });
});
