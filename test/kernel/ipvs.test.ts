import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import type { Family } from "../../src/net/ip.js";
import { type CompiledIpvs, compileIpvs, type IpvsOptions } from "../../src/proxy/ipvs.js";
import { type IpSet, parseIpSets, printIpSets } from "../../src/ruleset/ipset.js";
import { parseIptables, printIptables } from "../../src/ruleset/iptables-text.js";
import type { Ipvs } from "../../src/ruleset/ipvs.js";
import { parseIpvs, printIpvs } from "../../src/ruleset/ipvs-save.js";
import { type ClusterBuilder, dualClusterOf, ip, nodeOf } from "../proxy/cluster-of.js";
import { runInUml } from "./judge/user-mode-linux.js";
import { cannotRun, inNamespace } from "./namespace.js";

const TWO = ["10.244.8.9@dual-1", "10.244.9.9@dual-2"];
const TWO6 = ["fd00:244:0:8::9@dual-1", "fd00:244:0:9::9@dual-2"];

/** A Service of every kind that makes rules, sets or virtual servers of its own, of both families. */
function varied(): ClusterBuilder {
  const cluster = dualClusterOf()
    .service("shop/web", {
      clusterIPs: "10.96.0.41 fd00:96::41",
      ports: "a:80>30080 b:80/UDP>30081 c:80/SCTP>30082",
      type: "LoadBalancer",
      externalIPs: "192.0.2.1 2001:db8::1",
      ingress: "198.51.100.1 2001:db8:100::1",
      sourceRanges: "203.0.113.0/25 172.18.0.0/16 192.0.2.7/32 2001:db8:113::/48 fd00:18::/64 fd00:7::7/128",
    })
    .service("shop/local", {
      clusterIPs: "10.96.0.42 fd00:96::42",
      ports: "a:80>30090 b:80/UDP>30091 c:80/SCTP>30092",
      type: "LoadBalancer",
      externalTrafficPolicy: "Local",
      healthCheckNodePort: 32000,
      externalIPs: "192.0.2.2 2001:db8::2",
      ingress: "198.51.100.2 2001:db8:100::2",
      affinitySeconds: 10800,
    });
  for (const name of ["shop/web", "shop/local"]) {
    for (const port of ["a:8080", "b:8080/UDP", "c:8080/SCTP"]) {
      cluster.slice(name, port, ...TWO).slice(name, port, ...TWO6);
    }
  }
  return cluster;
}

/** With load balancers that the node itself may not reach. */
function guarded(): ClusterBuilder {
  return varied().service("shop/guarded", {
    clusterIPs: "10.96.0.43 fd00:96::43",
    ports: "a:80 b:80/UDP c:80/SCTP",
    type: "LoadBalancer",
    ingress: "198.51.100.3 198.51.100.4 2001:db8:100::3",
    sourceRanges: "203.0.113.0/25 2001:db8:113::/48",
  });
}

function compiled(cluster: ClusterBuilder, family: Family, options: Partial<IpvsOptions>): CompiledIpvs {
  const built = cluster.build();
  const nodeAddresses = ["172.18.0.8", "10.244.8.1", "fd00:18::8", "fe80::8", "fd00:244:0:8::1"].map(ip);
  return compileIpvs(built, nodeOf(built, "dual-1"), { nodeAddresses, family, ...options });
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? `${part}n` : part));
}

function sorted<T>(items: readonly T[]): readonly T[] {
  return [...items].sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
}

/** Sets and their elements in one order. */
const plainSets = (sets: readonly IpSet[]) =>
  sorted(sets.map((set) => ({ ...set, entries: sorted(set.entries) })));

/** Virtual servers in one order, as the tool knows them. */
const plainServers = ({ servers }: Ipvs) =>
  sorted(servers.map((server) => ({ ...server, servers: sorted(server.servers), origin: "" })));

const rulesOf = (listing: string) => listing.split("\n").filter((line) => line.startsWith("-A"));

const CASES: readonly [string, Partial<IpvsOptions>][] = [
  ["as kube-proxy makes it", {}],
  ["with masqueradeAll", { masqueradeAll: true, scheduler: "mh" }],
  ["without a detector", { detectLocal: "none", scheduler: "wrr", masqueradeBit: 15 }],
  ["with a bridge's Pods", { detectLocal: { bridgeInterface: "cni0" }, scheduler: "sh" }],
];

const TOOLS = ["iptables-legacy", "iptables-nft"] as const;

