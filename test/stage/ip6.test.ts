import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  HOOK_FORWARD,
  HOOK_INPUT,
  HOOK_IP6,
  HOOK_NAT,
  HOOK_POSTROUTING,
  TARGET_DROP,
  TARGET_MASQUERADE,
} from "../../assembly/abi/entry.js";
import { SCHEDULER_MH, SCHEDULER_RR, SCHEDULER_SH } from "../../assembly/abi/server.js";
import { RuleDraft } from "../../src/engine/entries/rules.js";
import { wordsOf6 } from "../../src/engine/entries/words.js";
import { printIp } from "../../src/net/ip.js";
import { frame, icmpEcho, tcp, udp } from "../../src/packet/build.js";
import { verifyChecksums } from "../../src/packet/checksum.js";
import { describePacket } from "../../src/packet/describe.js";
import { BareNode, ip6 } from "../bare-node.js";
import { KernelServer } from "../oracle/schedulers.js";

const [BRIDGE, UPLINK, TUNNEL] = [1, 2, 3];
const UPLINK_MACS = { dstMac: "02:00:00:00:00:0a", srcMac: "02:00:00:00:00:0b" };
const OUTER = { outerSrc: "172.18.0.2", outerDst: "172.18.0.3", vni: 7 };

async function router(): Promise<BareNode> {
  return (await BareNode.make({ connections: 256 }))
    .route("::/0", { kind: "direct", out: UPLINK, source6: "fd00:18::2", ...UPLINK_MACS })
    .route("fd00:244:1::/64", { kind: "direct", out: BRIDGE, bridge: true, mtu: 1400 })
    .route("fd00:244:1::1/128", { kind: "local" })
    .route("fd00:18::2/128", { kind: "local" })
    .route("fd00:18::/64", { kind: "direct", out: UPLINK, onLink: true, ...UPLINK_MACS })
    .route("fd00:99::/64", { kind: "unreachable" })
    .route("172.18.0.2/32", { kind: "local" })
    .route("fd00:244:2::/64", { kind: "vxlan", out: TUNNEL, leave: UPLINK, mtu: 1450, port: 8472, ...OUTER })
    .route("fd00:244:3::/64", { kind: "geneve", out: TUNNEL, leave: UPLINK, port: 6081, ...OUTER })
    .vxlan(8472, 7, TUNNEL)
    .geneve(6081, 7, TUNNEL);
}

const CLIENT = "[fd00:244:1::7]:41000";
const WORLD = "[2001:db8::1]:80";

