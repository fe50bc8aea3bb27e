import { describe, expect, it } from "vitest";
import { Cluster, compile, Engine, tcp, udp } from "../../src/index.js";
import { parseIp } from "../../src/net/ip.js";
import { frame } from "../../src/packet/build.js";
import { verifyChecksums } from "../../src/packet/checksum.js";
import { describePacket } from "../../src/packet/describe.js";
import { read16, read32 } from "../../src/packet/octets.js";
import type { RealServer } from "../../src/ruleset/ipvs.js";
import { fragmentOf, fragmentsOf } from "../fragments-of.js";

/** How packets get to real servers that are not masqueraded (ip_vs_xmit.c), octet by octet. */

const YAML = `
{ apiVersion: v1, kind: Node, metadata: { name: a }, spec: { podCIDRs: [10.244.1.0/24, "fd00:244:1::/64"] },
  status: { addresses: [{ type: InternalIP, address: 172.18.0.2 }, { type: InternalIP, address: "fd00:18::2" }] } }
---
{ apiVersion: v1, kind: Pod, metadata: { name: web, labels: { app: web } }, spec: { nodeName: a,
  containers: [{ name: web, image: web }] }, status: { podIP: 10.244.1.9, podIPs: [{ ip: 10.244.1.9 }, { ip: "fd00:244:1::9" }] } }
---
{ apiVersion: v1, kind: Service, metadata: { name: web }, spec: { clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10, "fd00:96::10"],
  ipFamilies: [IPv4, IPv6], ipFamilyPolicy: RequireDualStack, selector: { app: web },
  ports: [{ name: tcp, port: 80, targetPort: 8080 }, { name: udp, protocol: UDP, port: 53 }] } }
`;
const CLIENT = "198.51.100.7:41000";
const VIP = "10.96.0.10:80";
const [ETH, IP4, IP6] = [14, 20, 40];
/** Of the bridge, which leaves room for a VXLAN. */
const MTU = 1450;

type Forwarding = RealServer["forwarding"];

/** A node whose real servers are reached so, perhaps at another address and port. */
async function nodeWith(forwarding: Forwarding, at: Partial<RealServer> = {}): Promise<Engine> {
  const compiled = compile(Cluster.parse(YAML), { proxy: "ipvs" });
  const servers = compiled.ipvs?.servers.map((server) => ({
    ...server,
    servers: server.servers.map((real) => ({
      ...real,
      port: server.port ?? 0,
      ...(typeof real.address === "number" ? at : {}),
      ...(forwarding === undefined ? {} : { forwarding }),
    })),
  }));
  return Engine.load({ ...compiled, ipvs: { servers: servers ?? [] } });
}

/** Outsiders are masqueraded, pods are not. */
const POD = "10.244.1.7:41000";
const depart = (node: Engine, octets: Uint8Array, now = 0) => node.follow(octets, { in: "cni0", now });
const arrive = (node: Engine, octets: Uint8Array, now = 0) => node.follow(octets, { in: "eth0", now });

describe("direct routing", () => {
  it("leaves the packet as it is, but for a hop, and sends it to the server's link", async () => {
    const node = await nodeWith("direct");
    const asked = tcp(POD, VIP, { ttl: 9, payload: 5 });
    const { verdict, frame } = depart(node, asked);
    expect(verdict).toBe("FORWARD");
    expect(describePacket(frame)).toMatchObject({ dst: "10.96.0.10", dstPort: 80, ttl: 8 });
    expect(frame.subarray(ETH + IP4)).toEqual(asked.subarray(ETH + IP4));
    expect(verifyChecksums(frame)).toEqual({ ip: "good", l4: "good" });
    const masqueraded = depart(await nodeWith(undefined), asked).frame;
    expect(frame.subarray(0, 6)).toEqual(masqueraded.subarray(0, 6));
    // Answers do not come by here: requests alone say how far the connection is.
    depart(node, tcp(POD, VIP, { flags: "A" }), 10);
    expect(node.ipvsConnections(10).map(({ state }) => state)).toEqual(["ESTABLISHED"]);
    const [tracked] = node.listConnections(10);
    expect(tracked?.reply).toMatchObject({ src: parseIp("10.96.0.10"), srcPort: 80 });
  });

  it("is not led by a packet's last hop", async () => {
    const { verdict, reason } = arrive(await nodeWith("direct"), tcp(CLIENT, VIP, { ttl: 1 }));
    expect([verdict, reason]).toEqual(["DROP", "TTL_EXCEEDED"]);
  });

  it("to the node itself is delivery, with the address that was asked", async () => {
    const { verdict, frame } = arrive(await nodeWith("direct", { address: 0xac_12_00_02 }), tcp(CLIENT, VIP));
    expect(verdict).toBe("LOCAL");
    expect(describePacket(frame)).toMatchObject({ dst: "10.96.0.10", ttl: 64 });
  });
});