/** A namespace that has the sets, which it shows. */
function withSets({ ipsets }: CompiledIpvs, script: string): string {
  return `cat <<'SETS' | ipset restore\n${printIpSets(ipsets)}SETS\n${script}`;
}

describe.each(TOOLS)("a real kernel's ipset and %s", (tool) => {
  const obstacle = cannotRun(
    `ipset create A hash:ip && ${tool} -A INPUT -m set --match-set A src -m physdev --physdev-is-in`,
  );
  const both = CASES.flatMap(([name, options]) =>
    ([4, 6] as const).map((family) => [`${name}, IPv${family}`, family, options] as const),
  );

  it.skipIf(obstacle !== undefined).each(both)("%s: list what was printed", (_, family, options) => {
    const made = compiled(varied(), family, options);
    const own = family === 4 ? tool : tool.replace("ip", "ip6");
    const script = withSets(made, `${own}-restore && ${own}-save && echo = && ipset save`);
    const [rules = "", sets = ""] = inNamespace(script, printIptables(made.iptables)).split("=\n");
    expect(plainSets(parseIpSets(sets, "ipset save"))).toEqual(plainSets(made.ipsets));
    expect(sorted(rulesOf(rules))).toEqual(sorted(rulesOf(printIptables(made.iptables))));
    const read = printIptables(parseIptables(rules, "iptables-save", family));
    expect(sorted(rulesOf(read))).toEqual(sorted(rulesOf(rules)));
  });
});

/** What tools of one namespace of another kernel list of both families. */
function listingScript(folder: string, [four, six]: readonly [CompiledIpvs, CompiledIpvs]): string {
  const put = (name: string, text: string) => {
    writeFileSync(`${folder}/${name}`, text);
    return `${folder}/${name}`;
  };
  const settings = Object.entries(four.sysctls).filter(([name]) => name.startsWith("net.ipv4.vs"));
  return [
    // Where no address is local, IPVS takes every IPv4 destination for none.
    "ip link set lo up",
    `ipset restore < ${put("sets", printIpSets([...four.ipsets, ...six.ipsets]))}`,
    `iptables-legacy-restore < ${put("rules4", printIptables(four.iptables))}`,
    `ip6tables-legacy-restore < ${put("rules6", printIptables(six.iptables))}`,
    `ipvsadm -R < ${put("servers", printIpvs(four.ipvs) + printIpvs(six.ipvs))}`,
    ...settings.map(([name, value]) => `sysctl -qw ${name}=${value}`),
    "ipset save; echo =; iptables-legacy-save; echo =; ip6tables-legacy-save; echo =; ipvsadm-save -n",
  ].join("\n");
}

describe("IPVS in user-mode Linux", () => {
  const obstacle = cannotRun("command -v linux.uml && command -v ipvsadm");

  it.skipIf(obstacle !== undefined)(
    `lists virtual servers, sets and rules of both families as they were printed${obstacle ?? ""}`,
    { timeout: 120_000 },
    async () => {
      const folder = mkdtempSync(`${tmpdir()}/packetyard-ipvs-`);
      const made = CASES.map(([, options]) => {
        return [compiled(guarded(), 4, options), compiled(guarded(), 6, options)] as const;
      });
      const scripts = made.map((pair) => {
        const own = mkdtempSync(`${folder}/case-`);
        writeFileSync(`${own}/script`, listingScript(own, pair));
        return `unshare --net sh -e ${own}/script && echo ====`;
      });
      writeFileSync(`${folder}/all`, scripts.join(" &&\n"));
      const told: string[] = [];
      const { status, output } = await runInUml(["sh", "-e", `${folder}/all`], (line) => told.push(line));
      rmSync(folder, { recursive: true });
      expect([status, told]).toEqual([0, expect.anything()]);
      const listings = output.split("====\n");
      for (const [index, [four, six]] of made.entries()) {
        const [sets = "", rules = "", rules6 = "", servers = ""] = (listings[index] ?? "").split("=\n");
        expect(plainSets(parseIpSets(sets, "ipset save"))).toEqual(
          plainSets([...four.ipsets, ...six.ipsets]),
        );
        expect(sorted(rulesOf(rules))).toEqual(sorted(rulesOf(printIptables(four.iptables))));
        expect(sorted(rulesOf(rules6))).toEqual(sorted(rulesOf(printIptables(six.iptables))));
        expect(plainServers(parseIpvs(servers, "ipvsadm-save"))).toEqual(
          plainServers({ servers: [...four.ipvs.servers, ...six.ipvs.servers] }),
        );
      }
    },
  );
});
