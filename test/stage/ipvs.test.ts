import { describe, expect, it } from "vitest";
import { Cluster, type CompileOptions, compile, Engine, frame, sctp, tcp, udp } from "../../src/index.js";
import { parseIp } from "../../src/net/ip.js";
import { verifyChecksums } from "../../src/packet/checksum.js";
import { describePacket } from "../../src/packet/describe.js";
import { read16 } from "../../src/packet/octets.js";

const YAML = `
{ apiVersion: v1, kind: Node, metadata: { name: a }, spec: { podCIDR: 10.244.1.0/24 },
  status: { addresses: [{ type: InternalIP, address: 172.18.0.2 }] } }
---
{ apiVersion: v1, kind: Pod, metadata: { name: web, labels: { app: web } }, spec: { nodeName: a,
  containers: [{ name: web, image: web }] }, status: { podIP: 10.244.1.9 } }
---
{ apiVersion: v1, kind: Pod, metadata: { name: cart }, spec: { nodeName: a,
  containers: [{ name: cart, image: cart }] }, status: { podIP: 10.244.1.7 } }
---
{ apiVersion: v1, kind: Service, metadata: { name: web }, spec: { clusterIP: 10.96.0.10, selector: { app: web },
  ports: [{ port: 80, targetPort: 8080 }] } }
---
{ apiVersion: v1, kind: Service, metadata: { name: dns }, spec: { clusterIP: 10.96.0.11, selector: { app: web },
  ports: [{ port: 53, protocol: UDP }] } }
---
{ apiVersion: v1, kind: Service, metadata: { name: edge }, spec: { type: NodePort, clusterIP: 10.96.0.12,
  selector: { app: web }, ports: [{ name: tcp, port: 80, targetPort: 8080, nodePort: 30080 },
  { name: udp, port: 53, protocol: UDP, nodePort: 30053 }, { name: sctp, port: 5000, protocol: SCTP }] } }
---
{ apiVersion: v1, kind: Service, metadata: { name: idle }, spec: { type: NodePort, clusterIP: 10.96.0.13,
  selector: { app: idle }, ports: [{ port: 53, protocol: UDP, nodePort: 30054 }] } }
`;

const IP6 = `
{ apiVersion: v1, kind: Node, metadata: { name: a }, spec: { podCIDR: fd00:244:1::/64 },
  status: { addresses: [{ type: InternalIP, address: fd00:18::2 }] } }
---
{ apiVersion: v1, kind: Pod, metadata: { name: web, labels: { app: web } }, spec: { nodeName: a,
  containers: [{ name: web, image: web }] }, status: { podIP: "fd00:244:1::9" } }
---
{ apiVersion: v1, kind: Service, metadata: { name: dns }, spec: { clusterIP: "fd00:96::b", selector: { app: web },
  ports: [{ port: 53, protocol: UDP }] } }
`;

const CLIENT = "10.244.1.7:41000";
const NODE = "172.18.0.2:41000";
const VIP = "10.96.0.10:80";
const DNS = "10.96.0.11:53";
const SCTP = "10.96.0.12:5000";
const OUTSIDE = "198.51.100.9:8080";

function engine(options: CompileOptions = {}): Promise<Engine> {
  return Engine.load(compile(Cluster.parse(YAML), { ...options, proxy: "ipvs" }));
}

