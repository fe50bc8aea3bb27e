import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/diagnostics.js";
import type { Protocol } from "../../src/net/port.js";
import { prefixOf } from "../../src/net/prefix.js";
import { parseNft, printNft } from "../../src/ruleset/nft-listing.js";
import type {
  NftChain,
  NftMapElement,
  NftRule,
  NftStatement,
  NftTable,
  NftVerdict,
} from "../../src/ruleset/nftables.js";

// What nft 1.0.6 listed on Linux 6.18; rules of every kind that the subset has.
const LISTED = `\
table ip kube-proxy {
	comment "rules for kube-proxy"
	set cluster-ips {
		type ipv4_addr
		comment "Active ClusterIPs"
		elements = { 10.2.3.4, 172.30.0.41,
			     172.30.0.42, 172.30.0.43 comment "foo" }
	}

	set nodeport-ips {
		type ipv4_addr
	}

	map no-endpoint-nodeports {
		type inet_proto . inet_service : verdict
		elements = { tcp . 30001 comment "ns/x:y" : goto reject-chain,
			     udp . 65530 comment "ns/x:y" : drop }
	}

	map service-ips {
		type ipv4_addr . inet_proto . inet_service : verdict
		comment "ClusterIP, ExternalIP and LoadBalancer IP traffic"
		elements = { 172.30.0.41 . sctp . 53 : goto x/y }
	}

	chain filter-prerouting-pre-dnat {
		type filter hook prerouting priority dstnat - 10; policy accept;
	}

	chain filter-output-pre-dnat {
		type filter hook output priority -110; policy accept;
	}

	chain filter-forward {
		type filter hook forward priority filter; policy accept;
		ct state new jump empty
		ct state established,related,new jump empty
	}

	chain nat-prerouting {
		type nat hook prerouting priority dstnat; policy accept;
	}

	chain masquerading {
		meta mark & 0x00004000 == 0x00000000 return
		meta mark & 0x00004000 != 0x00000000 return
		meta mark set meta mark ^ 0x00004000
		masquerade fully-random
		masquerade
	}

	chain services {
		ip daddr . meta l4proto . th dport vmap @service-ips
		ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports
		fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @no-endpoint-nodeports
		ip daddr 172.30.0.42 tcp dport 80 ip saddr != 10.0.0.0/8 jump mark-for-masquerade
		ip daddr 172.30.0.42 sctp dport != 80 accept
		ip saddr != { 1.2.3.4, 192.168.0.0/24, 203.0.113.0/25 } drop
		iifname "eth*" accept
		iifname != "eth0" accept
		meta l4proto sctp continue
		meta l4proto != tcp continue
		th dport 80 continue
		fib saddr type != local goto reject-chain
		numgen random mod 2 vmap { 0 : goto reject-chain, 1 : goto empty }
	}

	chain empty {
		comment "nothing here"
	}

	chain reject-chain {
		reject comment "no endpoints"
	}

	chain x/y {
		ip saddr 10.180.0.1 jump mark-for-masquerade
		meta l4proto tcp dnat to 10.180.0.1:80
	}
}
`;

