import { describe, expect, it } from "vitest";
import {
  CTSTATE_INVALID,
  HOOK_FORWARD,
  HOOK_INPUT,
  HOOK_IP6,
  HOOK_NAT,
  HOOK_PREROUTING,
  MATCH_CTSTATE,
  TARGET_DNAT,
  TARGET_DROP,
  TARGET_REJECT,
} from "../../assembly/abi/entry.js";
import { RuleDraft } from "../../src/engine/entries/rules.js";
import { arp, frame, icmpEcho, tcp, udp } from "../../src/packet/build.js";
import type { Sysctls } from "../../src/ruleset/sysctls.js";
import { BareNode, ip4 } from "../bare-node.js";

/** An address of the node's. */
const OWN = "10.9.9.9";
const SYN = tcp("10.244.1.7:41000", "10.96.0.10:80");
const DATAGRAM = udp("10.244.1.7:41000", "10.96.0.10:53", { payload: 4 });

function ip(fields: Partial<Parameters<ReturnType<typeof frame>["ip4"]>[0]>): Uint8Array {
  return frame()
    .eth({})
    .ip4({ src: "10.244.1.7", dst: "10.96.0.10", ...fields })
    .udp({ srcPort: 7, dstPort: 7 })
    .payload(8)
    .bytes();
}

function changed(of: Uint8Array, ...changes: readonly (readonly [at: number, value: number])[]): Uint8Array {
  const copy = of.slice();
  for (const [at, value] of changes) copy[at] = value;
  return copy;
}

/** So many octets of a protocol. */
function of(protocol: number, length: number): Uint8Array {
  return frame().eth({}).ip4({ src: "10.0.0.1", dst: "10.0.0.2", protocol }).payload(length).bytes();
}

/** One with these octets of options. */
const optioned = (...options: readonly number[]) => ip({ options: Uint8Array.from(options) });

type Fields6 = Partial<Parameters<ReturnType<typeof frame>["ip6"]>[0]>;

/** An IPv6 packet of these octets behind its header. */
function ip6(nextHeader: number, octets: readonly number[], fields: Fields6 = {}): Uint8Array {
  return frame()
    .eth({})
    .ip6({ src: "fd00::7", dst: "fd01::10", nextHeader, ...fields })
    .payload(Uint8Array.from(octets))
    .bytes();
}

const zeros = (length: number): readonly number[] => new Array<number>(length).fill(0);
/** A UDP datagram without octets, its checksum not made. */
const UDP = [0, 7, 0, 7, 0, 8, 0, 0];
const TCP = [...zeros(12), 0x50, 2, ...zeros(6)];

/** Extension headers before a UDP datagram. */
const extended = (first: number, ...octets: readonly number[]) => ip6(first, [...octets, ...UDP]);
/** A hop-by-hop header with six octets of options. */
const hop = (...options: readonly number[]) => extended(0, 17, 0, ...options);

