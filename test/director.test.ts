import { describe, expect, it } from "vitest";
import { Director } from "../src/director.js";
import { printIp } from "../src/net/ip.js";
import { frame, tcp, udp } from "../src/packet/build.js";
import { parseIptablesDump } from "../src/ruleset/iptables-dump.js";
import type { RealServer, ServiceAddress, ServiceSettings } from "../src/ruleset/ipvs.js";
import { ip } from "./proxy/cluster-of.js";

const WEB: ServiceAddress & ServiceSettings = {
  protocol: "TCP",
  address: ip("198.51.100.10"),
  port: 80,
  scheduler: "rr",
};

const real = (address: string, more: Partial<RealServer> = {}): RealServer => {
  return { address: ip(address), port: 8080, weight: 1, ...more };
};

const client = (port: number) => tcp(`203.0.113.9:${port}`, "198.51.100.10:80");

/** Where a packet goes, by the director's own words. */
function chosen(director: Director, frame: Uint8Array, now = 0): string | undefined {
  const { frame: out, verdict } = director.engine.follow(frame, { in: "eth0", now });
  if (verdict !== "FORWARD") return verdict;
  return printIp(new DataView(out.buffer, out.byteOffset).getUint32(30));
}

/** Where clients of many ports go, one after the other. */
const taken = (director: Director, ports: readonly number[]) =>
  ports.map((port) => chosen(director, client(port)));

describe("Director", () => {
  it("sends connections to the real servers of a virtual one, newest first", async () => {
    const director = await Director.create();
    director.add({ ...WEB, servers: [real("10.0.0.1"), real("10.0.0.2")] });
    expect(taken(director, [1001, 1002, 1003])).toEqual(["10.0.0.2", "10.0.0.1", "10.0.0.2"]);
  });

  it("takes weights as the kernel does, from 0 to the greatest int, and refuses others", async () => {
    const director = await Director.create();
    director.add({ ...WEB, scheduler: "wrr" });
    for (const [index, weight] of [0, 65_535, 65_536, 2 ** 31 - 1].entries())
      director.addServer(WEB, real(`10.0.0.${index + 1}`, { weight }));
    expect([...director.save().matchAll(/ -w ([0-9]+)/g)].map(([, weight]) => Number(weight))).toEqual([
      0, 65_535, 65_536, 2_147_483_647,
    ]);
    const before = director.save();
    for (const weight of [2 ** 31, -1, 0.5])
      expect(() => director.addServer(WEB, real("10.0.0.9", { weight }))).toThrow(
        /^the weight of real server 10\.0\.0\.9:8080 .* is not a whole number from 0 to 2147483647\.$/,
      );
    expect(director.save()).toBe(before);
    expect(chosen(director, client(1001))).toBe("10.0.0.4");
  });

  it("counts ICMP errors about a connection, which do not prolong it", async () => {
    const director = await Director.create();
    director.add({ ...WEB, servers: [real("10.0.0.1")] });
    const { frame: sent } = director.engine.follow(client(1001), { in: "eth0", now: 0 });
    const answered = tcp("10.0.0.1:8080", "203.0.113.9:1001", { flags: "SA" });
    const { frame: given } = director.engine.follow(answered, { in: "eth0", now: 1_000 });
    const error = (from: string, to: string, about: Uint8Array, now: number) => {
      const head = frame().eth().ip4({ src: from, dst: to }).icmp({ type: 3, code: 1 });
      const { verdict } = director.engine.follow(head.payload(about.slice(14)).bytes(), { in: "eth0", now });
      expect(verdict).toBe("FORWARD");
    };
    error("10.0.0.1", "203.0.113.9", sent, 20_000);
    error("203.0.113.9", "198.51.100.10", given, 30_000);
    expect(director.counters(WEB, 30_000)).toMatchObject([{ inPackets: 2, outPackets: 2 }]);
    expect(director.connections(60_999)).toMatchObject([{ timeout: 1 }]);
    expect(director.connections(61_000)).toEqual([]);
  });

  it("ends a connection for a SYN that nobody takes then, whatever its refusal is about", async () => {
    const director = await Director.create({
      sysctls: { "net.ipv4.vs.conn_reuse_mode": 3, "net.ipv4.vs.conntrack": 0 },
    });
    const full = real("10.0.0.1", { port: 80, forwarding: "direct", upperThreshold: 1 });
    director.add({ ...WEB, servers: [full] });
    const batch = director.batch(1);
    for (const flags of ["S", "FA", "S"] as const) {
      batch.set(0, tcp("203.0.113.9:1001", "198.51.100.10:80", { flags }), director.uplink);
      director.run(batch, 0);
    }
    expect(director.engine.answer(batch, 0)).toBe(true);
    expect(director.connections(10)).toEqual([]);
  });

  it("counts of a virtual server that comes again, and of its real ones, from 0 on", async () => {
    const director = await Director.create();
    const [stays, leaves] = [real("10.0.0.1"), real("10.0.0.2")];
    director.add({ ...WEB, servers: [stays, leaves] });
    taken(director, [1001, 1002]);
    director.removeServer(WEB, leaves);
    director.addServer(WEB, leaves);
    expect(director.counters(WEB)).toMatchObject([{ connections: 1 }, { connections: 1 }]);
    director.removeServer(WEB, leaves);
    director.remove(WEB);
    director.add({ ...WEB, servers: [leaves, stays] });
    const anew = { connections: 0, inPackets: 0, inOctets: 0 };
    // Its connections are those that it had.
    expect(director.counters(WEB)).toMatchObject([
      { ...anew, active: 1 },
      { ...anew, active: 1 },
    ]);
    director.engine.follow(tcp("203.0.113.9:1001", "198.51.100.10:80", { flags: "A" }), { in: "eth0" });
    expect(director.list({ columns: "stats" })).toMatch(/TCP +198.51.100.10:80 +0 +1 +0 +40 +0\n/);
  });

  it("counts of a virtual server from 0 on whose number another one had", async () => {
    const director = await Director.create();
    director.add({ ...WEB, servers: [real("10.0.0.1")] });
    taken(director, [1001, 1002]);
    director.remove(WEB);
    director.add({ ...WEB, port: 81, servers: [real("10.0.0.1")] });
    expect(director.list({ columns: "stats" })).toMatch(/TCP +198.51.100.10:81 +0 +0 +0 +0 +0\n/);
  });

  it("schedules an ICMP error by the destination of what it quotes, where its scheduler goes by destinations", async () => {
    const servers = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map((address) => real(address));
    const sysctls = { "net.ipv4.vs.schedule_icmp": 1 };
    const errors = await Director.create({ sysctls });
    errors.add({ ...WEB, scheduler: "dh", servers });
    const quoted = tcp("198.51.100.10:80", "203.0.113.12:1001", { flags: "A" }).slice(14);
    const error = frame().eth().ip4({ src: "203.0.113.12", dst: "198.51.100.10" }).icmp({ type: 3, code: 3 });
    const requests = await Director.create();
    requests.add({ ...WEB, address: ip("203.0.113.12"), scheduler: "dh", servers });
    const asked = tcp("198.51.100.10:80", "203.0.113.12:80");
    expect(chosen(errors, error.payload(quoted).bytes())).toBe(chosen(requests, asked));
    expect(chosen(errors, client(1002))).not.toBe(chosen(requests, asked));
  });

  it("refuses what a server sends unasked by a protocol that it serves", async () => {
    const director = await Director.create({ sysctls: { "net.ipv4.vs.nat_icmp_send": 1 } });
    director.add({ ...WEB, servers: [real("10.0.0.1")] });
    const unasked = (frame: Uint8Array) => director.engine.follow(frame, { in: "eth0" }).verdict;
    expect(unasked(tcp("10.0.0.1:8080", "203.0.113.9:1001"))).toBe("REJECT");
    expect(unasked(udp("10.0.0.1:8080", "203.0.113.9:1001"))).toBe("FORWARD");
  });

  it("lists the template of a firewall mark with the mark in the first word of an IPv6 address", async () => {
    const marks = "*mangle\n-A PREROUTING -d 2001:db8:96::1/128 -j MARK --set-mark 54\nCOMMIT\n";
    const director = await Director.create({
      rules: parseIptablesDump(`# Generated by ip6tables-save v1.8.9\n${marks}`, "marks"),
      localAddresses: [ip("2001:db8:96::1")],
    });
    const servers = [real("2001:db8:244::1")];
    director.add({ mark: 54, family: 6, scheduler: "rr", persistence: 300, servers });
    const frame = tcp("[2001:db8:20::1]:1001", "[2001:db8:96::1]:8080");
    director.engine.follow(frame, { in: "eth0", now: 0 });
    const [template] = director.connections(0).filter(({ isTemplate }) => isTemplate);
    expect(template?.virtual).toEqual({ address: ip("0:36::"), port: 0 });
  });
});

