import { type Family, parseIp } from "../../../src/net/ip.js";
import { parsePrefix } from "../../../src/net/prefix.js";
import { icmpEcho, sctp, tcp, udp } from "../../../src/packet/build.js";
import type { Match } from "../../../src/ruleset/iptables.js";
import { CALI1, CALI2, ETH0 } from "./rule-node.js";

/** A frame, and the interface that it comes in by. */
export type Arrival = readonly [frame: Uint8Array, inNumber: number];

export interface Case {
  readonly family?: Family;
  readonly match: Match;
  readonly hits: readonly (Uint8Array | Arrival)[];
  readonly misses: readonly (Uint8Array | Arrival)[];
  /** Negated it is undecided. */
  readonly onlyPlain?: true;
  /** Asked in PREROUTING: rpfilter is nowhere else, and some frames come no farther. */
  readonly early?: true;
  /** Hit neither as they are nor negated. */
  readonly never?: readonly (Uint8Array | Arrival)[];
}

const ip = (text: string) => {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
};
const prefix = (text: string) => {
  const found = parsePrefix(text);
  if (found === undefined) throw new Error(text);
  return found;
};

const POD = "10.244.1.7";
const FAR = "198.51.100.9";
const POD6 = "2001:db8:2::7";
const FAR6 = "2001:db8:ffff::9";
const syn = tcp(`${POD}:41000`, `${FAR}:80`);
const dns = udp(`${POD}:5353`, `${FAR}:53`);
const ping = icmpEcho(POD, FAR);
const syn6 = tcp(`[${POD6}]:41000`, `[${FAR6}]:80`);
const dns6 = udp(`[${POD6}]:5353`, `[${FAR6}]:53`);
const ping6 = icmpEcho(POD6, FAR6);
const flagged = (flags: string) => tcp(`${POD}:41000`, `${FAR}:80`, { flags });