function refused(text: string): string {
  try {
    parseNft(text, "node.nft");
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  throw new Error("was not refused");
}

const ip4 = fc.integer({ min: 0, max: 0xffffffff });
const port = fc.integer({ min: 0, max: 65535 });
const protocol = fc.constantFrom<Protocol[]>("TCP", "UDP", "SCTP");
const side = fc.constantFrom("saddr" as const, "daddr" as const);
const name = fc.stringMatching(/^[a-z][a-zA-Z0-9/_.-]{0,20}$/);
const comment = fc.stringMatching(/^[a-zA-Z0-9 #,;:{}@/.-]{1,30}$/);
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const prefixes = fc
  .uniqueArray(
    fc.tuple(ip4, fc.integer({ min: 0, max: 32 })).map(([ip, length]) => prefixOf(ip, length)),
    { minLength: 1, maxLength: 4, selector: ({ address }) => address },
  )
  .map((found) => found.sort((a, b) => Number(a.address) - Number(b.address)));
const invertible = <T>(record: fc.Arbitrary<T>) =>
  fc.tuple(record, fc.boolean()).map(([made, invert]) => (invert ? { ...made, invert } : made));

const verdict: fc.Arbitrary<NftVerdict> = fc.oneof(
  fc.record({ kind: fc.constantFrom("accept" as const, "drop", "return", "continue") }),
  fc.record({ kind: fc.constantFrom("jump" as const, "goto"), chain: name }),
);

const statement: fc.Arbitrary<NftStatement> = fc.oneof(
  invertible(fc.record({ kind: fc.constant("match-address" as const), side, prefixes })),
  invertible(fc.record({ kind: fc.constant("match-address-set" as const), side, set: name })),
  invertible(fc.record({ kind: fc.constant("match-protocol" as const), protocol })),
  invertible(fc.record({ kind: fc.constant("match-dport" as const), port })),
  invertible(fc.record({ kind: fc.constant("match-mark" as const), mask: u32, value: u32 })),
  invertible(fc.record({ kind: fc.constant("match-fib-local" as const), side })),
  invertible(
    fc.record({
      kind: fc.constant("match-interface" as const),
      side: fc.constantFrom("iifname" as const, "oifname"),
      name: fc.constantFrom("eth0", "cali*"),
    }),
  ),
  fc.record({
    kind: fc.constant("match-ctstate" as const),
    // In the order in which nft prints them.
    states: fc.subarray(["invalid", "established", "related", "new"] as const, { minLength: 1 }),
  }),
  fc.record({
    kind: fc.constant("vmap" as const),
    key: fc.constantFrom("daddr-proto-dport" as const, "proto-dport"),
    map: name,
  }),
  fc.record({
    kind: fc.constant("numgen-vmap" as const),
    chains: fc.array(name, { minLength: 1, maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant("set-mark" as const),
    op: fc.constantFrom("or" as const, "xor"),
    value: u32,
  }),
  fc.record({ kind: fc.constant("dnat" as const), protocol, address: ip4, port }),
  fc.record({ kind: fc.constant("masquerade" as const), fullyRandom: fc.boolean() }),
  fc.record({ kind: fc.constant("reject" as const) }),
  verdict.map((made) => ({ kind: "verdict" as const, verdict: made })),
);

const rule: fc.Arbitrary<NftRule> = fc.record(
  { statements: fc.array(statement, { minLength: 1, maxLength: 4 }), comment },
  { requiredKeys: ["statements"] },
);

const chain: fc.Arbitrary<NftChain> = fc.record(
  {
    name,
    comment,
    base: fc.record({
      type: fc.constantFrom("filter" as const, "nat"),
      hook: fc.constantFrom("prerouting" as const, "input", "forward", "output", "postrouting"),
      priority: fc.integer({ min: -400, max: 400 }),
    }),
    rules: fc.array(rule, { maxLength: 4 }),
  },
  { requiredKeys: ["name", "rules"] },
);

const element = (withAddress: boolean): fc.Arbitrary<NftMapElement> =>
  fc.record(
    { ...(withAddress ? { address: ip4 } : {}), protocol, port, verdict, comment },
    { requiredKeys: [...(withAddress ? (["address"] as const) : []), "protocol", "port", "verdict"] },
  );

const map = (key: "daddr-proto-dport" | "proto-dport") =>
  fc.record(
    {
      name,
      comment,
      key: fc.constant(key),
      elements: fc.array(element(key !== "proto-dport"), { maxLength: 4 }),
    },
    { requiredKeys: ["name", "key", "elements"] },
  );

const table: fc.Arbitrary<NftTable> = fc.record(
  {
    family: fc.constant("ip" as const),
    name,
    comment,
    sets: fc.array(
      fc.record(
        {
          name,
          comment,
          addresses: fc.array(fc.record({ address: ip4, comment }, { requiredKeys: ["address"] }), {
            maxLength: 5,
          }),
        },
        { requiredKeys: ["name", "addresses"] },
      ),
      { maxLength: 2 },
    ),
    maps: fc.array(fc.oneof(map("daddr-proto-dport"), map("proto-dport")), { maxLength: 2 }),
    chains: fc.array(chain, { maxLength: 4 }),
  },
  { requiredKeys: ["family", "name", "sets", "maps", "chains"] },
);

describe("nftables", () => {
  it("reads what nft listed, and prints the same", () => {
    expect(printNft(parseNft(LISTED, "node.nft"))).toBe(LISTED);
  });

  it("reads the handles of nft -a, words of older nft, and IPv6", () => {
    const text = `\
table ip6 kube-proxy { # handle 4
	map service-ips { # handle 2
		type ipv6_addr . inet_proto . inet_service : verdict
		elements = { fd00::1 . tcp . 80 : goto a }
	}
	chain a { # handle 1
		meta mark set meta mark or 0x4000 # handle 5
		meta l4proto tcp dnat to [fd00::2]:80 # handle 6
	}
}
`;
    const read = parseNft(text, "node.nft");
    expect(read.maps[0]?.elements[0]?.address).toBe((0xfdn << 120n) + 1n);
    expect(read.chains[0]?.rules.map(({ statements }) => statements[0]?.kind)).toEqual(["set-mark", "dnat"]);
    expect(parseNft(printNft(read), "node.nft")).toEqual(read);
  });

  it("keeps apart what only looks alike", () => {
    const statements = (line: string) =>
      parseNft(`table ip t {\n\tchain c {\n\t\t${line}\n\t}\n}\n`, "t.nft").chains[0]?.rules[0]?.statements;
    expect(statements("tcp dport != 80")).toEqual([
      { kind: "match-protocol", protocol: "TCP" },
      { kind: "match-dport", port: 80, invert: true },
    ]);
    expect(statements("meta mark 0x4000")).toEqual([{ kind: "match-mark", mask: 0xffffffff, value: 0x4000 }]);
    expect(statements("reject with icmp port-unreachable")).toEqual([{ kind: "reject" }]);
    expect(() => statements("reject with tcp reset")).toThrow("t.nft: line 3: «tcp» is not icmp or icmpv6.");
    expect(statements("meta l4proto udp accept")).toHaveLength(2);
  });

  it("names every line that is outside of the subset", () => {
    const set = "table ip t {\n\tset s {\n\t\ttype ipv4_addr\n\t\tflags dynamic,timeout\n\t}\n";
    const chainText =
      "\tchain c {\n\t\tip saddr 10.0.0.0/8 counter packets 0 bytes 0 accept\n\t\tlog\n\t}\n}\n";
    expect(refused(set + chainText)).toBe(
      "node.nft: line 4: «flags» is not modelled in a set or map; only its type, comment and elements are.\n" +
        "node.nft: line 7: «counter» is not modelled in a rule of family ip.\n" +
        "node.nft: line 8: «log» is not modelled in a rule of family ip.",
    );
    expect(refused("table inet t {\n}\n")).toContain("node.nft: line 1: «inet» is not a family, ip or ip6.");
    expect(refused("table ip t {\n\tflowtable f {\n\t\thook ingress\n\t}\n}\n")).toBe(
      "node.nft: line 2: «flowtable» is not modelled; only sets, maps and chains are.",
    );
    expect(refused("table ip t {\n}\ntable ip u {\n}\n")).toContain("line 3: more stands after the table");
    const drop =
      "table ip t {\n\tchain c {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}\n";
    expect(refused(drop)).toContain("line 3: «drop» stands where «accept» should.");
  });

  it("refuses a listing cut at any line", () => {
    const lines = LISTED.trimEnd().split("\n");
    for (let length = 1; length < lines.length; length += 1) {
      expect(refused(lines.slice(0, length).join("\n"))).toMatch(/^node\.nft: /);
    }
  });

  it("law: parse(print(x)) is x", () => {
    fc.assert(
      fc.property(table, (made) => {
        expect(parseNft(printNft(made), "node.nft")).toEqual(made);
      }),
    );
  });
});