const CASES6: readonly (readonly [what: string, octets: Uint8Array, verdict: string, reason: string])[] = [
  ["a SYN", tcp("[fd00::7]:1", "[fd01::8]:80"), "FORWARD", "NONE"],
  ["a datagram", ip6(17, UDP), "FORWARD", "NONE"],
  ["less than an IPv6 header", ip6(17, UDP).slice(0, 53), "DROP", "TRUNCATED"],
  ["less than its payload length", ip6(17, UDP).slice(0, 61), "DROP", "TRUNCATED"],
  ["version 4 in an IPv6 header", ip6(17, UDP, { version: 4 }), "DROP", "BAD_HEADER"],
  ["a loopback source from outside", ip6(17, UDP, { src: "::1" }), "DROP", "MARTIAN"],
  ["a loopback destination from outside", ip6(17, UDP, { dst: "::1" }), "DROP", "MARTIAN"],
  ["a multicast source", ip6(17, UDP, { src: "ff02::1" }), "DROP", "MARTIAN"],
  ["an IPv4 address mapped", ip6(17, UDP, { src: "::ffff:10.0.0.1" }), "FORWARD", "NONE"],
  ["multicast", ip6(17, UDP, { dst: "ff02::1" }), "PUNT", "MULTICAST"],
  ["multicast of the node itself", ip6(17, UDP, { dst: "ff01::1" }), "DROP", "MARTIAN"],
  ["multicast of scope 0", ip6(17, UDP, { dst: "ff00::1" }), "DROP", "MARTIAN"],
  ["a link-local destination", ip6(17, UDP, { dst: "fe80::1" }), "PUNT", "LINK_LOCAL"],
  ["the last link-local destination", ip6(17, UDP, { dst: "febf::1" }), "PUNT", "LINK_LOCAL"],
  ["a site-local destination", ip6(17, UDP, { dst: "fec0::1" }), "FORWARD", "NONE"],
  ["a link-local source to another link", ip6(17, UDP, { src: "fe80::1" }), "DROP", "BEYOND_SCOPE"],
  [
    "a link-local source back to its link",
    ip6(17, UDP, { src: "fe80::1", dst: "fd02::1" }),
    "FORWARD",
    "NONE",
  ],
  ["no source", ip6(17, UDP, { src: "::" }), "DROP", "MARTIAN"],
  ["a hop limit of 1", ip6(17, UDP, { hopLimit: 1 }), "DROP", "TTL_EXCEEDED"],
  ["a TCP header that is cut", ip6(6, TCP.slice(1)), "INVALID", ""],
  ["a UDP header that is cut", ip6(17, UDP.slice(1)), "INVALID", ""],
  ["a UDP length beyond the packet", ip6(17, [0, 7, 0, 7, 0, 9, 0, 0]), "INVALID", ""],
  ["an SCTP header that is cut", ip6(132, zeros(11)), "INVALID", ""],
  ["an ICMPv6 header that is cut", ip6(58, zeros(7)), "INVALID", ""],
  ["an echo request", icmpEcho("fd00::7", "fd01::8"), "FORWARD", "NONE"],
  ["a protocol without ports", ip6(47, []), "FORWARD", "NONE"],
  ["no next header", ip6(59, zeros(8)), "INVALID", ""],
  ["a fragment", extended(44, 17, 0, 0, 1, 0, 0, 0, 7), "PUNT", "FRAGMENT"],
  [
    "a fragment behind options",
    extended(60, 44, 0, ...zeros(6), 17, 0, 0, 8, 0, 0, 0, 7),
    "PUNT",
    "FRAGMENT",
  ],
  ["destination options", extended(60, 17, 0, 1, 4, 0, 0, 0, 0), "FORWARD", "NONE"],
  ["a routing header", extended(43, 17, 0, 4, 0, 0, 0, 0, 0), "FORWARD", "NONE"],
  ["an authentication header", extended(51, 17, 1, ...zeros(10)), "PUNT", "IP6_AUTH"],
  [
    "all of them",
    extended(0, 60, 0, 1, 4, ...zeros(4), 43, 0, ...zeros(6), 17, 0, ...zeros(6)),
    "FORWARD",
    "NONE",
  ],
  ["an extension header alone", ip6(60, [60]), "INVALID", ""],
  ["an extension header beyond the packet, and a transport", ip6(60, [17, 9, ...zeros(6)]), "INVALID", ""],
  ["extension headers up to the end", ip6(60, [60, 0, ...zeros(6)]), "INVALID", ""],
  ["padding", hop(1, 4, 0, 0, 0, 0), "FORWARD", "NONE"],
  ["six octets of padding one by one", hop(0, 0, 0, 0, 0, 0), "FORWARD", "NONE"],
  [
    "seven octets of padding, twice",
    extended(0, 17, 2, 1, 5, ...zeros(5), 5, 2, 0, 0, 1, 5, ...zeros(5), 0x1e, 2, 0, 0),
    "FORWARD",
    "NONE",
  ],
  [
    "padding that is too long",
    extended(0, 17, 1, 5, 2, 0, 0, 0x1e, 0, 1, 6, ...zeros(6)),
    "DROP",
    "IP6_OPTION",
  ],
  ["padding that is not 0", hop(1, 4, 0, 0, 0, 1), "DROP", "IP6_OPTION"],
  ["a router alert", hop(5, 2, 0, 0, 1, 0), "FORWARD", "NONE"],
  ["a router alert of three octets", hop(5, 3, 0, 0, 0, 0), "DROP", "IP6_OPTION"],
  ["an option to pass over", hop(0x1e, 4, 1, 2, 3, 4), "FORWARD", "NONE"],
  ["an option to be refused", hop(0x5e, 4, 1, 2, 3, 4), "DROP", "IP6_OPTION"],
  ["an option beyond its header", hop(0x1e, 5, 1, 2, 3, 4), "DROP", "IP6_OPTION"],
  ["an option without a length", hop(0x1e, 3, 1, 2, 3, 0x1e), "DROP", "IP6_OPTION"],
  [
    "eight options",
    extended(0, 17, 2, ...zeros(6), ...new Array(8).fill([0x1e, 0]).flat()),
    "FORWARD",
    "NONE",
  ],
  [
    "nine options",
    extended(0, 17, 2, ...zeros(4), ...new Array(9).fill([0x1e, 0]).flat()),
    "DROP",
    "IP6_OPTION",
  ],
  ["a jumbogram's option", hop(0xc2, 4, 0, 1, 0, 0), "DROP", "IP6_OPTION"],
  ["a hop-by-hop header beyond the packet", ip6(0, [17, 1, 1, 4, 0, 0, 0, 0]), "DROP", "IP6_OPTION"],
  [
    "a hop-by-hop header that is no first one",
    extended(60, 0, 0, ...zeros(6), 17, 0, 0xc2, ...zeros(5)),
    "FORWARD",
    "NONE",
  ],
  [
    "no length before a hop-by-hop header",
    ip6(0, [17, 0, ...zeros(6), ...UDP], { payloadLength: 0 }),
    "FORWARD",
    "NONE",
  ],
  ["no length before others", ip6(17, UDP, { payloadLength: 0 }), "INVALID", ""],
];

