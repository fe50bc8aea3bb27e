import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KUBERNETES_VERSIONS, type KubernetesVersion } from "../../src/proxy/kubernetes-version.js";
import { printNft } from "../../src/ruleset/nft-listing.js";
import type { NftTable } from "../../src/ruleset/nftables.js";
import { clusterOf, ip } from "./cluster-of.js";
import { nftablesOf } from "./compiled.js";
import { type Drawn, drawnService, fromNodeToLocal } from "./drawn-service.js";
import { walk } from "./nft-walk.js";

const OLD: readonly KubernetesVersion[] = ["1.31", "1.32", "1.33"];
const NODE = "172.18.0.2";
const LOCAL = [NODE, "10.244.1.1", "127.0.0.1"].map(ip);

const compiled = ({ cluster }: Pick<Drawn, "cluster">, kubernetesVersion: KubernetesVersion) =>
  nftablesOf(cluster, { kubernetesVersion });

describe("the layouts of kube-proxy's nftables table", () => {
  it.each(KUBERNETES_VERSIONS)("%s has its own", (version) => {
    const { chains } = compiled({ cluster: clusterOf() }, version);
    const names = chains.filter(({ base }) => base !== undefined).map(({ name }) => name);
    expect(names.includes("filter-output-post-dnat")).toBe(OLD.includes(version));
    expect(names.includes("filter-output-pre-dnat")).toBe(!OLD.includes(version));
  });

  it("from 1.34 on these are the chains that belong to no Service", () => {
    const { chains } = nftablesOf(clusterOf());
    expect(printNft({ family: "ip", name: "kube-proxy", sets: [], maps: [], chains })).toBe(`\
table ip kube-proxy {
	chain filter-prerouting-pre-dnat {
		type filter hook prerouting priority dstnat - 10; policy accept;
		ct state new jump firewall-check
	}

	chain filter-output-pre-dnat {
		type filter hook output priority -110; policy accept;
		ct state new jump firewall-check
	}

	chain filter-input {
		type filter hook input priority filter; policy accept;
		ct state new jump nodeport-endpoints-check
		ct state new jump service-endpoints-check
	}

	chain filter-forward {
		type filter hook forward priority filter; policy accept;
		ct state new jump service-endpoints-check
		ct state new jump cluster-ips-check
	}

	chain filter-output {
		type filter hook output priority filter; policy accept;
		ct state new jump service-endpoints-check
		ct state new jump cluster-ips-check
	}

	chain nat-prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		jump services
	}

	chain nat-output {
		type nat hook output priority -100; policy accept;
		jump services
	}

	chain nat-postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		jump masquerading
	}

	chain mark-for-masquerade {
		meta mark set meta mark | 0x00004000
	}

	chain masquerading {
		meta mark & 0x00004000 == 0x00000000 return
		meta mark set meta mark ^ 0x00004000
		masquerade fully-random
	}

	chain firewall-check {
		ip daddr . meta l4proto . th dport vmap @firewall-ips
	}

	chain services {
		ip daddr . meta l4proto . th dport vmap @service-ips
		ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports
	}

	chain service-endpoints-check {
		ip daddr . meta l4proto . th dport vmap @no-endpoint-services
	}

	chain nodeport-endpoints-check {
		ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports
	}

	chain cluster-ips-check {
		ip daddr @cluster-ips reject comment "Reject traffic to invalid ports of ClusterIPs"
		ip daddr 10.96.0.0/12 drop comment "Drop traffic to unallocated ClusterIPs"
	}

	chain reject-chain {
		comment "helper for @no-endpoint-services / @no-endpoint-nodeports"
		reject
	}
}
`);
  });

  it("up to 1.33 all but one filter come before DNAT", () => {
    const [table, now] = [
      compiled({ cluster: clusterOf() }, "1.31"),
      compiled({ cluster: clusterOf() }, "1.35"),
    ];
    const ofKind = ({ chains }: NftTable, kind: "filter" | "nat") =>
      chains.filter(({ base }) => base?.type === kind);
    expect(ofKind(table, "nat")).toEqual(ofKind(now, "nat"));
    expect(printNft({ ...table, sets: [], maps: [], chains: ofKind(table, "filter") })).toBe(`\
table ip kube-proxy {
	comment "rules for kube-proxy"
	chain filter-prerouting {
		type filter hook prerouting priority dstnat - 10; policy accept;
		ct state new jump firewall-check
	}

	chain filter-input {
		type filter hook input priority -110; policy accept;
		ct state new jump nodeport-endpoints-check
		ct state new jump service-endpoints-check
	}

	chain filter-forward {
		type filter hook forward priority -110; policy accept;
		ct state new jump service-endpoints-check
		ct state new jump cluster-ips-check
	}

	chain filter-output {
		type filter hook output priority -110; policy accept;
		ct state new jump service-endpoints-check
		ct state new jump firewall-check
	}

	chain filter-output-post-dnat {
		type filter hook output priority -90; policy accept;
		ct state new jump cluster-ips-check
	}
}
`);
  });

  it.each(KUBERNETES_VERSIONS)("%s: who comes to a ClusterIP from outside is marked", (version) => {
    const cluster = clusterOf()
      .service("shop/web", { clusterIPs: "10.96.0.41", ports: "dns:53/UDP" })
      .slice("shop/web", "dns:53/UDP", "10.244.2.9");
    const table = compiled({ cluster }, version);
    const port = OLD.includes(version) ? " udp dport 53" : "";
    expect(printNft(table)).toContain(
      `\t\tip daddr 10.96.0.41${port} ip saddr != 10.244.0.0/16 jump mark-for-masquerade\n`,
    );
  });

  it("differ for one kind of packet alone: the node's own to a VIP of policy Local that has none here", () => {
    let dropped = 0;
    let same = 0;
    fc.assert(
      fc.property(fc.oneof(drawnService, fromNodeToLocal), (drawn) => {
        const [old, now] = [compiled(drawn, "1.33"), compiled(drawn, "1.34")];
        const { packet } = drawn;
        const [before, after] = [walk(old, packet, LOCAL), walk(now, packet, LOCAL)];
        if (before.join() === after.join()) {
          same += 1;
          return;
        }
        expect(packet.fromNode).toBe(true);
        expect(drawn.fields.externalTrafficPolicy).toBe("Local");
        expect([ip("192.0.2.1"), ip("198.51.100.1")]).toContain(packet.dst);
        expect(before).toEqual(["DROP"]);
        expect(after.every((end) => end.endsWith(":8080 masquerade"))).toBe(true);
        dropped += 1;
      }),
      { numRuns: 300 },
    );
    expect(same).toBeGreaterThan(150);
    expect(dropped).toBeGreaterThan(5);
  });
});
