import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileNftables, nftablesFrontEnd } from "../../src/proxy/nftables.js";
import type { ProxyOptions } from "../../src/proxy/options.js";
import { printNft } from "../../src/ruleset/nft-listing.js";
import type { NftTable } from "../../src/ruleset/nftables.js";
import { Tally } from "../tally.js";
import { type ClusterBuilder, DUAL, dualClusterOf, nodeOf, type ServiceFields } from "./cluster-of.js";
import { nftablesOf } from "./compiled.js";
import { walk } from "./nft-walk.js";
import { drawnTwins, sixEnd } from "./twins.js";

const compiled = (cluster: ClusterBuilder, options: ProxyOptions = {}) =>
  nftablesOf(cluster, { family: 6, ...options }, "dual-1");

const GUARDED: ServiceFields = {
  ...DUAL,
  sourceRanges: "203.0.113.0/25 2001:db8:113::/48 fd00:18::/32",
  affinitySeconds: 90,
};

describe("table ip6 kube-proxy", () => {
  it("has a Service's IPv6 side alone; in names of chains dots stand for colons", () => {
    const cluster = dualClusterOf()
      .service("shop/web", GUARDED)
      .slice("shop/web", "http:8080", "10.244.8.9@dual-1")
      .slice("shop/web", "http:8080", "fd00:244:0:8::9@dual-1");
    const { family, name, sets, maps, chains } = compiled(cluster);
    const table: NftTable = {
      family,
      name,
      sets,
      maps: maps
        .filter(({ elements }) => elements.length > 0)
        .map(({ comment: _, ...map }): (typeof maps)[number] => map),
      chains: chains.filter((chain) => chain.name.includes("/") || chain.name === "cluster-ips-check"),
    };
    expect(printNft(table)).toBe(`\
table ip6 kube-proxy {
	set cluster-ips {
		type ipv6_addr
		comment "Active ClusterIPs"
		elements = { fd00:96::41 }
	}

	set nodeport-ips {
		type ipv6_addr
		comment "IPs that accept NodePort traffic"
		elements = { fd00:18::8 }
	}

	set affinity-DO6E6SVW-shop/web/tcp/http__fd00.244.0.8..9/8080 {
		type ipv6_addr
		size 65535
		flags dynamic,timeout
		timeout 1m30s
	}

	map firewall-ips {
		type ipv6_addr . inet_proto . inet_service : verdict
		elements = { 2001:db8:100::1 . tcp . 80 comment "shop/web:http" : goto firewall-KHN6ECMT-shop/web/tcp/http }
	}

	map service-ips {
		type ipv6_addr . inet_proto . inet_service : verdict
		elements = { fd00:96::41 . tcp . 80 : goto service-KHN6ECMT-shop/web/tcp/http,
			     2001:db8::1 . tcp . 80 : goto external-KHN6ECMT-shop/web/tcp/http,
			     2001:db8:100::1 . tcp . 80 : goto external-KHN6ECMT-shop/web/tcp/http }
	}

	map service-nodeports {
		type inet_proto . inet_service : verdict
		elements = { tcp . 30080 : goto external-KHN6ECMT-shop/web/tcp/http }
	}

	chain cluster-ips-check {
		ip6 daddr @cluster-ips reject comment "Reject traffic to invalid ports of ClusterIPs"
		ip6 daddr fd00:96::/112 drop comment "Drop traffic to unallocated ClusterIPs"
	}

	chain service-KHN6ECMT-shop/web/tcp/http {
		ip6 daddr fd00:96::41 ip6 saddr != fd00:244::/48 jump mark-for-masquerade
		ip6 saddr @affinity-DO6E6SVW-shop/web/tcp/http__fd00.244.0.8..9/8080 \
goto endpoint-DO6E6SVW-shop/web/tcp/http__fd00.244.0.8..9/8080
		numgen random mod 1 vmap { 0 : goto endpoint-DO6E6SVW-shop/web/tcp/http__fd00.244.0.8..9/8080 }
	}

	chain external-KHN6ECMT-shop/web/tcp/http {
		jump mark-for-masquerade
		goto service-KHN6ECMT-shop/web/tcp/http
	}

	chain firewall-KHN6ECMT-shop/web/tcp/http {
		ip6 saddr != { 2001:db8:100::1, 2001:db8:113::/48, fd00:18::/32 } drop
	}

	chain endpoint-DO6E6SVW-shop/web/tcp/http__fd00.244.0.8..9/8080 {
		ip6 saddr fd00:244:0:8::9 jump mark-for-masquerade
		update @affinity-DO6E6SVW-shop/web/tcp/http__fd00.244.0.8..9/8080 { ip6 saddr }
		meta l4proto tcp dnat to [fd00:244:0:8::9]:8080
	}
}
`);
  });

  it("is open where every source range is of the other family", () => {
    const cluster = dualClusterOf().service("shop/web", { ...GUARDED, sourceRanges: "203.0.113.0/25" });
    const { maps } = compiled(cluster);
    expect(maps.find(({ name }) => name === "firewall-ips")?.elements).toEqual([]);
    const four = compiled(cluster, { family: 4 });
    expect(four.maps.find(({ name }) => name === "firewall-ips")?.elements).toHaveLength(1);
  });

  it("is changed by steps that say so", () => {
    const cluster = dualClusterOf().build();
    const { collections, ownChains } = nftablesFrontEnd(cluster, nodeOf(cluster, "dual-1"), { family: 6 });
    for (const changed of [...collections.slice(0, 1), ownChains]) {
      if (changed === undefined) throw new Error("no chains of their own");
      const { set, removed } = changed;
      const element = { protocol: "TCP", port: 1, verdict: { kind: "drop" }, name: "c", rules: [] };
      expect([set(element).kind, set(element), removed(element)]).toEqual([
        expect.stringMatching(/^nft-/),
        expect.objectContaining({ family: 6 }),
        expect.objectContaining({ family: 6 }),
      ]);
    }
  });

  it("leads the twin of every packet where table ip leads it", () => {
    const seen = new Tally();
    fc.assert(
      fc.property(drawnTwins, ([four, six]) => {
        const ends = walk(compileNftables(four.cluster, four.node).nftables, four.packet, four.local);
        const { nftables } = compileNftables(six.cluster, six.node, { family: 6 });
        expect([...walk(nftables, six.packet, six.local)].sort()).toEqual(ends.map(sixEnd).sort());
        for (const end of ends) seen.count(end.replace(/^10\.244\.8\.2\d:8080/, "endpoint"));
      }),
      { numRuns: 1500 },
    );
    seen.expectEach(["endpoint", "endpoint masquerade", "DROP", "REJECT"]);
  });
});