/** What conntrack calls INVALID goes this way; rules say what then. */
const BY_RULE = ["DROP", "RULE"];

const CASES: readonly (readonly [what: string, octets: Uint8Array, verdict: string, reason: string])[] = [
  ["no octet", new Uint8Array(0), "DROP", "TRUNCATED"],
  ["less than an Ethernet header", SYN.slice(0, 13), "DROP", "TRUNCATED"],
  ["less than an IPv4 header", SYN.slice(0, 33), "DROP", "TRUNCATED"],
  ["less than its total length", SYN.slice(0, SYN.length - 1), "DROP", "TRUNCATED"],
  ["ARP", arp("10.244.1.7", "10.244.1.1"), "PUNT", "NOT_IP"],
  [
    "a VLAN tag",
    frame()
      .eth({})
      .vlan({ id: 7 })
      .ip4({ src: "10.0.0.1", dst: "10.0.0.2" })
      .udp({ srcPort: 7, dstPort: 7 })
      .bytes(),
    "PUNT",
    "VLAN",
  ],
  ["version 6 in an IPv4 header", ip({ version: 6 }), "DROP", "BAD_HEADER"],
  ["a header of four words", ip({ ihl: 4 }), "DROP", "BAD_HEADER"],
  ["a header longer than the packet", ip({ ihl: 15 }), "DROP", "BAD_HEADER"],
  ["a total length below the header's", ip({ totalLength: 19 }), "DROP", "BAD_HEADER"],
  ["a wrong header checksum", changed(SYN, [22, 63]), "DROP", "BAD_CHECKSUM"],
  ["multicast", ip({ dst: "224.0.0.1" }), "PUNT", "MULTICAST"],
  ["a source of no host", ip({ src: "0.0.0.0" }), "DROP", "MARTIAN"],
  ["a loopback source from outside", ip({ src: "127.0.0.1" }), "DROP", "MARTIAN"],
  ["a multicast source", ip({ src: "224.0.0.1" }), "DROP", "MARTIAN"],
  ["no destination", ip({ dst: "0.0.0.0" }), "DROP", "MARTIAN"],
  ["a loopback destination from outside", ip({ dst: "127.0.0.1" }), "DROP", "MARTIAN"],
  ["broadcast", ip({ dst: "255.255.255.255" }), "PUNT", "MULTICAST"],
  [
    "broadcast of one who has no address yet",
    ip({ src: "0.0.0.0", dst: "255.255.255.255" }),
    "PUNT",
    "MULTICAST",
  ],
  ["from nowhere to nowhere", ip({ src: "0.0.0.0", dst: "0.0.0.0" }), "PUNT", "MULTICAST"],
  ["a broadcast source", ip({ src: "255.255.255.255" }), "DROP", "MARTIAN"],
  ["a source of this network", ip({ src: "0.0.0.1" }), "FORWARD", "NONE"],
  ["a destination of this network", ip({ dst: "0.255.255.255" }), "FORWARD", "NONE"],
  ["a reserved source", ip({ src: "240.0.0.1" }), "FORWARD", "NONE"],
  ["a reserved destination", ip({ dst: "255.255.255.254" }), "FORWARD", "NONE"],
  ["the node's own source", ip({ src: OWN }), "DROP", "MARTIAN"],
  ["a first fragment", ip({ df: false, mf: true }), "PUNT", "FRAGMENT"],
  ["a last fragment", ip({ df: false, fragmentOffset: 8 }), "PUNT", "FRAGMENT"],
  ["SCTP without a chunk", of(132, 12), "INVALID", ""],
  ["an SCTP header that is cut", of(132, 11), "INVALID", ""],
  ["a TCP header that is cut", of(6, 19), "INVALID", ""],
  ["a TCP header of four words", changed(SYN, [46, 0x40]), "INVALID", ""],
  ["a TCP header beyond the packet", changed(SYN, [46, 0xf0]), "INVALID", ""],
  ["a UDP header that is cut", of(17, 7), "INVALID", ""],
  ["a UDP length below its header's", changed(DATAGRAM, [39, 7]), "INVALID", ""],
  ["a UDP length beyond the packet", changed(DATAGRAM, [39, 13]), "INVALID", ""],
  ["an ICMP header that is cut", of(1, 7), "INVALID", ""],
  ["an echo request", icmpEcho("10.0.0.1", "10.0.0.2"), "FORWARD", "NONE"],
  ["a protocol without ports", of(47, 0), "FORWARD", "NONE"],
  ["an IPv4 packet with options", ip({ options: new Uint8Array(40).fill(1) }), "FORWARD", "NONE"],
  ["the end of options", optioned(1, 0, 0, 0), "FORWARD", "NONE"],
  ["an option behind their end", optioned(0, 1, 0, 0), "PUNT", "IP4_OPTION"],
  ["an option that is not known", optioned(0x9e, 4, 1, 2), "FORWARD", "NONE"],
  ["an option of its type and length", optioned(0x9e, 2, 1, 1), "FORWARD", "NONE"],
  ["an IPv4 router alert", optioned(148, 4, 0, 0), "FORWARD", "NONE"],
  ["an IPv4 router alert that is cut", optioned(148, 3, 0, 0), "PUNT", "IP4_OPTION"],
  ["an option without a length", optioned(1, 1, 1, 0x9e), "PUNT", "IP4_OPTION"],
  ["an option shorter than its length", optioned(0x9e, 1, 1, 1), "PUNT", "IP4_OPTION"],
  ["an option beyond the header", optioned(0x9e, 5, 1, 1), "PUNT", "IP4_OPTION"],
  ["record route", optioned(7, 3, 4, 0), "PUNT", "IP4_OPTION"],
  ["a timestamp", optioned(68, 4, 5, 0), "PUNT", "IP4_OPTION"],
  ["a loose source route", optioned(131, 3, 4, 0), "PUNT", "IP4_OPTION"],
  ["a strict source route", optioned(137, 3, 4, 0), "PUNT", "IP4_OPTION"],
  ["a CIPSO label", optioned(134, 4, 0, 0), "PUNT", "IP4_OPTION"],
  ["a SYN", SYN, "FORWARD", "NONE"],
];

