import { describe, expect, it } from "vitest";
import { Compilation } from "../../src/compilation.js";
import { printNft } from "../../src/ruleset/nft-listing.js";
import type { NftTable } from "../../src/ruleset/nftables.js";
import { type ClusterBuilder, ip, one, type ServiceFields, TWO } from "./cluster-of.js";
import { nftablesOf } from "./compiled.js";
import { walk } from "./nft-walk.js";

const POD = "10.244.1.7";
const NODE = "172.18.0.2";
const LOCAL = [NODE, "10.244.1.1"].map(ip);

const STICKY: ServiceFields = {
  type: "LoadBalancer",
  clusterIPs: "10.96.0.41",
  ingress: "198.51.100.1",
  ports: "http:80>30080",
  affinitySeconds: 10800,
};

function sticky(fields: ServiceFields = {}, endpoints = TWO): ClusterBuilder {
  return one("shop/web", { ...STICKY, ...fields }, endpoints);
}

/** The affinity set of the endpoint. */
function setOf({ sets }: NftTable, endpoint: string): string {
  const found = sets.find(({ name }) => name.endsWith(`__${endpoint}`));
  if (found === undefined) throw new Error(`no set of ${endpoint}`);
  return found.name;
}

function flow(table: NftTable, src: string, to: string, ...heldBy: readonly string[]): string {
  const [dst = "", dport] = to.split(":");
  const heldIn = heldBy.map((endpoint) => setOf(table, endpoint));
  const packet = { src: ip(src), dst: ip(dst), protocol: "TCP", dport: Number(dport), heldIn } as const;
  return walk(table, packet, LOCAL).join(" | ");
}

describe("nftables mode: session affinity", () => {
  it("is a set for each endpoint, asked before the draw and renewed by each new connection", () => {
    const table = nftablesOf(sticky({ type: "ClusterIP", ingress: "", ports: "http:80" }));
    const { sets, chains } = table;
    const own = {
      sets: sets.filter(({ dynamic }) => dynamic !== undefined),
      chains: chains.filter(({ name }) => name.includes("/")),
    };
    expect(printNft({ family: "ip", name: "kube-proxy", maps: [], ...own })).toBe(`\
table ip kube-proxy {
	set affinity-RT7PETL2-shop/web/tcp/http__10.244.1.9/8080 {
		type ipv4_addr
		size 65535
		flags dynamic,timeout
		timeout 3h
	}

	set affinity-7A35AQDK-shop/web/tcp/http__10.244.2.9/8080 {
		type ipv4_addr
		size 65535
		flags dynamic,timeout
		timeout 3h
	}

	chain service-KHN6ECMT-shop/web/tcp/http {
		ip daddr 10.96.0.41 ip saddr != 10.244.0.0/16 jump mark-for-masquerade
		ip saddr @affinity-RT7PETL2-shop/web/tcp/http__10.244.1.9/8080 \
goto endpoint-RT7PETL2-shop/web/tcp/http__10.244.1.9/8080
		ip saddr @affinity-7A35AQDK-shop/web/tcp/http__10.244.2.9/8080 \
goto endpoint-7A35AQDK-shop/web/tcp/http__10.244.2.9/8080
		numgen random mod 2 vmap { \
0 : goto endpoint-RT7PETL2-shop/web/tcp/http__10.244.1.9/8080, \
1 : goto endpoint-7A35AQDK-shop/web/tcp/http__10.244.2.9/8080 }
	}

	chain endpoint-RT7PETL2-shop/web/tcp/http__10.244.1.9/8080 {
		ip saddr 10.244.1.9 jump mark-for-masquerade
		update @affinity-RT7PETL2-shop/web/tcp/http__10.244.1.9/8080 { ip saddr }
		meta l4proto tcp dnat to 10.244.1.9:8080
	}

	chain endpoint-7A35AQDK-shop/web/tcp/http__10.244.2.9/8080 {
		ip saddr 10.244.2.9 jump mark-for-masquerade
		update @affinity-7A35AQDK-shop/web/tcp/http__10.244.2.9/8080 { ip saddr }
		meta l4proto tcp dnat to 10.244.2.9:8080
	}
}
`);
  });

  it("holds a client whichever of the Service's addresses it asks; of two sets that hold it the first", () => {
    const table = nftablesOf(sticky());
    for (const to of ["10.96.0.41:80", "198.51.100.1:80", `${NODE}:30080`]) {
      const masquerade = to.startsWith("10.96") ? "" : " masquerade";
      expect(flow(table, POD, to)).toBe(`10.244.1.9:8080${masquerade} | 10.244.2.9:8080${masquerade}`);
      expect(flow(table, POD, to, "10.244.2.9/8080")).toBe(`10.244.2.9:8080${masquerade}`);
      expect(flow(table, POD, to, "10.244.2.9/8080", "10.244.1.9/8080")).toBe(`10.244.1.9:8080${masquerade}`);
    }
  });

  it("counts only while its endpoint is in the chain that is walked", () => {
    const table = nftablesOf(sticky({ externalTrafficPolicy: "Local" }));
    expect(flow(table, "203.0.113.2", "198.51.100.1:80", "10.244.2.9/8080")).toBe("10.244.1.9:8080");
    expect(flow(table, POD, "198.51.100.1:80", "10.244.2.9/8080")).toBe("10.244.2.9:8080");
  });

  it("goes and comes with the Service's, chain by chain", () => {
    const cluster = sticky().build();
    const compilation = new Compilation(cluster, { proxy: "nftables" });
    const [service] = cluster.services;
    if (service === undefined) throw new Error("no Service");
    const kinds = (affinitySeconds: number | undefined) =>
      compilation
        .apply({ kind: "service-set", service: { ...service, affinitySeconds } })
        .map(({ kind }) => kind)
        .filter((kind) => kind.startsWith("nft"));
    expect(kinds(undefined)).toEqual([
      ...["nft-chain-set", "nft-chain-set", "nft-chain-set"],
      ...["nft-set-removed", "nft-set-removed"],
    ]);
    expect(kinds(60)).toEqual([
      ...["nft-set-set", "nft-set-set"],
      ...["nft-chain-set", "nft-chain-set", "nft-chain-set"],
    ]);
    expect(kinds(61)).toEqual(["nft-set-set", "nft-set-set"]);
  });
});