describe("A director's caller without types", () => {
  const web = { protocol: "TCP", address: ip("198.51.100.10"), port: 80, scheduler: "rr" };
  const refusals: readonly (readonly [string, object, string])[] = [
    [
      "an address in text",
      { ...web, address: "198.51.100.10" },
      "the address of a virtual server: «198.51.100.10» is none: give what parseIp reads.",
    ],
    [
      "no address",
      { ...web, address: undefined },
      "the address of a virtual server: nothing is none: give what parseIp reads.",
    ],
    [
      "an unknown protocol",
      { ...web, protocol: "tcp" },
      "the protocol of a virtual server: «tcp» is none: give TCP, UDP, SCTP, or a firewall mark.",
    ],
    [
      "a mark of no family",
      { mark: 7, scheduler: "rr" },
      "the family of firewall mark 7: nothing is none: give 4 or 6.",
    ],
    [
      "an unknown scheduler",
      { ...web, scheduler: "fastest" },
      "the scheduler of virtual server TCP 198.51.100.10:80: «fastest» is none: there are rr, wrr, lc, wlc, lblc, lblcr, dh, sh, sed, nq, fo, ovf, mh, twos.",
    ],
  ];

  it.each(refusals)("is told of %s", async (_, service, message) => {
    const director = await Director.create();
    expect(() => director.add(service as typeof WEB)).toThrow(new TypeError(message));
    expect(director.save()).toBe("");
  });

  it("is told of a real server's address in text, and changes nothing", async () => {
    const director = await Director.create();
    director.add(WEB);
    const server = { ...real("10.0.0.1"), address: "10.0.0.1" } as unknown as RealServer;
    const message = "the address of a real server: «10.0.0.1» is none: give what parseIp reads.";
    expect(() => director.addServer(WEB, server)).toThrow(new TypeError(message));
    expect(() => director.editServer(WEB, server)).toThrow(new TypeError(message));
    expect(() => director.removeServer(WEB, server)).toThrow(new TypeError(message));
    expect(director.counters(WEB)).toEqual([]);
  });

  it("is told of unknown columns", async () => {
    const director = await Director.create();
    const message =
      "columns: «rates» are none of ipvsadm's: there are stats, thresholds, persistent-conn, tun-info.";
    expect(() => director.list({ columns: "rates" as "stats" })).toThrow(new TypeError(message));
  });
});