/** Matches by what they ask for, with packets that hit and packets that miss. */
export const CASES: Readonly<Record<string, Case>> = {
  "a protocol": { match: { kind: "protocol", protocol: "TCP" }, hits: [syn], misses: [dns, ping] },
  "a protocol by number": {
    match: { kind: "protocol", protocol: 132 },
    hits: [sctp(`${POD}:1`, `${FAR}:2`)],
    misses: [syn],
  },
  "a source": {
    match: { kind: "source", prefix: prefix("10.244.1.0/29") },
    hits: [syn],
    misses: [tcp("10.244.1.8:1", `${FAR}:1`)],
  },
  "an IPv6 source": {
    family: 6,
    match: { kind: "source", prefix: prefix("2001:db8:2::/64") },
    hits: [syn6],
    misses: [tcp("[2001:db8:3::7]:1", `[${FAR6}]:1`)],
  },
  "one IPv6 destination": {
    family: 6,
    match: { kind: "destination", prefix: prefix(`${FAR6}/128`) },
    hits: [syn6],
    misses: [tcp(`[${POD6}]:1`, "[2001:db8:fffe::9]:1"), tcp(`[${POD6}]:1`, "[2001:db8:ffff::8]:1")],
  },
  "a way in": { match: { kind: "in-interface", name: "cali1" }, hits: [syn], misses: [[syn, ETH0]] },
  "ways in by their beginning": {
    match: { kind: "in-interface", name: "cali+" },
    hits: [syn, [syn, CALI2]],
    misses: [[syn, ETH0]],
  },
  "any way in": { match: { kind: "in-interface", name: "+" }, hits: [syn, [syn, ETH0]], misses: [] },
  "a way out": {
    match: { kind: "out-interface", name: "eth0" },
    hits: [syn],
    misses: [tcp(`${FAR}:1`, `${POD}:2`)],
  },
  "ways out by their beginning": {
    match: { kind: "out-interface", name: "cali+" },
    hits: [tcp(`${FAR}:1`, `${POD}:2`)],
    misses: [syn],
  },
  "a way that the node has not": {
    match: { kind: "in-interface", name: "wlan0" },
    hits: [],
    misses: [syn, [syn, ETH0]],
  },
  "no first fragment": { match: { kind: "fragment" }, hits: [], misses: [syn] },
  "source ports": {
    match: { kind: "sport", from: 40000, to: 41000 },
    hits: [syn],
    misses: [tcp(`${POD}:41001`, `${FAR}:80`)],
  },
  "source ports between which there is none": {
    match: { kind: "sport", from: 5353, to: 5352 },
    hits: [],
    misses: [dns, udp(`${POD}:5352`, `${FAR}:53`), udp(`${POD}:7`, `${FAR}:53`)],
  },
  "destination ports between which there is none": {
    match: { kind: "dport", from: 53, to: 3 },
    hits: [],
    misses: [dns, udp(`${POD}:1`, `${FAR}:3`), udp(`${POD}:1`, `${FAR}:5`), udp(`${POD}:1`, `${FAR}:65535`)],
  },
  "TCP flags": {
    match: { kind: "tcp-flags", mask: 0x17, flags: 2 },
    hits: [syn],
    misses: [flagged("SA"), flagged("A"), flagged("SF")],
    never: [dns],
  },
  "an ICMP type": {
    match: { kind: "icmp", type: 8 },
    hits: [ping],
    misses: [icmpEcho(POD, FAR, { reply: true })],
    never: [syn],
  },
  "an ICMP type and code": { match: { kind: "icmp", type: 8, code: 1 }, hits: [], misses: [ping] },
  "any ICMP": { match: { kind: "icmp" }, hits: [ping, icmpEcho(POD, FAR, { reply: true })], misses: [] },
  "an ICMPv6 type": {
    family: 6,
    match: { kind: "icmpv6", type: 128 },
    hits: [ping6],
    misses: [icmpEcho(POD6, FAR6, { reply: true })],
  },
  "many destination ports": {
    match: {
      kind: "multiport",
      on: "dports",
      ports: [
        [22, 22],
        [79, 81],
        [443, 443],
      ],
    },
    hits: [syn, tcp(`${POD}:1`, `${FAR}:443`), tcp(`${POD}:1`, `${FAR}:79`)],
    misses: [dns, tcp(`${POD}:80`, `${FAR}:82`)],
  },
  "many source ports": {
    match: { kind: "multiport", on: "sports", ports: [[5353, 5353]] },
    hits: [dns],
    misses: [syn],
  },
  "ports of either side": {
    match: {
      kind: "multiport",
      on: "ports",
      ports: [
        [1, 1],
        [2, 2],
        [3, 3],
        [4, 4],
        [53, 53],
      ],
    },
    hits: [dns, udp(`${POD}:53`, `${FAR}:99`)],
    misses: [syn],
  },
  "a range of sources": {
    match: { kind: "iprange", side: "src", from: ip("10.244.1.6"), to: ip("10.244.1.7") },
    hits: [syn],
    misses: [tcp("10.244.1.8:1", `${FAR}:1`), tcp("10.244.1.5:1", `${FAR}:1`)],
  },
  "a range of destinations": {
    match: { kind: "iprange", side: "dst", from: ip("198.51.100.9"), to: ip("198.51.100.10") },
    hits: [syn],
    misses: [tcp(`${POD}:1`, "198.51.100.11:1")],
  },
  "a range of destinations in which there is none": {
    match: { kind: "iprange", side: "dst", from: ip("198.51.100.10"), to: ip("198.51.100.9") },
    hits: [],
    misses: [syn, tcp(`${POD}:1`, "198.51.100.10:1"), tcp(`${POD}:1`, "198.51.100.11:1")],
  },
  "a range of IPv6 sources in which there is none": {
    family: 6,
    match: { kind: "iprange", side: "src", from: ip("2001:db8:2::8"), to: ip(POD6) },
    hits: [],
    misses: [syn6, tcp("[2001:db8:2::8]:1", `[${FAR6}]:1`), tcp("[2001:db8:2::9]:1", `[${FAR6}]:1`)],
  },
  "a range of IPv6 sources": {
    family: 6,
    match: { kind: "iprange", side: "src", from: ip("2001:db8:1:ffff::"), to: ip(POD6) },
    hits: [syn6],
    misses: [tcp("[2001:db8:2::8]:1", `[${FAR6}]:1`), tcp("[2001:db8:1:fffe::]:1", `[${FAR6}]:1`)],
  },
  "a mark": { match: { kind: "mark", value: 0, mask: 0xffffffff }, hits: [syn], misses: [] },
  "a connection's mark": {
    match: { kind: "connmark", value: 0, mask: 0xff },
    hits: [syn],
    misses: [],
    never: [flagged("SA")],
  },
  "connection states": {
    match: { kind: "ctstate", states: ["INVALID", "ESTABLISHED"] },
    hits: [flagged("SA")],
    misses: [syn, dns],
  },
  "a connection's direction": {
    match: { kind: "ctdir", direction: "ORIGINAL" },
    hits: [syn],
    misses: [],
    never: [flagged("SA")],
  },
  "a connection's protocol": {
    match: { kind: "ctproto", protocol: 17 },
    hits: [dns],
    misses: [syn],
    never: [flagged("SA")],
  },
  "a connection's first destination": {
    match: { kind: "ctaddress", end: "origdst", prefix: prefix("198.51.100.0/24") },
    hits: [syn],
    misses: [tcp(`${POD}:1`, "203.0.113.1:1")],
  },
  "a connection's answerer": {
    match: { kind: "ctaddress", end: "replsrc", prefix: prefix(`${FAR}/32`) },
    hits: [syn],
    misses: [tcp(`${POD}:1`, "203.0.113.1:1")],
  },
  "an IPv6 connection's first destination": {
    family: 6,
    match: { kind: "ctaddress", end: "origdst", prefix: prefix("2001:db8:ffff::/64") },
    hits: [syn6],
    misses: [tcp(`[${POD6}]:1`, "[2001:db8:fffe::9]:1"), tcp(`[${POD6}]:1`, "[2001:db8:ffff:1::9]:1")],
    onlyPlain: true,
  },
  "a connection's first port": {
    match: { kind: "ctport", end: "origdst", from: 53, to: 80 },
    hits: [syn, dns],
    misses: [tcp(`${POD}:1`, `${FAR}:81`)],
  },
  "first ports between which there is none": {
    match: { kind: "ctport", end: "origdst", from: 80, to: 53 },
    hits: [],
    misses: [syn, dns, tcp(`${POD}:1`, `${FAR}:70`)],
  },
  "a connection's status": {
    match: { kind: "ctstatus", statuses: ["CONFIRMED", "SEEN_REPLY"] },
    hits: [],
    misses: [syn],
    never: [flagged("SA")],
  },
  "no status at all": { match: { kind: "ctstatus", statuses: ["NONE"] }, hits: [], misses: [syn] },
  "an address that is the node's": {
    match: { kind: "addrtype", side: "src", types: ["LOCAL"] },
    hits: [],
    misses: [syn],
  },
  "an address that is no one's own": {
    match: { kind: "addrtype", side: "dst", types: ["UNICAST", "MULTICAST"] },
    hits: [syn],
    misses: [],
  },
  "an address that is not broadcast": {
    match: { kind: "addrtype", side: "dst", types: ["BROADCAST"] },
    hits: [],
    misses: [syn],
  },
  "an IPv6 address of a type": {
    family: 6,
    match: { kind: "addrtype", side: "dst", types: ["UNICAST"] },
    hits: [syn6],
    misses: [],
  },
  "no IPv6 multicast": {
    family: 6,
    match: { kind: "addrtype", side: "dst", types: ["MULTICAST"] },
    hits: [],
    misses: [syn6],
  },
  "a frame's source": {
    match: { kind: "mac", address: 0x0a58_0102_0304 },
    hits: [tcp(`${POD}:1`, `${FAR}:1`, { srcMac: 0x0a58_0102_0304 })],
    misses: [syn, tcp(`${POD}:1`, `${FAR}:1`, { srcMac: 0x0a58_0102_0305 })],
  },
  "a frame's destination": {
    early: true,
    match: { kind: "pkttype", type: "unicast" },
    hits: [syn],
    misses: [tcp(`${POD}:1`, `${FAR}:1`, { dstMac: "ff:ff:ff:ff:ff:ff" })],
  },
  "a broadcast frame": {
    early: true,
    match: { kind: "pkttype", type: "broadcast" },
    hits: [tcp(`${POD}:1`, `${FAR}:1`, { dstMac: "ff:ff:ff:ff:ff:ff" })],
    misses: [syn, tcp(`${POD}:1`, `${FAR}:1`, { dstMac: "01:00:5e:00:00:01" })],
  },
  "a TTL as it leaves": {
    match: { kind: "ttl", is: "eq", value: 63 },
    hits: [syn],
    misses: [tcp(`${POD}:1`, `${FAR}:1`, { ttl: 63 })],
  },
  "a lesser TTL": {
    match: { kind: "ttl", is: "lt", value: 10 },
    hits: [tcp(`${POD}:1`, `${FAR}:1`, { ttl: 10 })],
    misses: [syn, tcp(`${POD}:1`, `${FAR}:1`, { ttl: 11 })],
  },
  "no lesser TTL": { match: { kind: "ttl", is: "lt", value: 0 }, hits: [], misses: [syn] },
  "a greater hop limit": {
    family: 6,
    match: { kind: "hl", is: "gt", value: 62 },
    hits: [syn6],
    misses: [tcp(`[${POD6}]:1`, `[${FAR6}]:1`, { ttl: 63 })],
  },
  "a length": {
    match: { kind: "length", from: 40, to: 41 },
    hits: [syn, tcp(`${POD}:1`, `${FAR}:1`, { payload: 1 })],
    misses: [dns, tcp(`${POD}:1`, `${FAR}:1`, { payload: 2 })],
  },
  "lengths between which there is none": {
    match: { kind: "length", from: 41, to: 40 },
    hits: [],
    misses: [syn, tcp(`${POD}:1`, `${FAR}:1`, { payload: 1 }), dns],
  },
  "an IPv6 length": { family: 6, match: { kind: "length", from: 48, to: 48 }, hits: [dns6], misses: [syn6] },
  "a DSCP": {
    match: { kind: "dscp", value: 46 },
    hits: [tcp(`${POD}:1`, `${FAR}:1`, { tos: 0xba })],
    misses: [syn],
  },
  "a traffic class": {
    family: 6,
    match: { kind: "tos", value: 0xb8, mask: 0xfc },
    hits: [tcp(`[${POD6}]:1`, `[${FAR6}]:1`, { tos: 0xbb })],
    misses: [syn6],
  },
  "a way back": {
    early: true,
    match: { kind: "rpfilter" },
    hits: [syn],
    misses: [[syn, ETH0], tcp(`${FAR}:1`, "203.0.113.1:1")],
  },
  "a way back anywhere": {
    early: true,
    match: { kind: "rpfilter", loose: true },
    hits: [syn, [syn, ETH0]],
    misses: [tcp("172.18.0.2:1", `${FAR}:1`)],
  },
  "a way back to the node": {
    early: true,
    match: { kind: "rpfilter", acceptLocal: true },
    hits: [[tcp("172.18.0.2:1", `${FAR}:1`), ETH0]],
    misses: [tcp("172.18.0.2:1", `${FAR}:1`)],
  },
  "a way back of IPv6": {
    family: 6,
    early: true,
    match: { kind: "rpfilter" },
    hits: [syn6],
    misses: [[syn6, ETH0]],
  },
  "what only counts": { match: { kind: "nfacct", name: "x" }, hits: [syn], misses: [] },
  "whose the packet is, where no one's is": {
    match: { kind: "owner", id: "uid", from: 0, to: 0 },
    hits: [],
    misses: [syn],
  },
  "a bridge's port, where there is no bridge": {
    match: { kind: "physdev-in", name: "vif1" },
    hits: [],
    misses: [syn],
  },
};

/** Frames come from a Pod unless they say otherwise. */
export const arrivalOf = (one: Uint8Array | Arrival): Arrival =>
  one instanceof Uint8Array ? [one, CALI1] : one;
