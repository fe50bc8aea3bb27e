import { describe, expect, it } from "vitest";
import { Cluster, compile, Engine, type FollowOptions, frame, tcp, udp } from "../../src/index.js";
import { printIp } from "../../src/net/ip.js";
import { describePacket } from "../../src/packet/describe.js";

/** Beside IPVS' own table stands conntrack's (ip_vs_nfct.c): who knows what of a connection, and for how long. */

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
{ apiVersion: v1, kind: Pod, metadata: { name: other }, spec: { nodeName: a,
  containers: [{ name: other, image: other }] }, status: { podIP: 10.244.1.10 } }
---
{ apiVersion: v1, kind: Service, metadata: { name: web }, spec: { type: NodePort, clusterIP: 10.96.0.10,
  selector: { app: web }, ports: [{ name: tcp, port: 80, targetPort: 8080, nodePort: 30080 },
  { name: udp, protocol: UDP, port: 53, nodePort: 30053 }] } }
`;
const CLIENT = "10.244.1.7:41000";
const VIP = "10.96.0.10:80";
const DNS = "10.96.0.10:53";
const SERVER = "10.244.1.9:8080";

interface Case {
  readonly sysctls?: Readonly<Record<string, number>>;
  readonly udp?: number;
}

async function engine({ sysctls = {}, udp: seconds }: Case = {}): Promise<Engine> {
  const compiled = compile(Cluster.parse(YAML), { proxy: "ipvs" });
  const timeouts = seconds === undefined ? {} : { timeouts: { udp: seconds } };
  return Engine.load({
    ...compiled,
    sysctls: { ...compiled.sysctls, ...sysctls },
    ipvs: { servers: compiled.ipvs?.servers ?? [], ...timeouts },
  });
}

const ends = (octets: Uint8Array) => {
  const { src, srcPort, dst, dstPort } = describePacket(octets);
  return `${src}:${srcPort} > ${dst}:${dstPort}`;
};

/** Follows packets of a second of its own each: verdict or reason, and the ends that it leaves with. */
function follow(node: Engine, octets: Uint8Array, second: number, by: FollowOptions["in"] = "cni0"): string {
  const { verdict, reason, frame: left } = node.follow(octets, { in: by as string, now: second * 1000 });
  return verdict === "FORWARD" || verdict === "LOCAL" ? `${verdict} ${ends(left)}` : `${verdict} ${reason}`;
}

const told = (node: Engine, now = 0) =>
  node.listConnections(now).map(({ original, reply }) => {
    const one = ({ src, srcPort, dst, dstPort }: typeof original) =>
      `${printIp(src)}:${srcPort} > ${printIp(dst)}:${dstPort}`;
    return `${one(original)}, ${one(reply)}`;
  });

describe("conntrack beside IPVS", () => {
  it("learns of the server, from which answers come, and what comes back leaves FORWARD from the virtual address", async () => {
    const node = await engine();
    expect(follow(node, tcp(CLIENT, VIP), 0)).toBe(`FORWARD ${CLIENT} > ${SERVER}`);
    expect(told(node)).toEqual([`${CLIENT} > ${VIP}, ${SERVER} > ${CLIENT}`]);
    expect(follow(node, tcp(SERVER, CLIENT, { flags: "SA" }), 1)).toBe(`FORWARD ${VIP} > ${CLIENT}`);
    expect(follow(node, tcp(CLIENT, VIP, { flags: "A" }), 2)).toBe(`FORWARD ${CLIENT} > ${SERVER}`);
    expect(node.listConnections(2000)[0]?.state).toBe("ESTABLISHED");
    expect(node.ipvsConnections(2000).map(({ state }) => state)).toEqual(["ESTABLISHED"]);
  });

  it("masquerades behind IPVS, and answers find both ends", async () => {
    const node = await engine();
    const from = "198.51.100.7:5000";
    const sent = follow(node, tcp(from, "172.18.0.2:30080"), 0, "eth0");
    const [, port] = /^FORWARD 10\.244\.1\.1:(\d+) > 10\.244\.1\.9:8080$/.exec(sent) ?? [];
    expect(port).toBeDefined();
    expect(follow(node, tcp(SERVER, `10.244.1.1:${port}`, { flags: "SA" }), 1)).toBe(
      `FORWARD 172.18.0.2:30080 > ${from}`,
    );
  });

  it("goes with the IPVS connection, and is gone before it in turn", async () => {
    const brief = await engine({ udp: 10 });
    expect(follow(brief, udp(CLIENT, DNS), 0)).toBe(`FORWARD ${CLIENT} > 10.244.1.9:53`);
    expect(brief.connections).toBe(1);
    follow(brief, udp("198.51.100.7:1", "198.51.100.8:1"), 11, "eth0");
    expect(told(brief, 11_000)).not.toContain(expect.stringContaining("10.96.0.10"));
    const usual = await engine();
    follow(usual, udp(CLIENT, DNS), 0);
    // After 30 seconds conntrack has forgotten it: an answer is a new connection, and still the virtual server's.
    expect(follow(usual, udp("10.244.1.9:53", CLIENT), 60)).toBe(`FORWARD ${DNS} > ${CLIENT}`);
    expect(told(usual, 60_000)).toEqual([`10.244.1.9:53 > ${CLIENT}, ${CLIENT} > ${DNS}`]);
    expect(follow(usual, udp(CLIENT, DNS), 61)).toBe(`FORWARD ${CLIENT} > 10.244.1.9:53`);
  });

  it("stands in the way where a SYN is to go to another server, until it is sent once more", async () => {
    const node = await engine();
    const talk = (from: string, to: string, flags: string, second: number) =>
      follow(node, tcp(from, to, { flags }), second);
    talk(CLIENT, VIP, "S", 0);
    talk(SERVER, CLIENT, "SA", 1);
    talk(CLIENT, VIP, "A", 2);
    const server = node.ruleset.ipvs?.servers.find(({ port, protocol }) => port === 80 && protocol === "TCP");
    const [real] = server?.servers ?? [];
    if (server === undefined || real === undefined) throw new Error("no server");
    const other = { ...real, address: 0x0a_f4_01_0a };
    node.apply([{ kind: "server-set", server: { ...server, servers: [{ ...real, weight: 0 }, other] } }]);
    // What is open stays where it is.
    expect(talk(CLIENT, VIP, "A", 3)).toBe(`FORWARD ${CLIENT} > ${SERVER}`);
    expect(talk(CLIENT, VIP, "S", 4)).toBe("DROP RESCHEDULED");
    expect(talk(CLIENT, VIP, "S", 5)).toBe(`FORWARD ${CLIENT} > 10.244.1.10:8080`);
    expect(told(node, 5000)).toEqual([`${CLIENT} > ${VIP}, 10.244.1.10:8080 > ${CLIENT}`]);
  });

  it("begins anew by itself where the connection is over: then the SYN goes at once", async () => {
    const node = await engine();
    follow(node, tcp(CLIENT, VIP), 0);
    follow(node, tcp(SERVER, CLIENT, { flags: "SA" }), 0);
    follow(node, tcp(CLIENT, VIP, { flags: "A" }), 0);
    follow(node, tcp(CLIENT, VIP, { flags: "R" }), 1);
    expect(node.ipvsConnections(1000).map(({ state }) => state)).toEqual(["CLOSE"]);
    expect(follow(node, tcp(CLIENT, VIP), 2)).toBe(`FORWARD ${CLIENT} > ${SERVER}`);
    // The old one ends a moment later.
    expect(node.ipvsConnections(2001).map(({ state }) => state)).toEqual(["SYN_RECV"]);
  });

  it("has nobody to ask where a server leaves: its connections end with it, or their packets are dropped", async () => {
    for (const [expires, verdict] of [
      [1, "LOCAL"],
      [0, "DROP NO_SERVER"],
    ] as const) {
      const node = await engine({ sysctls: { "net.ipv4.vs.expire_nodest_conn": expires } });
      follow(node, tcp(CLIENT, VIP), 0);
      follow(node, tcp(SERVER, CLIENT, { flags: "SA" }), 1);
      const servers = node.ruleset.ipvs?.servers ?? [];
      for (const server of servers) node.apply([{ kind: "server-set", server: { ...server, servers: [] } }]);
      expect(follow(node, tcp(CLIENT, VIP, { flags: "A" }), 2)).toContain(verdict);
    }
  });

  it("is not asked where conn_reuse_mode is 0: the SYN is the old connection's", async () => {
    const node = await engine({ sysctls: { "net.ipv4.vs.conn_reuse_mode": 0 } });
    follow(node, tcp(CLIENT, VIP), 0);
    follow(node, tcp(CLIENT, VIP, { flags: "R" }), 1);
    expect(follow(node, tcp(CLIENT, VIP), 2)).toBe(`FORWARD ${CLIENT} > ${SERVER}`);
  });

  it("follows nothing of IPVS' with vs/conntrack=0, neither way", async () => {
    const node = await engine({ sysctls: { "net.ipv4.vs.conntrack": 0 } });
    expect(follow(node, tcp(CLIENT, VIP), 0)).toBe(`FORWARD ${CLIENT} > ${SERVER}`);
    expect(follow(node, tcp(SERVER, CLIENT, { flags: "SA" }), 1)).toBe(`FORWARD ${VIP} > ${CLIENT}`);
    expect(node.connections).toBe(0);
    // Masquerading is conntrack's, so there is none.
    expect(follow(node, tcp("198.51.100.7:5000", "172.18.0.2:30080"), 2, "eth0")).toBe(
      `FORWARD 198.51.100.7:5000 > ${SERVER}`,
    );
  });

  it("gives a datagram from port 20 of the node a port by which IPVS takes it where it comes in again", async () => {
    const node = await engine();
    const sent = node.follow(udp("172.18.0.2:20", DNS));
    expect(sent.verdict).toBe("FORWARD");
    expect(describePacket(sent.frame)).toMatchObject({ dst: "10.244.1.9", dstPort: 53, ttl: 63 });
    expect(describePacket(sent.frame).srcPort).not.toBe(20);
  });

  it("reads an error about what a server answered, and one about what it was asked", async () => {
    const node = await engine();
    follow(node, udp(CLIENT, DNS), 0);
    const asked = node.follow(udp(CLIENT, DNS), { in: "cni0", now: 1000 }).frame;
    const answered = node.follow(udp("10.244.1.9:53", CLIENT), { in: "cni0", now: 2000 }).frame;
    const error = (src: string, dst: string, about: Uint8Array) =>
      frame().eth().ip4({ src, dst }).icmp({ type: 3, code: 3 }).payload(about.slice(14)).bytes();
    const back = node.follow(error("10.244.1.9", "10.244.1.7", asked), { in: "cni0", now: 3000 });
    expect(describePacket(back.frame)).toMatchObject({ src: "10.96.0.10", dst: "10.244.1.7" });
    const led = node.follow(error("10.244.1.7", "10.96.0.10", answered), { in: "cni0", now: 3000 });
    expect(describePacket(led.frame)).toMatchObject({ src: "10.244.1.7", dst: "10.244.1.9", ttl: 63 });
    // One that a wire has broken is dropped by IPVS, whatever rules would make of it.
    const broken = error("10.244.1.9", "10.244.1.7", asked);
    broken[40] = (broken[40] ?? 0) ^ 1;
    expect(follow(node, broken, 4)).toBe("DROP BAD_CHECKSUM");
  });
});
