import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { printDiagnostic } from "../../src/diagnostics.js";
import { compileNftables } from "../../src/proxy/nftables.js";
import type { ProxyOptions } from "../../src/proxy/options.js";
import { printNft } from "../../src/ruleset/nft-listing.js";
import type { NftTable } from "../../src/ruleset/nftables.js";
import {
  type ClusterBuilder,
  clusterOf,
  ip,
  nodeOf,
  one,
  prefix,
  REMOTE,
  type ServiceFields,
} from "./cluster-of.js";
import { nftablesOf } from "./compiled.js";

function warningsOf(cluster: ClusterBuilder): readonly string[] {
  const built = cluster.build();
  return compileNftables(built, nodeOf(built)).diagnostics.map(printDiagnostic);
}

/** The chains and elements that belong to Services, as nft would list them. */
function listed(table: NftTable): string {
  const chains = table.chains.filter(({ name }) => name.includes("/"));
  const maps = table.maps.filter(({ elements }) => elements.length > 0).map(({ comment: _, ...map }) => map);
  return printNft({ family: table.family, name: table.name, sets: [], maps, chains });
}

describe("nftables mode: what is listed", () => {
  it("a ClusterIP with three endpoints, in the order of the text `ip:port`", () => {
    const three = ["10.244.2.9@worker-2", "10.244.1.9@worker-1", "10.244.1.10@worker-1"];
    const table = nftablesOf(one("shop/web", { clusterIPs: "10.96.0.41" }, three));
    expect(listed(table)).toBe(`\
table ip kube-proxy {
	map service-ips {
		type ipv4_addr . inet_proto . inet_service : verdict
		elements = { 10.96.0.41 . tcp . 80 : goto service-KHN6ECMT-shop/web/tcp/http }
	}

	chain service-KHN6ECMT-shop/web/tcp/http {
		ip daddr 10.96.0.41 ip saddr != 10.244.0.0/16 jump mark-for-masquerade
		numgen random mod 3 vmap { \
0 : goto endpoint-CRLTNO23-shop/web/tcp/http__10.244.1.10/8080, \
1 : goto endpoint-RT7PETL2-shop/web/tcp/http__10.244.1.9/8080, \
2 : goto endpoint-7A35AQDK-shop/web/tcp/http__10.244.2.9/8080 }
	}

	chain endpoint-CRLTNO23-shop/web/tcp/http__10.244.1.10/8080 {
		ip saddr 10.244.1.10 jump mark-for-masquerade
		meta l4proto tcp dnat to 10.244.1.10:8080
	}

	chain endpoint-RT7PETL2-shop/web/tcp/http__10.244.1.9/8080 {
		ip saddr 10.244.1.9 jump mark-for-masquerade
		meta l4proto tcp dnat to 10.244.1.9:8080
	}

	chain endpoint-7A35AQDK-shop/web/tcp/http__10.244.2.9/8080 {
		ip saddr 10.244.2.9 jump mark-for-masquerade
		meta l4proto tcp dnat to 10.244.2.9:8080
	}
}
`);
  });

  it("a LoadBalancer with policy Local and no endpoint on this node", () => {
    const lb: ServiceFields = {
      clusterIPs: "10.96.0.42",
      ports: "http:80>30080",
      type: "LoadBalancer",
      externalTrafficPolicy: "Local",
      externalIPs: "192.0.2.7",
      ingress: "198.51.100.1 198.51.100.2!",
    };
    expect(listed(nftablesOf(one("shop/lb", lb, REMOTE)))).toBe(`\
table ip kube-proxy {
	map no-endpoint-nodeports {
		type inet_proto . inet_service : verdict
		elements = { tcp . 30080 comment "shop/lb:http" : drop }
	}

	map no-endpoint-services {
		type ipv4_addr . inet_proto . inet_service : verdict
		elements = { 192.0.2.7 . tcp . 80 comment "shop/lb:http" : drop,
			     198.51.100.1 . tcp . 80 comment "shop/lb:http" : drop }
	}

	map service-ips {
		type ipv4_addr . inet_proto . inet_service : verdict
		elements = { 10.96.0.42 . tcp . 80 : goto service-TZEQCN3K-shop/lb/tcp/http,
			     192.0.2.7 . tcp . 80 : goto external-TZEQCN3K-shop/lb/tcp/http,
			     198.51.100.1 . tcp . 80 : goto external-TZEQCN3K-shop/lb/tcp/http }
	}

	map service-nodeports {
		type inet_proto . inet_service : verdict
		elements = { tcp . 30080 : goto external-TZEQCN3K-shop/lb/tcp/http }
	}

	chain service-TZEQCN3K-shop/lb/tcp/http {
		ip daddr 10.96.0.42 ip saddr != 10.244.0.0/16 jump mark-for-masquerade
		numgen random mod 1 vmap { 0 : goto endpoint-NANDZ7YF-shop/lb/tcp/http__10.244.2.9/8080 }
	}

	chain external-TZEQCN3K-shop/lb/tcp/http {
		ip saddr 10.244.0.0/16 goto service-TZEQCN3K-shop/lb/tcp/http comment "short-circuit pod traffic"
		fib saddr type local jump mark-for-masquerade comment "masquerade local traffic"
		fib saddr type local goto service-TZEQCN3K-shop/lb/tcp/http comment "short-circuit local traffic"
	}

	chain endpoint-NANDZ7YF-shop/lb/tcp/http__10.244.2.9/8080 {
		ip saddr 10.244.2.9 jump mark-for-masquerade
		meta l4proto tcp dnat to 10.244.2.9:8080
	}
}
`);
  });

  it("nodePorts on the node's primary address, on chosen ones, or on all", () => {
    const setOf = (options: ProxyOptions) => {
      const { sets, chains } = nftablesOf(clusterOf(), options);
      const rules = chains.find(({ name }) => name === "services")?.rules.at(-1)?.statements;
      return [
        sets.find(({ name }) => name === "nodeport-ips")?.addresses.map(({ address }) => address),
        rules,
      ];
    };
    expect(setOf({})[0]).toEqual([ip("172.18.0.2")]);
    const chosen = {
      nodePortAddresses: [prefix("10.244.0.0/16")],
      nodeAddresses: ["172.18.0.2", "10.244.1.1", "10.244.1.0"].map(ip),
    };
    expect(setOf(chosen)[0]).toEqual([ip("10.244.1.1"), ip("10.244.1.0")]);
    expect(setOf({ nodePortAddresses: [] })).toEqual([
      undefined,
      [
        { kind: "match-fib-local", side: "daddr" },
        { kind: "match-address", side: "daddr", prefixes: [prefix("127.0.0.0/8")], invert: true },
        { kind: "vmap", key: "proto-dport", map: "service-nodeports" },
      ],
    ]);
  });
});

