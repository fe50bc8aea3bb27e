import { describe, expect, it } from "vitest";
import { arp, frame, icmpEcho, tcp, udp } from "../../src/packet/build.js";
import { BareNode } from "../bare-node.js";

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

const CASES: readonly (readonly [what: string, octets: Uint8Array, verdict: string, reason: string])[] = [
  ["no octet", new Uint8Array(0), "DROP", "TRUNCATED"],
  ["less than an Ethernet header", SYN.slice(0, 13), "DROP", "TRUNCATED"],
  ["less than an IPv4 header", SYN.slice(0, 33), "DROP", "TRUNCATED"],
  ["less than its total length", SYN.slice(0, SYN.length - 1), "DROP", "TRUNCATED"],
  ["ARP", arp("10.244.1.7", "10.244.1.1"), "PUNT", "NOT_IP4"],
  ["IPv6", tcp("[fd00::7]:1", "[fd00::8]:80"), "PUNT", "NOT_IP4"],
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
  ["a first fragment", ip({ df: false, mf: true }), "PUNT", "FRAGMENT"],
  ["a last fragment", ip({ df: false, fragmentOffset: 8 }), "PUNT", "FRAGMENT"],
  [
    "SCTP",
    frame().eth({}).ip4({ src: "10.0.0.1", dst: "10.0.0.2", protocol: 132 }).payload(12).bytes(),
    "PUNT",
    "PROTOCOL",
  ],
  [
    "a TCP header that is cut",
    frame().eth({}).ip4({ src: "10.0.0.1", dst: "10.0.0.2", protocol: 6 }).payload(19).bytes(),
    "DROP",
    "TRUNCATED",
  ],
  ["a TCP header of four words", changed(SYN, [46, 0x40]), "DROP", "TRUNCATED"],
  ["a TCP header beyond the packet", changed(SYN, [46, 0xf0]), "DROP", "TRUNCATED"],
  [
    "a UDP header that is cut",
    frame().eth({}).ip4({ src: "10.0.0.1", dst: "10.0.0.2", protocol: 17 }).payload(7).bytes(),
    "DROP",
    "TRUNCATED",
  ],
  ["a UDP length below its header's", changed(DATAGRAM, [39, 7]), "DROP", "TRUNCATED"],
  ["a UDP length beyond the packet", changed(DATAGRAM, [39, 13]), "DROP", "TRUNCATED"],
  [
    "an ICMP header that is cut",
    frame().eth({}).ip4({ src: "10.0.0.1", dst: "10.0.0.2", protocol: 1 }).payload(7).bytes(),
    "DROP",
    "TRUNCATED",
  ],
  ["an echo request", icmpEcho("10.0.0.1", "10.0.0.2"), "FORWARD", "NONE"],
  [
    "a protocol without ports",
    frame().eth({}).ip4({ src: "10.0.0.1", dst: "10.0.0.2", protocol: 47 }).bytes(),
    "FORWARD",
    "NONE",
  ],
  ["an IPv4 packet with options", ip({ options: new Uint8Array(40).fill(1) }), "FORWARD", "NONE"],
  ["a SYN", SYN, "FORWARD", "NONE"],
];

describe("parse", () => {
  it.each(CASES)("%s", async (_, octets, verdict, reason) => {
    const node = (await BareNode.make()).route("0.0.0.0/0", { kind: "direct", out: 2 });
    const result = node.one(octets);
    expect([result.verdict, result.reason]).toEqual([verdict, reason]);
    if (verdict !== "FORWARD") expect(result.frame).toEqual(octets);
  });
});
