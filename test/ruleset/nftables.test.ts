import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../src/diagnostics.js";
import { parseNft, printNft } from "../../src/ruleset/nft-listing.js";
import { drawnTable } from "./drawn-nft.js";

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

	set affinity-x/y {
		type ipv4_addr
		size 65535
		flags dynamic,timeout
		timeout 1d1h1m1s
		elements = { 10.0.0.1 expires 1d1h996ms, 10.0.0.2 expires 29s }
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
		meta mark 0x00000000/1 return
		meta mark != 0x01000000/8 return
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
		ip saddr != { 203.0.113.0-203.0.113.191 } drop
		ip saddr != 203.0.113.0-203.0.113.191 drop
		ip saddr != { 10.0.0.0/8 } drop
		ip daddr { 10.0.0.0/8, 203.0.113.7-203.0.113.9 } drop
		ip saddr @affinity-x/y goto x/y
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
		update @affinity-x/y { ip saddr }
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
    const set = "table ip t {\n\tset s {\n\t\ttype ipv4_addr\n\t\tflags interval\n\t}\n";
    const chainText =
      "\tchain c {\n\t\tip saddr 10.0.0.0/8 counter packets 0 bytes 0 accept\n\t\tlog\n\t}\n}\n";
    expect(refused(set + chainText)).toBe(
      "node.nft: line 4: «flags» is not modelled in a set or map; only its type, bounds (size, flags dynamic,timeout, timeout), comment and elements are.\n" +
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
      fc.property(fc.oneof(drawnTable("ip"), drawnTable("ip6")), (made) => {
        expect(parseNft(printNft(made), "node.nft")).toEqual(made);
      }),
    );
  });
});