describe("routing of IPv6", () => {
  it("takes one off the hop limit, and refuses what that would kill", async () => {
    const node = await router();
    for (const ttl of [255, 64, 2]) {
      const { verdict, out, frame: left } = node.one(tcp(CLIENT, WORLD, { ttl }), BRIDGE);
      expect([verdict, out, describePacket(left).ttl]).toEqual(["FORWARD", UPLINK, ttl - 1]);
      expect([...left.subarray(0, 14)]).toEqual([2, 0, 0, 0, 0, 10, 2, 0, 0, 0, 0, 11, 0x86, 0xdd]);
      expect(verifyChecksums(left).l4).toBe("good");
    }
    for (const ttl of [1, 0]) {
      const sent = tcp(CLIENT, WORLD, { ttl });
      expect(node.one(sent, BRIDGE)).toMatchObject({ verdict: "DROP", reason: "TTL_EXCEEDED", frame: sent });
    }
  });

  it("leaves the hop limit of what a bridge switches, of the node's own packets and of those for it", async () => {
    const node = await router();
    const seen = (from: string, to: string, inNumber: number) => {
      const { verdict, out, frame: left } = node.one(tcp(from, to, { ttl: 1 }), inNumber);
      return [verdict, out, describePacket(left).ttl];
    };
    expect(seen(CLIENT, "[fd00:244:1::8]:80", BRIDGE)).toEqual(["FORWARD", BRIDGE, 1]);
    expect(seen("[fd00:18::2]:1", WORLD, 0)).toEqual(["FORWARD", UPLINK, 1]);
    expect(seen(CLIENT, "[fd00:244:1::1]:80", BRIDGE)).toEqual(["LOCAL", 0, 1]);
    expect(seen(WORLD, CLIENT, UPLINK)).toEqual(["DROP", 0, 1]);
  });

  it("finds hosts of a subnet by their addresses' last words", async () => {
    const { frame: left } = (await router()).one(tcp(CLIENT, "[fd00:18::1:203]:80"), BRIDGE);
    expect([...left.subarray(0, 6)]).toEqual([2, 0x42, 0, 1, 2, 3]);
  });

  it("lets through what fits the way out and tells the sender of what does not, before any rule", async () => {
    const drop = new RuleDraft().target(TARGET_DROP);
    const node = (await router()).chain(0, drop).hook(HOOK_IP6 + HOOK_FORWARD, 0);
    const sized = (total: number) => udp(WORLD, CLIENT, { payload: total - 48 });
    expect(node.one(sized(1400), UPLINK)).toMatchObject({ verdict: "DROP", reason: "RULE" });
    const large = sized(1401);
    expect(node.one(large, UPLINK)).toMatchObject({
      verdict: "DROP",
      reason: "FRAGMENTATION_NEEDED",
      frame: large,
      walked: 0,
    });
  });

  it("cuts Ethernet padding off, behind extension headers too", async () => {
    const sent = frame()
      .eth()
      .ip6({ src: "fd00:244:1::7", dst: "2001:db8::1" })
      .extension({ kind: 60, options: Uint8Array.of(1, 4, 0, 0, 0, 0) })
      .udp({ srcPort: 7, dstPort: 7 })
      .bytes();
    const padded = new Uint8Array(sent.length + 9);
    padded.set(sent);
    const { verdict, frame: left } = (await router()).one(padded, BRIDGE);
    expect([verdict, left.length]).toEqual(["FORWARD", sent.length]);
  });

  it("drops what it has no route or no neighbour for", async () => {
    const node = await router();
    expect(node.one(tcp(CLIENT, "[fd00:99::1]:1"), BRIDGE).reason).toBe("NO_NEIGHBOUR");
    const island = (await BareNode.make()).route("0.0.0.0/0", { kind: "direct", out: UPLINK });
    expect(island.one(tcp(CLIENT, WORLD)).reason).toBe("NO_ROUTE");
  });

  it("walks the rules of its own family", async () => {
    const drop = new RuleDraft().target(TARGET_DROP);
    const node = (await router()).chain(0, drop).hook(HOOK_IP6 + HOOK_INPUT, 0);
    expect(node.one(tcp(CLIENT, "[fd00:244:1::1]:80"), BRIDGE)).toMatchObject({ reason: "RULE", walked: 1 });
    expect(node.one(tcp("10.244.1.7:1", "172.18.0.2:80"), BRIDGE).verdict).toBe("LOCAL");
  });
});

describe("masquerading of IPv6", () => {
  it("gives the way out's address, whatever the next hops set before and after it have", async () => {
    const node = (await router())
      .chain(0, new RuleDraft().target(TARGET_MASQUERADE, 0, 0))
      .hook(HOOK_IP6 + HOOK_POSTROUTING, 0, HOOK_NAT);
    for (let more = 0; more < 40; more++)
      node.route(`fd00:${more + 0x1000}::/32`, {
        kind: "direct",
        out: UPLINK,
        ...(more % 3 === 0 ? {} : { source6: `fd00:18::${more}` }),
      });
    const sourceTo = (to: string) => describePacket(node.one(udp(CLIENT, `[${to}]:80`), BRIDGE).frame).src;
    expect(sourceTo("2001:db8::1")).toBe("fd00:18::2");
    for (const more of [1, 38]) expect(sourceTo(`fd00:${more + 0x1000}::1`)).toBe(`fd00:18::${more}`);
    expect(sourceTo(`fd00:${39 + 0x1000}::1`)).toBe("::");
  });
});