describe("ipvs", () => {
  it("leaves an ACK that it does not know to the local stack, and still schedules the SYN that follows", async () => {
    const node = await engine();
    expect(node.follow(tcp(CLIENT, VIP, { flags: "A" }), { in: "cni0" }).verdict).toBe("LOCAL");
    const { verdict, frame } = node.follow(tcp(CLIENT, VIP, { flags: "S" }), { in: "cni0", now: 10 });
    expect(verdict).toBe("FORWARD");
    expect(describePacket(frame)).toMatchObject({ dst: "10.244.1.9", dstPort: 8080 });
    // What is scheduled stays: a SYN sent again is of the same connection.
    const again = node.follow(tcp(CLIENT, VIP, { flags: "S" }), { in: "cni0", now: 20 });
    expect(again.verdict).toBe("FORWARD");
    // conntrack's is the ACK's, and knows of no server: what that answers is INVALID, but IPVS knows whose answer it is.
    expect(node.connections).toBe(1);
    expect(node.ipvsConnections(20)).toHaveLength(1);
    const answer = node.follow(tcp("10.244.1.9:8080", CLIENT, { flags: "SA" }), { in: "cni0", now: 30 });
    expect(describePacket(answer.frame)).toMatchObject({ src: "10.96.0.10", srcPort: 80, dst: "10.244.1.7" });
  });

  it("sends packets on as a router: the TTL goes down even on one bridge, and for the node's own", async () => {
    const node = await engine();
    for (const [from, name] of [
      [CLIENT, "cni0"],
      [NODE, undefined],
    ] as const) {
      const options = name === undefined ? {} : { in: name };
      expect(describePacket(node.follow(tcp(from, VIP), options).frame)).toMatchObject({ ttl: 63 });
      const last = node.follow(tcp(from.replace("41000", "41001"), VIP, { ttl: 1 }), options);
      expect([last.verdict, last.reason]).toEqual(["DROP", "TTL_EXCEEDED"]);
    }
  });

  it("schedules whatever has SYN and no RST, which conntrack need not follow, and knows what comes after", async () => {
    const node = await engine();
    for (const [index, [flags, verdict]] of (
      [
        ["SA", "FORWARD"],
        ["SF", "FORWARD"],
        ["SR", "LOCAL"],
        ["F", "LOCAL"],
      ] as const
    ).entries()) {
      const frame = tcp(`10.244.1.7:${41_000 + index}`, VIP, { flags });
      expect([flags, node.follow(frame, { in: "cni0" }).verdict]).toEqual([flags, verdict]);
    }
    expect(node.connections).toBe(0);
    expect(node.ipvsConnections()).toHaveLength(2);
    expect(node.follow(tcp(CLIENT, VIP, { flags: "R" }), { in: "cni0" }).verdict).toBe("FORWARD");
  });

  it("has conntrack look at a bad checksum twice: the second time it believes it, of a packet to the server", async () => {
    const node = await engine();
    const bad = tcp(CLIENT, VIP);
    bad.fill(1, 50, 52);
    expect(node.follow(bad, { in: "cni0" }).verdict).toBe("FORWARD");
    const [own] = node.listConnections();
    expect(own?.original).toMatchObject({ dst: parseIp("10.244.1.9"), dstPort: 8080 });
    // The good one is another connection then, with the same answers: its port must be another.
    const good = describePacket(node.follow(tcp(CLIENT, VIP), { in: "cni0", now: 5 }).frame);
    expect(good).toMatchObject({ src: "10.244.1.7", dst: "10.244.1.9" });
    expect(good.srcPort).not.toBe(41_000);
  });

  it("leaves what comes from FTP's data port to the local stack", async () => {
    const node = await engine();
    expect(node.follow(tcp("10.244.1.7:20", VIP), { in: "cni0" }).verdict).toBe("LOCAL");
    expect(node.follow(udp("10.244.1.7:20", DNS), { in: "cni0" }).verdict).toBe("LOCAL");
  });

  it("takes answers to a port that the node asks from for requests where that is a nodePort", async () => {
    const node = await engine();
    const ask = (packet: Uint8Array) => node.follow(packet).verdict;
    const answer = (packet: Uint8Array) => node.follow(packet, { in: "eth0" });
    expect(ask(udp("172.18.0.2:30054", OUTSIDE))).toBe("FORWARD");
    const refused = answer(udp(OUTSIDE, "172.18.0.2:30054"));
    expect([refused.verdict, refused.reason]).toEqual(["REJECT", "NO_DESTINATION"]);
    expect(ask(udp("172.18.0.2:30053", OUTSIDE))).toBe("FORWARD");
    const taken = answer(udp(OUTSIDE, "172.18.0.2:30053"));
    expect(taken.verdict).toBe("FORWARD");
    expect(describePacket(taken.frame)).toMatchObject({
      src: "198.51.100.9",
      dst: "10.244.1.9",
      dstPort: 53,
    });
    expect(ask(tcp("172.18.0.2:30080", OUTSIDE))).toBe("FORWARD");
    expect(describePacket(answer(tcp(OUTSIDE, "172.18.0.2:30080", { flags: "SA" })).frame)).toMatchObject({
      dst: "10.244.1.9",
      dstPort: 8080,
    });
    expect(answer(tcp(OUTSIDE.replace("8080", "8081"), "172.18.0.2:30080", { flags: "RA" })).verdict).toBe(
      "LOCAL",
    );
    // conntrack makes nothing new of any of them; IPVS knows two from then on.
    expect(node.connections).toBe(3);
    expect(node.ipvsConnections()).toHaveLength(2);
  });

  it("knows the answers of its own servers, to whatever port", async () => {
    const node = await engine();
    const asked = node.follow(udp("172.18.0.2:30054", DNS));
    expect(asked.verdict).toBe("FORWARD");
    const { src, srcPort } = describePacket(asked.frame);
    const answer = node.follow(udp("10.244.1.9:53", `${src}:${srcPort}`), { in: "cni0" });
    expect(answer.verdict).toBe("LOCAL");
    expect(describePacket(answer.frame)).toMatchObject({ src: "10.96.0.11", dstPort: 30054 });
  });

  it("schedules an SCTP association by its INIT alone", async () => {
    const node = await engine();
    for (const chunk of ["DATA", "INIT ACK", "ABORT", "COOKIE ECHO"] as const)
      expect(node.follow(sctp(CLIENT, SCTP, { chunk, tag: 7 }), { in: "cni0" }).verdict).toBe("LOCAL");
    const init = sctp("10.244.1.7:41001", SCTP, { chunk: "INIT", payload: 16 });
    const { verdict, frame } = node.follow(init, { in: "cni0" });
    expect(verdict).toBe("FORWARD");
    expect(describePacket(frame)).toMatchObject({ dst: "10.244.1.9", dstPort: 5000 });
  });

  it("leaves the checksum of SCTP that an ICMP error quotes", async () => {
    const node = await engine();
    const init = sctp("10.244.1.7:41001", SCTP, { chunk: "INIT", payload: 16 });
    const { frame: sent } = node.follow(init, { in: "cni0" });
    const error = frame().eth().ip4({ src: "10.244.1.9", dst: "10.244.1.7" }).icmp({ type: 3, code: 1 });
    const quoting = error.payload(sent.slice(14)).bytes();
    const { verdict, frame: told } = node.follow(quoting, { in: "cni0" });
    expect(verdict).toBe("FORWARD");
    expect(describePacket(told)).toMatchObject({ src: "10.96.0.12", dst: "10.244.1.7" });
    expect(told.subarray(42 + 28, 42 + 32)).toEqual(sent.subarray(14 + 28, 14 + 32));
  });

  it("adds an address to the checksum that an ICMPv6 error quotes, behind IPVS, and leaves it its port", async () => {
    const node = await Engine.load(compile(Cluster.parse(IP6), { proxy: "ipvs" }));
    const [client, vip] = ["[fd00:7::7]:41000", "[fd00:96::b]:53"];
    const { frame: asked } = node.follow(udp(client, vip), { in: "eth0" });
    const { src, srcPort } = describePacket(asked);
    expect(srcPort).not.toBe(41_000);
    const { frame: answered } = node.follow(udp("[fd00:244:1::9]:53", `[${src}]:${srcPort}`), { in: "cni0" });
    const error = frame().eth().ip6({ src: "fd00:7::7", dst: "fd00:96::b" }).icmp6({ type: 1, code: 4 });
    const told = node.follow(error.payload(answered.slice(14)).bytes(), { in: "eth0" });
    expect(told.verdict).toBe("FORWARD");
    expect(verifyChecksums(told.frame).l4).toBe("good");
    const quoted = told.frame.subarray(14 + 40 + 8);
    expect(read16(quoted, 42)).toBe(srcPort);
    const sumOf = (octets: Uint8Array) =>
      [0, 2, 4, 6, 8, 10, 12, 14].reduce((sum, at) => sum + read16(octets, at), 0);
    const added = sumOf(quoted.subarray(24, 40)) - sumOf(answered.subarray(14 + 24, 14 + 40));
    expect(read16(quoted, 46) % 0xffff).toBe((read16(answered, 14 + 46) + added + 0xffff * 8) % 0xffff);
  });

  it("gives a datagram without a checksum one, and leaves the one that an ICMP error quotes", async () => {
    const node = await engine();
    const [client, pod] = ["10.244.1.7", "10.244.1.9"];
    const asked = udp(CLIENT, DNS, { payload: 5 });
    asked.fill(0, 40, 42);
    const { frame: sent } = node.follow(asked, { in: "cni0" });
    expect(verifyChecksums(sent)).toEqual({ ip: "good", l4: "good" });
    expect(read16(sent, 40)).not.toBe(0);
    const quote = sent.slice(14);
    const error = frame()
      .eth()
      .ip4({ src: pod, dst: client })
      .icmp({ type: 3, code: 3 })
      .payload(quote)
      .bytes();
    const { frame: told } = node.follow(error, { in: "cni0" });
    expect(verifyChecksums(told)).toEqual({ ip: "good", l4: "good" });
    expect(describePacket(told)).toMatchObject({ src: "10.96.0.11", dst: client });
    expect(read16(told, 42 + 26)).toBe(read16(sent, 40));
  });

  it("schedules as kube-proxy's --ipvs-scheduler says, and tells it", async () => {
    const said = (["rr", "wrr", "sh", "dh", "mh"] as const).map(async (ipvsScheduler) => {
      const text = (await engine({ ipvsScheduler })).trace(tcp(CLIENT, VIP), { in: "cni0" });
      return /^ipvs +default\/web \S+, (.*) → 10.244.1.9:8080$/m.exec(text)?.[1];
    });
    expect(await Promise.all(said)).toEqual(["rr", "wrr", "sh", "dh", "mh (mh-port)"]);
  });

  it("says why Maglev refuses a client whose server takes no more", async () => {
    const ruleset = compile(Cluster.parse(YAML), { proxy: "ipvs", ipvsScheduler: "mh" });
    const quiet = ruleset.ipvs?.servers.map((server) => ({
      ...server,
      servers: server.servers.map((real) => ({ ...real, weight: 0, lastWeight: 1 })),
    }));
    const node = await Engine.load({ ...ruleset, ipvs: { servers: quiet ?? [] } });
    const text = node.trace(tcp(CLIENT, VIP), { in: "cni0" });
    expect(text).toContain("mh (mh-port): no real server");
    expect(text).toContain("default/web has no server that takes it");
  });
});