/** Two interfaces, and a rule that drops what is INVALID. */
async function router(sysctls: Sysctls = {}): Promise<BareNode> {
  const invalid = new RuleDraft().match(MATCH_CTSTATE, false, CTSTATE_INVALID).target(TARGET_DROP);
  return (await BareNode.make({ sysctls }))
    .route("0.0.0.0/0", { kind: "direct", out: 2 })
    .route("::/0", { kind: "direct", out: 2 })
    .route(`${OWN}/32`, { kind: "local" })
    .route("127.0.0.0/8", { kind: "local" })
    .route("fd02::/64", { kind: "direct", out: 1 })
    .chain(0, invalid)
    .hook(HOOK_FORWARD, 0)
    .hook(HOOK_IP6 + HOOK_FORWARD, 0);
}

describe("parse", () => {
  it.each([...CASES, ...CASES6.map(([what, ...rest]) => [`IPv6: ${what}`, ...rest] as const)])(
    "%s",
    async (_, octets, verdict, reason) => {
      const result = (await router()).one(octets);
      expect([result.verdict, result.reason]).toEqual(verdict === "INVALID" ? BY_RULE : [verdict, reason]);
      if (verdict !== "FORWARD") expect(result.frame).toEqual(octets);
    },
  );

  const LOOPBACK_PACKET = ip({ dst: "127.0.0.1" });

  it("lets packets to loopback addresses in where the node's kernel does", async () => {
    const node = await router({ "net.ipv4.conf.all.route_localnet": 1 });
    expect(node.one(LOOPBACK_PACKET).verdict).toBe("LOCAL");
    expect(node.one(ip({ src: "127.0.0.1" })).reason).toBe("MARTIAN");
    await expect(router({ "net.ipv4.conf.all.route_localnet": -1 })).rejects.toThrow("route_localnet: -1");
  });

  it("asks where a packet goes once PREROUTING has said so", async () => {
    const away = new RuleDraft()
      .dst({ address: ip4("127.0.0.1"), length: 32 }, false)
      .target(TARGET_DNAT, ip4("10.0.0.2"), 0);
    const node = (await router()).chain(1, away).hook(HOOK_PREROUTING, 1, HOOK_NAT);
    expect(node.one(LOOPBACK_PACKET).verdict).toBe("FORWARD");
  });

  it.each([
    ["broadcast", [255, 255, 255, 255, 255, 255]],
    ["multicast", [1, 0, 0x5e, 0, 0, 1]],
  ] as const)("sends nothing on that came in a %s frame, nor answers it", async (_, mac) => {
    const refusal = new RuleDraft().target(TARGET_REJECT);
    const node = (await router()).chain(1, refusal);
    const many = (octets: Uint8Array) => Uint8Array.from([...mac, ...octets.subarray(mac.length)]);
    for (const octets of [SYN, icmpEcho("fd00::7", "fd01::8"), ip({ ttl: 1 })]) {
      const { verdict, reason } = node.one(many(octets));
      expect([verdict, reason]).toEqual(["DROP", "MULTICAST"]);
      expect(node.one(many(octets), 0).reason).not.toBe("MULTICAST");
    }
    const toNode = many(ip({ dst: OWN }));
    expect(node.one(toNode).verdict).toBe("LOCAL");
    node.hook(HOOK_INPUT, 1);
    expect([node.one(toNode).verdict, node.one(ip({ dst: OWN })).verdict]).toEqual(["DROP", "REJECT"]);
  });

  it("hands the node's own stack the packet alone, without the frame's padding", async () => {
    const own = ip({ dst: OWN });
    const { verdict, frame: handed } = (await router()).one(Uint8Array.from([...own, 1, 2, 3]));
    expect([verdict, handed]).toEqual(["LOCAL", own]);
  });

  it("asks less of what the node itself makes", async () => {
    const node = await router();
    for (const src of ["::1", "ff02::1"]) expect(node.one(ip6(17, UDP, { src }), 0).verdict).toBe("FORWARD");
  });
});
