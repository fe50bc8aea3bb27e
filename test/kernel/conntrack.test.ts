import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writePcap } from "../../src/io/pcap.js";
import { icmpEcho, sctp, udp } from "../../src/packet/build.js";
import { frame } from "../../src/packet/frame.js";
import { printConnection } from "../../src/ruleset/connections.js";
import { routerOf } from "../track/router.js";
import { cannotRun, inNamespace } from "./namespace.js";

/** Random talks through the kernel's conntrack and the machine's: what both list in the end must be the same. */

const TALKS = 1500;
const FIRST_PORT = 2000;
/** CONNTRACK_SEED asks others. Of the second an RST comes that repeats the end of its own sender's SYN. */
const SEEDS = [20_261, 1_866_683_961];
const NODE_MAC = "02:00:00:00:00:01";
const GATEWAY_MAC = "02:00:00:00:00:02";
/** Nobody's: what is forwarded ends on the wire. */
const NEIGHBOUR_MAC = "02:00:00:00:00:03";
const [CLIENT, SERVER] = ["10.1.0.2", "10.2.0.2"];
/** Timeouts so long that nothing expires before it is listed. */
const LONG = 300;
const SETTINGS = [
  "tcp_timeout_close",
  "sctp_timeout_closed",
  "sctp_timeout_cookie_wait",
  "sctp_timeout_cookie_echoed",
  "sctp_timeout_shutdown_sent",
  "sctp_timeout_shutdown_recd",
  "sctp_timeout_shutdown_ack_sent",
].map((setting) => `net.netfilter.nf_conntrack_${setting}`);
/** Seconds that the kernel may have needed. */
const PATIENCE = 14;

/** Both ends are behind one interface, so that the order of packets is kept. */
const NODE = `
ip link add node type veth peer name wire
ip link set node address ${NODE_MAC}
ip link set wire address ${GATEWAY_MAC}
ethtool -K node tx off rx off gro off gso off tso off >/dev/null 2>&1 || true
sysctl -qw net.ipv6.conf.all.disable_ipv6=1
ip link set node up
ip link set wire up arp off
ip addr add 10.0.0.1/24 dev node
ip route add default via 10.0.0.2 dev node
ip neigh add 10.0.0.2 lladdr ${NEIGHBOUR_MAC} dev node nud permanent
sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.node.rp_filter=0
sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.node.send_redirects=0
sysctl -qw ${SETTINGS.map((name) => `${name}=${LONG}`).join(" ")}
nft 'table ip t { chain c { type filter hook forward priority 0; ct state invalid counter drop; }; }'
`;
const LIST = `
sed 's/^ipv4 *2 //; s/ zone=0//; s/ use=.*//' /proc/net/nf_conntrack
nft list table ip t | sed -n 's/.*counter packets \\([0-9]*\\).*/invalid \\1/p'
`;

const obstacle = cannotRun(`${NODE}\ntcpreplay --version >/dev/null 2>&1\n${LIST}`);

const CHUNKS = [
  "INIT",
  "INIT ACK",
  "COOKIE ECHO",
  "COOKIE ACK",
  "HEARTBEAT",
  "HEARTBEAT ACK",
  "ABORT",
  "SHUTDOWN",
  "SHUTDOWN ACK",
  "SHUTDOWN COMPLETE",
  "DATA",
  "ERROR",
] as const;
/** An INIT's fields: initiate tag 1, and what else there must be. */
const INIT = Uint8Array.from([0, 0, 0, 1, 0, 0, 4, 0, 0, 1, 0, 1, 0, 0, 0, 1]);

const number = fc.oneof(fc.constantFrom(1000, 1000, 1001, 1001), fc.integer({ min: 995, max: 1005 }));
const packet = fc.record({
  isReply: fc.boolean(),
  flags: fc.constantFrom("S", "SA", "A", "A", "PA", "FA", "FA", "R", "RA", "SF", ""),
  seq: number,
  ack: number,
  payload: fc.constantFrom(0, 0, 1, 3),
  window: fc.constantFrom(0, 3, 1000, 1000),
  chunk: fc.constantFrom(...CHUNKS),
  tag: fc.constantFrom(0, 1, 1, 1, 2),
});
const talk = fc.record({
  protocol: fc.constantFrom("tcp", "tcp", "tcp", "sctp", "sctp", "udp", "icmp"),
  packets: fc.array(packet, { minLength: 1, maxLength: 9 }),
});
type Packet = typeof packet extends fc.Arbitrary<infer T> ? T : never;

