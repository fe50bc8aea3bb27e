import { describe, expect, it } from "vitest";
import type { ProxyOptions } from "../../src/proxy/options.js";
import { printNft } from "../../src/ruleset/nft-listing.js";
import type { NftTable } from "../../src/ruleset/nftables.js";
import { clusterOf, dualClusterOf, ip, prefix } from "./cluster-of.js";
import { nftablesOf } from "./compiled.js";
import { walk } from "./nft-walk.js";

const NODE = "172.18.0.2";
const LOCAL = [NODE, "10.244.1.1"].map(ip);

const WEB = clusterOf()
  .service("shop/web", {
    clusterIPs: "10.96.0.41",
    externalIPs: "192.0.2.7",
    ports: "http:80>30080",
    externalTrafficPolicy: "Local",
  })
  .slice("shop/web", "http:8080", "10.244.1.9@worker-1", "10.244.2.9@worker-2 zone=b");

const compiled = (options: ProxyOptions, cluster = WEB, node = "worker-1") =>
  nftablesOf(cluster, options, node);

/** A packet from an address outside of the Pods' network; through an interface, or else from the node. */
function flow(table: NftTable, to: string, iif?: string): string {
  const [dst = "", dport] = to.split(":");
  const packet = { src: ip("203.0.113.2"), dst: ip(dst), protocol: "TCP", dport: Number(dport) } as const;
  const way = iif === undefined ? { fromNode: true } : { iif };
  return walk(table, { ...packet, ...way }, LOCAL).join(" | ");
}

const BOTH = "10.244.1.9:8080 | 10.244.2.9:8080";
const MASQUERADED = "10.244.1.9:8080 masquerade | 10.244.2.9:8080 masquerade";

describe("nftables mode: options", () => {
  it.each([
    [{ bridgeInterface: "cni0" }, "cni0", 'iifname != "cni0"'],
    [{ interfaceNamePrefix: "cali" }, "cali7a2", 'iifname != "cali*"'],
  ])("local Pods come in by %o", (detectLocal, pod, text) => {
    const table = compiled({ detectLocal });
    expect(printNft(table)).toContain(`\t\tip daddr 10.96.0.41 ${text} jump mark-for-masquerade\n`);
    expect(flow(table, "10.96.0.41:80", pod)).toBe(BOTH);
    expect(flow(table, "10.96.0.41:80", "eth0")).toBe(MASQUERADED);
    // What the node makes comes in by none.
    expect(flow(table, "10.96.0.41:80")).toBe(MASQUERADED);
    expect(flow(table, "192.0.2.7:80", pod)).toBe(BOTH);
    expect(flow(table, "192.0.2.7:80", "eth0")).toBe("10.244.1.9:8080");
  });

  it("the mark is the bit that is said", () => {
    expect(printNft(compiled({ masqueradeBit: 31 }))).toContain(`\
	chain mark-for-masquerade {
		meta mark set meta mark | 0x80000000
	}

	chain masquerading {
		meta mark 0x00000000/1 return
		meta mark set meta mark ^ 0x80000000
		masquerade fully-random
	}
`);
  });

  it("of ServiceCIDRs there may be none, one or several, which are a list as nft keeps it", () => {
    const check = (serviceCIDRs: string) => {
      const { chains } = compiled({}, clusterOf().serviceCIDRs(serviceCIDRs));
      const rules = chains.find(({ name }) => name === "cluster-ips-check")?.rules ?? [];
      return printNft({
        family: "ip",
        name: "t",
        sets: [],
        maps: [],
        chains: [{ name: "c", rules: rules.slice(1) }],
      })
        .split("\n")[2]
        ?.trim();
    };
    const drop = 'drop comment "Drop traffic to unallocated ClusterIPs"';
    expect(check("fd00:96::/112")).toBe("}");
    expect(check("10.96.0.0/12 fd00:96::/112")).toBe(`ip daddr 10.96.0.0/12 ${drop}`);
    expect(check("10.98.0.0/16 10.96.0.0/16")).toBe(`ip daddr { 10.96.0.0/16, 10.98.0.0/16 } ${drop}`);
    expect(check("10.96.0.0/16 10.97.0.0/16")).toBe(`ip daddr 10.96.0.0/15 ${drop}`);
    expect(check("10.97.0.0/16 10.98.0.0/16")).toBe(`ip daddr 10.97.0.0-10.98.255.255 ${drop}`);
  });

  it("nodePorts answer on the primary address, on chosen ones without loopback, or on all", () => {
    const ips = (options: ProxyOptions, cluster = WEB) =>
      compiled(options, cluster)
        .sets.find(({ name }) => name === "nodeport-ips")
        ?.addresses.map(({ address }) => address);
    const nodeAddresses = ["172.18.0.2", "127.0.0.1", "10.244.1.1", "fd00::1"].map(ip);
    expect(ips({ nodeAddresses })).toEqual([ip(NODE)]);
    expect(ips({ nodeAddresses, nodeIP: ip("172.18.0.77") })).toEqual([ip("172.18.0.77")]);
    const chosen = (...texts: readonly string[]) => ({
      nodeAddresses,
      nodePortAddresses: texts.map(prefix),
    });
    expect(ips(chosen("127.0.0.0/8", "10.244.0.0/16"))).toEqual([ip("10.244.1.1")]);
    expect(ips(chosen("127.0.0.0/8"))).toEqual([]);
    expect(ips(chosen("127.0.0.0/8", "0.0.0.0/0"))).toBeUndefined();
    // Prefixes of the other family leave this one open.
    expect(ips(chosen("fd00::/64"))).toBeUndefined();
  });

  it("on all addresses nodePorts are asked for after loopback is left out; those without endpoints in INPUT alone", () => {
    const rules = (family: 4 | 6) =>
      printNft(compiled({ family, nodePortAddresses: [] }, dualClusterOf(), "dual-1"))
        .split("\n")
        .filter((line) => line.includes("-nodeports") && line.includes("vmap @"))
        .map((line) => line.trim());
    expect(rules(4)).toEqual([
      "fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @service-nodeports",
      "ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @no-endpoint-nodeports",
    ]);
    expect(rules(6)).toEqual([
      "fib daddr type local ip6 daddr != ::1 meta l4proto . th dport vmap @service-nodeports",
      "ip6 daddr != ::1 meta l4proto . th dport vmap @no-endpoint-nodeports",
    ]);
  });

  it("hints count as the version has them", () => {
    const cluster = clusterOf()
      .service("shop/web", { clusterIPs: "10.96.0.41", ports: "http:80" })
      .slice("shop/web", "http:8080", "10.244.1.9 node=worker-1", "10.244.2.9 node=worker-2");
    const from = (kubernetesVersion: "1.32" | "1.34") =>
      flow(compiled({ kubernetesVersion }, cluster), "10.96.0.41:80", "eth0");
    expect(from("1.32")).toBe(MASQUERADED);
    expect(from("1.34")).toBe("10.244.1.9:8080 masquerade");
  });
});