describe("next hops", () => {
  it("have no IPv6 address unless one was set, whatever lay where it would be", async () => {
    const rules = (count: number) => Array.from({ length: count }, () => new RuleDraft().target(TARGET_DROP));
    const node = (await BareNode.make())
      // A block of 256 octets is given back.
      .chain(1, ...rules(8))
      .chain(1, ...rules(20))
      .chain(0, new RuleDraft().target(TARGET_MASQUERADE, 0, 0))
      .hook(HOOK_IP6 + HOOK_POSTROUTING, 0, HOOK_NAT)
      .route("::/0", { kind: "direct", out: UPLINK })
      .route("fd00::/64", { kind: "direct", out: UPLINK, source6: "fd00::2" });
    const sourceTo = (to: string) => describePacket(node.one(udp(CLIENT, to)).frame).src;
    expect([sourceTo(WORLD), sourceTo("[fd00::1]:80")]).toEqual(["::", "fd00::2"]);
  });
});

describe("IPv6 in tunnels", () => {
  const DSTS = { vxlan: "[fd00:244:2::9]:80", geneve: "[fd00:244:3::9]:80" } as const;

  it.each(["vxlan", "geneve"] as const)(
    "goes into %s with its congestion mark, and out again",
    async (kind) => {
      const node = await router();
      const property = fc.property(fc.nat(255), fc.nat(1200), (tos, payload) => {
        const sent = udp(CLIENT, DSTS[kind], { tos, payload, ttl: 9 });
        const { verdict, out, frame: outer } = node.one(sent, BRIDGE);
        expect([verdict, out, outer.length]).toEqual(["FORWARD", UPLINK, sent.length + 50]);
        // ECT(0) for CE; the rest of the class stays inside.
        expect(outer[15]).toBe((tos & 3) === 3 ? 2 : tos & 3);
        expect(verifyChecksums(outer)).toEqual({
          ip: "good",
          l4: "good",
          inner: { ip: "absent", l4: "good" },
        });
        const described = describePacket(outer);
        expect(described).toMatchObject({ src: "172.18.0.2", dst: "172.18.0.3" });
        expect((described[kind] as { inner: object }).inner).toMatchObject({
          dst: DSTS[kind].slice(1, -4),
          ttl: 8,
        });
      });
      fc.assert(property, { numRuns: 50 });
    },
  );

  it("chooses the outer source port by the whole tuple", async () => {
    const node = await router();
    const portOf = (from: string, to: string, protocol = tcp) =>
      describePacket(node.one(protocol(from, to), BRIDGE).frame).srcPort;
    const first = portOf(CLIENT, DSTS.vxlan);
    expect(portOf(CLIENT, DSTS.vxlan)).toBe(first);
    const others = [
      portOf("[fd00:244:1::7]:41001", DSTS.vxlan),
      portOf("[fd00:244:1:0:1::7]:41000", DSTS.vxlan),
      portOf("[fd00:244:1::8]:41000", DSTS.vxlan),
      portOf(CLIENT, "[fd00:244:2:0:0:1:0:9]:80"),
      portOf(CLIENT, DSTS.vxlan, udp),
    ];
    expect(new Set([first, ...others]).size).toBe(6);
  });

  it.each([
    [0, 0, 0],
    [3, 2, 3],
    [3, 0, undefined],
    [1, 2, 1],
    [2, 1, 1],
  ])("is marked by an outer %i and an inner %i with %s", async (outer, inner, left) => {
    const node = await router();
    const sent = frame()
      .eth()
      .ip4({ src: "172.18.0.3", dst: "172.18.0.2", tos: outer })
      .udp({ srcPort: 40000, dstPort: 8472 })
      .vxlan({ vni: 7 })
      .payload(tcp("[fd00:244:2::9]:80", CLIENT, { tos: 0xb8 | inner, flags: "SA" }))
      .bytes();
    const result = node.one(sent, UPLINK);
    if (left === undefined) expect(result).toMatchObject({ verdict: "DROP", reason: "ECN" });
    else {
      expect([result.verdict, result.in, result.out]).toEqual(["FORWARD", TUNNEL, BRIDGE]);
      expect(Buffer.from(result.frame.subarray(14, 16)).readUInt16BE()).toBe(0x6000 | ((0xb8 | left) << 4));
      expect(verifyChecksums(result.frame).l4).toBe("good");
    }
  });

  it("is not looked for in IPv6", async () => {
    const node = await router();
    const outer = udp("[fd00:18::3]:40000", "[fd00:18::2]:8472", { payload: icmpEcho("fd00::1", "fd00::2") });
    expect(node.one(outer, UPLINK)).toMatchObject({ verdict: "LOCAL", frame: outer });
  });
});