describe("masquerading", () => {
  it("to the node itself rewrites and delivers, and the node's answers come from the virtual server", async () => {
    const node = await nodeWith(undefined, { address: 0xac_12_00_02, port: 8080 });
    const { verdict, frame } = arrive(node, tcp(CLIENT, VIP));
    expect(verdict).toBe("LOCAL");
    expect(describePacket(frame)).toMatchObject({ dst: "172.18.0.2", dstPort: 8080, ttl: 64 });
    const answer = node.follow(tcp("172.18.0.2:8080", CLIENT, { flags: "SA" }), { now: 10 });
    expect(answer.verdict).toBe("FORWARD");
    expect(describePacket(answer.frame)).toMatchObject({ src: "10.96.0.10", srcPort: 80, ttl: 64 });
  });

  it("does not rewrite a transport header that is not all there, of requests and of answers", async () => {
    const node = await nodeWith(undefined, { port: 8080 });
    // Its IPv4 header counts so many octets less.
    const cut = (octets: Uint8Array, length: number) =>
      fragmentOf(octets.subarray(0, ETH + IP4 + length), { offset: 0, length, more: false });
    const [asked, answered] = [tcp(POD, VIP, { flags: "A" }), tcp("10.244.1.9:8080", POD, { flags: "A" })];
    expect(depart(node, tcp(POD, VIP)).verdict).toBe("FORWARD");
    const fates = [asked, answered].flatMap((octets) => {
      return [19, 20].map((length) => depart(node, cut(octets, length), 10));
    });
    // The whole answer goes its way, to an address that nobody has.
    expect(fates.map(({ verdict, reason }) => `${verdict} ${reason}`)).toEqual([
      "DROP TRUNCATED",
      "FORWARD NONE",
      "DROP TRUNCATED",
      "DROP NO_NEIGHBOUR",
    ]);
  });

  it("reads states behind the fixed header of IPv6, whatever stands there", async () => {
    const stateAfter = async (seq: number, padding?: number) => {
      const node = await nodeWith(undefined);
      const ip = frame().eth().ip6({ src: "2001:db8::7", dst: "fd00:96::10" });
      const head = padding === undefined ? ip : ip.extension({ kind: padding, options: new Uint8Array(6) });
      arrive(node, head.tcp({ srcPort: 7, dstPort: 80, flags: "S", seq }).bytes());
      return node.ipvsConnections(0).map(({ state }) => state);
    };
    expect(await stateAfter(0x10_0000)).toEqual(["SYN_RECV"]);
    // Where flags would be stands the sequence number's second octet.
    expect(await stateAfter(0, 60)).toEqual(["CLOSE"]);
    expect(await stateAfter(0x02_0000, 60)).toEqual(["SYN_RECV"]);
    expect(await stateAfter(0x10_0000, 0)).toEqual(["ESTABLISHED"]);
  });

  it("asks of IPv4 with DF that came in fragments whether it fits as one, and of IPv6 whether they do", async () => {
    const engine = await nodeWith(undefined);
    const node = await Engine.load(engine.ruleset, { fragments: 1 << 16 });
    const payload = new Uint8Array(MTU);
    const lastOf = (octets: Uint8Array, df: boolean) =>
      fragmentsOf(octets, [800], { df }).map((one) => arrive(node, one))[1];
    const asked = udp("198.51.100.7:4", "10.96.0.10:53", { payload });
    expect(lastOf(asked, true)).toMatchObject({ verdict: "DROP", reason: "FRAGMENTATION_NEEDED" });
    expect(lastOf(asked, false)?.verdict).toBe("FORWARD");
    const asked6 = udp("[2001:db8::7]:4", "[fd00:96::10]:53", { payload });
    expect(lastOf(asked6, false)?.verdict).toBe("FORWARD");
  });

  it("leads nothing from the world to 127/8, nor what has no route", async () => {
    for (const [address, reason] of [
      ["127.0.0.1", "MARTIAN"],
      ["203.0.113.9", "FORWARD"],
    ] as const) {
      const node = await nodeWith(undefined, { address: parseIp(address) as number });
      const told = arrive(node, tcp(CLIENT, VIP));
      expect(told.verdict === "FORWARD" ? told.verdict : told.reason).toBe(reason);
    }
  });
});

/** What stands before the packet that went in, and that packet, by an outer header of so many octets. */
function opened(left: Uint8Array, asked: Uint8Array, outer: number): Uint8Array {
  const inner = left.subarray(ETH + outer);
  expect(inner.subarray(IP4)).toEqual(asked.subarray(ETH + IP4));
  expect(inner[8]).toBe((asked[ETH + 8] ?? 0) - 1);
  expect(inner.subarray(12, IP4)).toEqual(asked.subarray(ETH + 12, ETH + IP4));
  return left.subarray(0, ETH + outer);
}