describe("nftables mode: names within the table", () => {
  it("law: every element and every verdict names a chain that exists", () => {
    const policy = fc.constantFrom("Cluster" as const, "Local" as const);
    const made = fc.record({
      externalTrafficPolicy: policy,
      internalTrafficPolicy: policy,
      nodePort: fc.constantFrom(0, 30080),
      vip: fc.boolean(),
      ranges: fc.boolean(),
      endpoints: fc.subarray(["10.244.1.9@worker-1", "10.244.2.9@worker-2", "10.9.9.9"]),
    });
    let jumps = 0;
    fc.assert(
      fc.property(fc.array(made, { minLength: 1, maxLength: 4 }), (drawn) => {
        const cluster = clusterOf();
        for (const [index, { vip, ranges, endpoints, ...fields }] of drawn.entries()) {
          cluster.service(`p/s${index}`, {
            ...fields,
            type: "LoadBalancer",
            clusterIPs: `10.96.1.${index}`,
            ports: fields.nodePort === 0 ? "http:80" : `http:80>${fields.nodePort + index}`,
            ingress: vip ? `198.51.100.${index}` : "",
            sourceRanges: ranges ? "203.0.113.0/25" : "",
          });
          cluster.slice(`p/s${index}`, "http:8080", ...endpoints);
        }
        const { chains, maps } = nftablesOf(cluster);
        const known = new Set(chains.map(({ name }) => name));
        expect(known.size).toBe(chains.length);
        const named = [
          ...maps.flatMap(({ elements }) => elements.map(({ verdict }) => verdict)),
          ...chains.flatMap(({ rules }) =>
            rules.flatMap(({ statements }) =>
              statements.flatMap((one) => {
                if (one.kind === "verdict") return [one.verdict];
                return one.kind === "numgen-vmap"
                  ? one.chains.map((chain) => ({ kind: "goto" as const, chain }))
                  : [];
              }),
            ),
          ),
        ];
        for (const verdict of named) {
          if ("chain" in verdict) expect(known).toContain(verdict.chain);
        }
        jumps += named.filter((verdict) => "chain" in verdict && verdict.chain.includes("/")).length;
      }),
      { numRuns: 60 },
    );
    expect(jumps).toBeGreaterThan(100);
  });
});

describe("nftables mode: warnings", () => {
  it("of two Services with one address; the first by name gets it", () => {
    const shared = { externalIPs: "192.0.2.7", ports: "http:80" };
    const cluster = clusterOf()
      .service("shop/b", { clusterIPs: "10.96.0.42", ...shared })
      .service("shop/a", { clusterIPs: "10.96.0.41", ...shared })
      .slice("shop/a", "http:8080", "10.244.2.1")
      .slice("shop/b", "http:8080", "10.244.2.2");
    expect(warningsOf(cluster)).toEqual([
      "test.yaml: Service shop/b: spec.externalIPs: 192.0.2.7 port 80 over TCP belongs to another Service already; " +
        "which one wins on a real node is a race, here it is the first by name.",
    ]);
    const holders = listed(nftablesOf(cluster)).match(
      /(?<=192\.0\.2\.7 \. tcp \. 80 : goto external-\w+-)[^\s,]+/g,
    );
    expect(holders).toEqual(["shop/a/tcp/http"]);
  });

  it("not of one Service that names an address twice", () => {
    const twice = { clusterIPs: "10.96.0.41", externalIPs: "192.0.2.7", ingress: "192.0.2.7" };
    expect(warningsOf(one("shop/a", twice, REMOTE))).toEqual([]);
  });
});