/** No talk's: where its packet is listed, all that came before it are. */
const LAST_PORT = 1999;
const SENTINEL = udp(`${CLIENT}:${LAST_PORT}`, `${SERVER}:9`, { srcMac: GATEWAY_MAC, dstMac: NODE_MAC });

/** A packet of the talk that has this port at the client. */
function frameOf(
  protocol: string,
  port: number,
  { isReply, chunk, tag, payload, ...tcp }: Packet,
): Uint8Array {
  const [from, to] = isReply ? [SERVER, CLIENT] : [CLIENT, SERVER];
  const [srcPort, dstPort] = isReply ? [80, port] : [port, 80];
  const [src, dst] = [`${from}:${srcPort}`, `${to}:${dstPort}`];
  const macs = { srcMac: GATEWAY_MAC, dstMac: NODE_MAC };
  if (protocol === "udp") return udp(src, dst, { ...macs, payload });
  if (protocol === "icmp") return icmpEcho(from, to, { ...macs, id: port, reply: isReply });
  if (protocol === "sctp") return sctp(src, dst, { ...macs, chunk, tag, payload: INIT });
  const ip = frame().eth({ src: GATEWAY_MAC, dst: NODE_MAC }).ip4({ src: from, dst: to });
  return ip
    .tcp({ srcPort, dstPort, ...tcp })
    .payload(payload)
    .bytes();
}

/** Lines of a list by what they say but how many seconds are left. */
function byText(lines: readonly string[]): ReadonlyMap<string, number> {
  return new Map(
    lines.flatMap((line) => {
      const [, name = "", left = "", rest = ""] = /^(\w+ +\d+) (\d+) (.*?) mark=/.exec(line.trim()) ?? [];
      return name === "" ? [] : [[`${name} ${rest}`.replace(/ +/g, " "), Number(left)] as const];
    }),
  );
}

/** The list of a kernel that was sent the frames, and how many of them it called INVALID. */
function replay(frames: readonly Uint8Array[]): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), "conntrack-"));
  const file = join(folder, "talks.pcap");
  try {
    const packets = [...frames, SENTINEL].map((bytes) => ({ timestampNs: 0n, bytes }));
    writeFileSync(file, writePcap({ packets }));
    const play = `
tcpreplay -q -p 20000 -i wire ${file} >/dev/null 2>&1
tries=0
until [ $tries = 1000 ] || grep -q 'sport=${LAST_PORT} ' /proc/net/nf_conntrack; do tries=$((tries + 1)); done`;
    const list = inNamespace(`${NODE}\n${play}\n${LIST}`).split("\n");
    return list.filter((line) => !line.includes(`sport=${LAST_PORT} `));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe(`conntrack in the kernel${obstacle === undefined ? "" : ` (${obstacle})`}`, () => {
  const { CONNTRACK_SEED: said } = process.env;
  it.skipIf(obstacle !== undefined).each(said === undefined ? SEEDS : [Number(said)])(
    "keeps of random talks the connections that the machine keeps, with their states, windows and timeouts: seed %i",
    { timeout: 120_000 },
    async (seed) => {
      const talks = fc.sample(talk, { numRuns: TALKS, seed });
      const frames = talks.flatMap(({ protocol, packets }, index) =>
        packets.map((one) => frameOf(protocol, FIRST_PORT + index, one)),
      );
      const kernel = replay(frames);
      const sysctls = Object.fromEntries(SETTINGS.map((name) => [name, LONG]));
      const node = await routerOf({ windows: true, connections: 2 * TALKS, sysctls });
      const invalid = frames.filter((octets) => node.one(octets).verdict !== "FORWARD").length;
      const theirs = byText(kernel);
      const ours = byText(node.connections().map(printConnection));
      const isSame = (text: string) =>
        Math.abs((theirs.get(text) ?? -LONG) - (ours.get(text) ?? -LONG)) < PATIENCE;
      const wrong = [...new Set([...theirs.keys(), ...ours.keys()])].filter((text) => !isSame(text));
      expect({ seed, wrong }).toEqual({ seed, wrong: [] });
      expect(kernel).toContain(`invalid ${invalid}`);
      expect(ours.size).toBeGreaterThan(TALKS / 2);
    },
  );
});