describe("tunnels", () => {
  it.each([
    [0x28, 0x28],
    [0x2b, 0x2a],
  ])("IP in IP keep TTL, DF and type of service %i, but for congestion", async (tos, outerTos) => {
    const node = await nodeWith({ tunnel: "ipip" });
    const asked = tcp(CLIENT, VIP, { ttl: 9, tos, payload: 5 });
    const { verdict, frame } = arrive(node, asked);
    expect(verdict).toBe("FORWARD");
    const head = opened(frame, asked, IP4);
    const dontFragment = read16(asked, ETH + 6) & 0x4000;
    expect(describePacket(frame)).toMatchObject({ src: "10.244.1.1", dst: "10.244.1.9", ttl: 8 });
    expect([head[ETH], head[ETH + 1], head[ETH + 9]]).toEqual([0x45, outerTos, 4]);
    expect(read16(head, ETH + 2)).toBe(frame.length - ETH);
    expect(read16(head, ETH + 6)).toBe(dontFragment);
    expect(read16(head, ETH + 4) === 0).toBe(dontFragment !== 0);
    expect(verifyChecksums(frame).ip).toBe("good");
    // The outer packet is a connection of the node's own, beside the inner one.
    expect(node.listConnections().map(({ protocol }) => protocol)).toEqual([6, 4]);
  });

  it.each([undefined, "csum", "remcsum"] as const)("GUE stand behind UDP, %s", async (checksum) => {
    const gue = { tunnel: "gue", port: 6080, ...(checksum === undefined ? {} : { checksum }) } as const;
    const asked = udp(CLIENT, "10.96.0.10:53", { payload: 7 });
    const { verdict, frame } = arrive(await nodeWith(gue), asked);
    expect(verdict).toBe("FORWARD");
    opened(frame, asked, IP4 + 12);
    expect(describePacket(frame)).toMatchObject({ dst: "10.244.1.9", dstPort: 6080 });
    const source = describePacket(frame).srcPort ?? 0;
    expect(source >= 32_768 && source < 60_999).toBe(true);
    expect(read16(frame, ETH + IP4 + 4)).toBe(frame.length - ETH - IP4);
    expect(read16(frame, ETH + IP4 + 6) === 0).toBe(checksum === undefined);
    if (checksum !== undefined) expect(verifyChecksums(frame).l4).toBe("good");
    expect(read32(frame, ETH + IP4 + 8)).toBe(0x00_04_00_00);
  });

  it.each([undefined, "csum"] as const)("GRE name the protocol, %s", async (checksum) => {
    const gre = { tunnel: "gre", ...(checksum === undefined ? {} : { checksum }) } as const;
    const asked = tcp(CLIENT, VIP, { payload: 7 });
    const { frame } = arrive(await nodeWith(gre), asked);
    const length = checksum === undefined ? 4 : 8;
    opened(frame, asked, IP4 + length);
    expect(frame[ETH + 9]).toBe(47);
    expect(read32(frame, ETH + IP4)).toBe(checksum === undefined ? 0x0800 : 0x8000_0800);
    if (checksum === undefined) return;
    let sum = 0;
    for (let at = ETH + IP4; at < frame.length; at += 2)
      sum += at + 1 < frame.length ? read16(frame, at) : (frame[at] ?? 0) << 8;
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    expect(sum).toBe(0xffff);
  });

  it("carry IPv6 in IPv6", async () => {
    const asked = tcp("[2001:db8::7]:41000", "[fd00:96::10]:80", { ttl: 9, payload: 5 });
    const { verdict, frame } = arrive(await nodeWith({ tunnel: "ipip" }), asked);
    expect(verdict).toBe("FORWARD");
    expect(describePacket(frame)).toMatchObject({ dst: "fd00:244:1::9", ttl: 8 });
    expect([frame[ETH + 6], read16(frame, ETH + 4)]).toEqual([41, asked.length - ETH]);
    expect(frame.subarray(ETH + IP6 + 8)).toEqual(asked.subarray(ETH + 8));
  });

  it("leave so much less of the way's MTU, and say so", async () => {
    const node = await nodeWith({ tunnel: "gre", checksum: "csum" });
    const longest = arrive(node, tcp(CLIENT, VIP, { payload: MTU - 40 - 28 }));
    expect(longest.verdict).toBe("FORWARD");
    const batch = node.batch(1, { frameLength: 2048 });
    const longer = tcp(CLIENT, VIP, { payload: MTU - 40 - 27 });
    batch.set(0, longer, node.interfaceNumber(longer, "eth0"));
    node.run(batch, 10);
    expect([batch.verdict(0), batch.reason(0)]).toEqual(["DROP", "FRAGMENTATION_NEEDED"]);
    expect(node.answer(batch, 0)).toBe(true);
    const answer = batch.frame(0);
    expect(describePacket(answer)).toMatchObject({ src: "10.96.0.10", dst: "198.51.100.7" });
    expect(read32(answer, ETH + IP4 + 4)).toBe(MTU - 28);
  });
});