describe("IPVS of IPv6", () => {
  const VIP = "fd00:96::a";
  const SERVERS = ["fd00:244:1::9", "fd00:244:2::9", "fd00:244:1:0:8000::9"] as const;

  async function balancer(scheduler: number): Promise<BareNode> {
    const servers = SERVERS.map((address) => [address, 8080, 1] as const);
    return (await router())
      .route(`${VIP}/128`, { kind: "local" })
      .service(0, [VIP, 6, 80], servers, { scheduler });
  }

  const serverOf = (node: BareNode, client: string) => {
    const { verdict, frame: left } = node.one(tcp(client, `[${VIP}]:80`), UPLINK);
    const seen = describePacket(left);
    return [verdict, seen.vxlan?.inner.dst ?? seen.dst];
  };

  it("picks the last server added first, in turn, and sends replies back", async () => {
    const node = await balancer(SCHEDULER_RR);
    const seen = [0, 1, 2, 3].map((client) => serverOf(node, `[2001:db8::${client}]:7`));
    expect(seen).toEqual([2, 1, 0, 2].map((server) => ["FORWARD", SERVERS[server]]));
    const reply = node.one(tcp(`[${SERVERS[2]}]:8080`, "[2001:db8::]:7", { flags: "SA" }), BRIDGE);
    expect(describePacket(reply.frame)).toMatchObject({ src: VIP, srcPort: 80, dst: "2001:db8::" });
    expect(verifyChecksums(reply.frame).l4).toBe("good");
  });

  it.each([
    ["sh", SCHEDULER_SH],
    ["mh", SCHEDULER_MH],
  ] as const)("hashes addresses by the xor of their words: %s", async (name, scheduler) => {
    const fold = (address: string) =>
      wordsOf6(ip6(address)).reduce((folded, word) => (folded ^ word) >>> 0, 0);
    const list = new KernelServer({ name });
    for (const server of SERVERS) list.add(fold(server), 8080, 1);
    const node = await balancer(scheduler);
    const clients = fc.bigInt({ min: 1n, max: (1n << 96n) - 1n });
    const property = fc.property(clients, (low) => {
      const client = printIp((0x2001_0db8n << 96n) | low);
      const wanted = list.pick({ src: fold(client), dst: fold(VIP), ports: 7 * 65536 + 80, protocol: 6 });
      const server = SERVERS.find((one) => fold(one) === wanted?.address);
      expect(serverOf(node, `[${client}]:7`)).toEqual(["FORWARD", server]);
    });
    fc.assert(property, { numRuns: 100 });
  });

  it("leaves other ports, and another family's address of the same last word, alone", async () => {
    const node = (await balancer(SCHEDULER_RR)).route("0.0.0.10/32", { kind: "local" });
    expect(node.one(tcp("[2001:db8::1]:7", `[${VIP}]:81`), UPLINK).verdict).toBe("LOCAL");
    expect(node.one(udp("[2001:db8::1]:7", `[${VIP}]:80`), UPLINK).verdict).toBe("LOCAL");
    expect(node.one(tcp("10.0.0.1:7", "0.0.0.10:80"), 0).verdict).toBe("LOCAL");
  });

  it("keeps a server's place by its whole address", async () => {
    const [first, second, third] = ["fd00:244:1::9", "fd00:245:1::9", "fd00:246:1::9"];
    const node = (await router()).route(`${VIP}/128`, { kind: "local" });
    const setTo = (...servers: readonly string[]) =>
      node.service(
        0,
        [VIP, 6, 80],
        servers.map((server) => [server, 80, 1] as const),
      );
    setTo(first, second, third);
    expect([1, 2].map((client) => serverOf(node, `[2001:db8::1]:${client}`)[1])).toEqual([third, second]);
    // The oldest leaves; behind the second, whose turn was last, the list begins again.
    setTo(second, third);
    expect(serverOf(node, "[2001:db8::1]:3")[1]).toBe(third);
  });
});
