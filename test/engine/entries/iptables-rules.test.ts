import { describe, expect, it } from "vitest";
import {
  HOOK_FORWARD,
  HOOK_INPUT,
  HOOK_MANGLE,
  HOOK_NAT,
  HOOK_OUTPUT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
  HOOK_RAW,
} from "../../../assembly/abi/entry.js";
import { INTERFACE_NODE } from "../../../assembly/abi/packet.js";
import { ruleDoubt } from "../../../src/engine/entries/iptables.js";
import { type Family, type Ip, parseIp } from "../../../src/net/ip.js";
import { printHostPort } from "../../../src/net/port.js";
import { parsePrefix } from "../../../src/net/prefix.js";
import { icmpEcho, tcp, udp } from "../../../src/packet/build.js";
import type { Match, NatRange, RejectKind, Rule, Target } from "../../../src/ruleset/iptables.js";
import type { BareNode } from "../../bare-node.js";
import { CALI1, CALI2, draftsOf, ETH0, hookOf, routedNode, scopeOf } from "./rule-node.js";

const POD = "10.244.1.7";
const FAR = "198.51.100.9";
const syn = tcp(`${POD}:41000`, `${FAR}:80`);

const ip = (text: string): Ip => parseIp(text) ?? 0;
const prefix = (text: string) => parsePrefix(text) ?? { address: 0, length: 0 };

/** `10.244.1.7:41000 > 198.51.100.9:80` of a frame of either family, with ports and without options. */
function addressesOf(frame: Uint8Array): string {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const is6 = view.getUint16(12) === 0x86dd;
  const address = (at: number) =>
    is6 ? (view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8) : view.getUint32(at);
  const [src, dst, ports] = is6 ? [22, 38, 54] : [26, 30, 34];
  const [from, to] = [view.getUint16(ports), view.getUint16(ports + 2)];
  return `${printHostPort(address(src), from)} > ${printHostPort(address(dst), to)}`;
}

interface Base {
  readonly hook: number;
  readonly type?: number;
  readonly rules: readonly Rule[];
}

/** A node with base chains, in the order of their hooks. */
async function nodeWith(bases: readonly Base[], family: Family = 4): Promise<BareNode> {
  const node = await routedNode();
  for (const [number, { hook, type, rules }] of bases.entries())
    node.chain(number, ...draftsOf(rules, scopeOf(family))).hook(hookOf(hook, family), number, type);
  return node;
}

const rule = (target: Target | undefined, ...matches: readonly Match[]): Rule =>
  target === undefined ? { matches } : { matches, target };
const DROP: Target = { kind: "drop" };

describe("targets of iptables", () => {
  it.each<[RejectKind, string]>([
    ["icmp-net-unreachable", "NET_UNREACHABLE"],
    ["icmp-host-unreachable", "HOST_UNREACHABLE"],
    ["icmp-proto-unreachable", "PROTOCOL_UNREACHABLE"],
    ["icmp-port-unreachable", "PORT_UNREACHABLE"],
    ["icmp-net-prohibited", "NET_PROHIBITED"],
    ["icmp-host-prohibited", "HOST_PROHIBITED"],
    ["icmp-admin-prohibited", "ADMIN_PROHIBITED"],
    ["tcp-reset", "TCP_RESET"],
  ])("reject with %s", async (kind, reason) => {
    const node = await nodeWith([{ hook: HOOK_FORWARD, rules: [rule({ kind: "reject", with: kind })] }]);
    expect(node.one(syn, CALI1)).toMatchObject({ verdict: "REJECT", reason });
  });

  it.each<[string, Target]>([
    ["LOG", { kind: "watch", name: "LOG", options: [] }],
    ["CT --helper", { kind: "ct", helper: "ftp" }],
  ])("let packets go on: %s", async (_, target) => {
    const node = await nodeWith([{ hook: HOOK_FORWARD, rules: [rule(target), rule(DROP)] }]);
    expect(node.one(syn, CALI1)).toMatchObject({ verdict: "DROP", reason: "RULE", walked: 2 });
  });
});

/** What becomes of one packet's addresses where nat rules of a hook translate it. */
async function translated(hook: number, target: Target, frame = syn, inNumber = CALI1): Promise<string> {
  const family: Family = frame[12] === 0x86 ? 6 : 4;
  const node = await nodeWith([{ hook, type: HOOK_NAT, rules: [rule(target)] }], family);
  const result = node.one(frame, inNumber);
  if (result.verdict !== "FORWARD" && result.verdict !== "LOCAL") return `${result.verdict} ${result.reason}`;
  return addressesOf(result.frame);
}

const range = (
  addresses: readonly [string, string] | undefined,
  more: Omit<NatRange, "addresses"> = {},
): NatRange =>
  addresses === undefined ? more : { addresses: [ip(addresses[0]), ip(addresses[1])], ...more };
const to = (side: "src" | "dst", of: NatRange): Target => ({ kind: "translate", side, range: of });

describe("nat", () => {
  it.each<[string, number, Target, string]>([
    [
      "DNAT to an address alone",
      HOOK_PREROUTING,
      to("dst", range(["203.0.113.5", "203.0.113.5"])),
      `${POD}:41000 > 203.0.113.5:80`,
    ],
    [
      "DNAT to an address and port",
      HOOK_PREROUTING,
      { kind: "dnat", address: ip("203.0.113.5"), port: 8080 },
      `${POD}:41000 > 203.0.113.5:8080`,
    ],
    [
      "DNAT to a range of ports that holds the packet's",
      HOOK_PREROUTING,
      to("dst", range(undefined, { ports: [79, 81] })),
      `${POD}:41000 > ${FAR}:80`,
    ],
    [
      "DNAT to ports counted from another",
      HOOK_PREROUTING,
      to("dst", range(["203.0.113.5", "203.0.113.5"], { ports: [8000, 8099], basePort: 70 })),
      `${POD}:41000 > 203.0.113.5:8010`,
    ],
    ["SNAT", HOOK_POSTROUTING, to("src", range(["192.0.2.1", "192.0.2.1"])), `192.0.2.1:41000 > ${FAR}:80`],
    [
      "NETMAP of destinations",
      HOOK_PREROUTING,
      { kind: "netmap", prefix: prefix("203.0.113.0/24") },
      `${POD}:41000 > 203.0.113.9:80`,
    ],
    [
      "NETMAP of sources",
      HOOK_POSTROUTING,
      { kind: "netmap", prefix: prefix("192.0.0.0/8") },
      `192.244.1.7:41000 > ${FAR}:80`,
    ],
    [
      "REDIRECT",
      HOOK_PREROUTING,
      { kind: "redirect", range: { ports: [15001, 15001] } },
      `${POD}:41000 > 10.244.1.1:15001`,
    ],
    [
      "MASQUERADE",
      HOOK_POSTROUTING,
      { kind: "masquerade", randomFully: false },
      `172.18.0.2:41000 > ${FAR}:80`,
    ],
  ])("%s", async (_, hook, target, expected) => {
    expect(await translated(hook, target)).toBe(expected);
  });

  const syn6 = tcp("[2001:db8:2::7]:41000", "[2001:db8:ffff::9]:80");
  it.each<[string, number, Target, string]>([
    [
      "DNAT",
      HOOK_PREROUTING,
      { kind: "dnat", address: ip("2001:db8:5::5"), port: 8080 },
      "[2001:db8:2::7]:41000 > [2001:db8:5::5]:8080",
    ],
    [
      "SNAT",
      HOOK_POSTROUTING,
      to("src", range(["2001:db8:5::1", "2001:db8:5::1"])),
      "[2001:db8:5::1]:41000 > [2001:db8:ffff::9]:80",
    ],
    [
      "NETMAP",
      HOOK_PREROUTING,
      { kind: "netmap", prefix: prefix("2001:db8:5::/64") },
      "[2001:db8:2::7]:41000 > [2001:db8:5::9]:80",
    ],
    [
      "REDIRECT",
      HOOK_PREROUTING,
      { kind: "redirect", range: {} },
      "[2001:db8:2::7]:41000 > [2001:db8:2::1]:80",
    ],
    [
      "MASQUERADE",
      HOOK_POSTROUTING,
      { kind: "masquerade", randomFully: false },
      "[2001:db8:1::2]:41000 > [2001:db8:ffff::9]:80",
    ],
  ])("%s of IPv6", async (_, hook, target, expected) => {
    expect(await translated(hook, target, syn6)).toBe(expected);
  });

  it("draws addresses and ports of ranges, all of them", async () => {
    const target = to("dst", range(["203.0.113.5", "203.0.113.8"], { ports: [8000, 8001] }));
    const node = await nodeWith([{ hook: HOOK_PREROUTING, type: HOOK_NAT, rules: [rule(target)] }]);
    const seen = new Set<string>();
    for (let port = 1; port <= 300; port++) {
      node.image.machine.flowsClear(node.image.state);
      seen.add(addressesOf(node.one(tcp(`${POD}:${port}`, `${FAR}:80`), CALI1).frame).split(" > ")[1] ?? "");
    }
    const ends = [5, 6, 7, 8].flatMap((last) => [8000, 8001].map((port) => `203.0.113.${last}:${port}`));
    expect([...seen].sort()).toEqual(ends);
  });

  it("redirects to the loopback address what the node made, and drops what came where no address is", async () => {
    const target: Target = { kind: "redirect", range: { ports: [15001, 15001] } };
    const own = tcp("172.18.0.2:41000", `${FAR}:80`);
    expect(await translated(HOOK_OUTPUT, target, own, INTERFACE_NODE)).toBe(
      "172.18.0.2:41000 > 127.0.0.1:15001",
    );
    expect(await translated(HOOK_PREROUTING, target, syn, CALI2)).toBe("DROP NO_ADDRESS");
  });

  it("asks no nat chain behind one that decided", async () => {
    const dnat = (last: number): Rule => rule({ kind: "dnat", address: ip(`203.0.113.${last}`), port: 0 });
    const node = await nodeWith([
      { hook: HOOK_PREROUTING, type: HOOK_NAT, rules: [dnat(1)] },
      { hook: HOOK_PREROUTING, type: HOOK_NAT, rules: [dnat(2)] },
      { hook: HOOK_POSTROUTING, type: HOOK_NAT, rules: [rule({ kind: "masquerade", randomFully: false })] },
    ]);
    expect(addressesOf(node.one(syn, CALI1).frame)).toBe("172.18.0.2:41000 > 203.0.113.1:80");
  });
});

describe("the order of hooks", () => {
  const dnat: Rule = rule({ kind: "dnat", address: ip("203.0.113.5"), port: 8080 });
  const masquerade: Rule = rule({ kind: "masquerade", randomFully: false });
  const destined = (address: string): Match => ({ kind: "destination", prefix: prefix(`${address}/32`) });
  const nat: readonly Base[] = [
    { hook: HOOK_PREROUTING, type: HOOK_NAT, rules: [dnat] },
    { hook: HOOK_POSTROUTING, type: HOOK_NAT, rules: [masquerade] },
  ];

  it("raw is before the connection table, mangle before known destinations are translated, filter behind", async () => {
    const answer = tcp("203.0.113.5:8080", "172.18.0.2:41000", { flags: "SA" });
    const asks = (match: Match): readonly Rule[] => [rule(DROP, match)];
    const dropsAnswer = async (type: number | undefined, match: Match) => {
      const node = await nodeWith([
        { hook: HOOK_PREROUTING, ...(type === undefined ? {} : { type }), rules: asks(match) },
        ...nat,
      ]);
      expect(node.one(syn, CALI1).verdict).toBe("FORWARD");
      return node.one(answer, ETH0).verdict === "DROP";
    };
    const established: Match = { kind: "ctstate", states: ["ESTABLISHED"] };
    expect(await dropsAnswer(HOOK_RAW, established)).toBe(false);
    expect(await dropsAnswer(HOOK_MANGLE, established)).toBe(true);
    expect(await dropsAnswer(HOOK_RAW, destined("172.18.0.2"))).toBe(true);
    expect(await dropsAnswer(HOOK_MANGLE, destined("172.18.0.2"))).toBe(true);
    expect(await dropsAnswer(undefined, destined("172.18.0.2"))).toBe(false);
    expect(await dropsAnswer(undefined, destined(POD))).toBe(true);
  });

  it("takes chains of hooks in that order alone", async () => {
    const chain: Base = { hook: HOOK_PREROUTING, rules: [] };
    await expect(nodeWith([chain, { ...chain, type: HOOK_RAW }])).rejects.toThrow("hook");
    await expect(
      nodeWith([
        { ...chain, type: HOOK_MANGLE },
        { ...chain, type: HOOK_RAW },
      ]),
    ).rejects.toThrow("hook");
    await expect(
      nodeWith([{ ...chain, type: HOOK_RAW }, { ...chain, type: HOOK_MANGLE }, chain]),
    ).resolves.toBeDefined();
  });

  it("NOTRACK keeps a packet from the connection table, and nat from it", async () => {
    const raw: Base = { hook: HOOK_PREROUTING, type: HOOK_RAW, rules: [rule({ kind: "notrack" })] };
    const untracked: Base = {
      hook: HOOK_FORWARD,
      rules: [rule(DROP, { kind: "ctstate", states: ["UNTRACKED"], invert: true })],
    };
    const node = await nodeWith([raw, untracked, ...nat]);
    const { verdict, connection, frame } = node.one(syn, CALI1);
    expect([verdict, connection, addressesOf(frame)]).toEqual(["FORWARD", 0, `${POD}:41000 > ${FAR}:80`]);
  });

  it("sources are translated on the way in, too", async () => {
    const target = to("src", range(["192.0.2.1", "192.0.2.1"]));
    const frame = tcp(`${FAR}:999`, "172.18.0.2:80");
    expect(await translated(HOOK_INPUT, target, frame, ETH0)).toBe("192.0.2.1:999 > 172.18.0.2:80");
  });

  it("packets to the node itself leave by the loopback interface and come in by it", async () => {
    const lo = (kind: "in-interface" | "out-interface"): Match => ({ kind, name: "lo" });
    const own = tcp("172.18.0.2:41000", "172.18.0.2:80");
    for (const [hook, match, drops] of [
      [HOOK_OUTPUT, lo("out-interface"), true],
      [HOOK_POSTROUTING, lo("out-interface"), true],
      [HOOK_PREROUTING, lo("in-interface"), true],
      [HOOK_INPUT, lo("in-interface"), true],
      [HOOK_INPUT, { kind: "in-interface", name: "eth0" }, false],
      [HOOK_OUTPUT, { kind: "out-interface", name: "eth+" }, false],
      [HOOK_OUTPUT, { kind: "out-interface", name: "l+" }, true],
    ] as const) {
      const node = await nodeWith([{ hook, rules: [rule(DROP, match)] }]);
      expect(node.one(own, INTERFACE_NODE).verdict, `${hook} ${match.kind}`).toBe(drops ? "DROP" : "LOCAL");
    }
  });
});

describe("marks of connections", () => {
  it("are set, saved and restored, for the connection's packets of both directions", async () => {
    const mark = (value: number): Target => ({ kind: "mark", value, mask: 0xffffffff });
    const save: Target = { kind: "connmark-save", nfmask: 0xff, ctmask: 0xffffffff };
    const restore: Target = { kind: "connmark-restore", nfmask: 0xffffffff, ctmask: 0xffffffff };
    const isNew: Match = { kind: "ctstate", states: ["NEW"] };
    const marked = (value: number): Match => ({ kind: "mark", value, mask: 0xffffffff });
    const node = await nodeWith([
      {
        hook: HOOK_PREROUTING,
        type: HOOK_MANGLE,
        rules: [
          rule(mark(0x1234), isNew),
          rule(save, isNew),
          rule({ kind: "connmark", value: 0x100, mask: 0x100 }, isNew),
          rule(restore),
        ],
      },
      { hook: HOOK_FORWARD, rules: [rule({ kind: "accept" }, marked(0x134)), rule(DROP)] },
    ]);
    expect(node.one(syn, CALI1).verdict).toBe("FORWARD");
    expect(node.one(tcp(`${FAR}:80`, `${POD}:41000`, { flags: "SA" }), ETH0).verdict).toBe("FORWARD");
    expect(node.one(tcp(`${POD}:41000`, `${FAR}:80`, { flags: "A" }), CALI1).verdict).toBe("FORWARD");
    expect(node.one(tcp(`${POD}:41001`, `${FAR}:80`, { flags: "SA" }), CALI1).verdict).toBe("DROP");
  });
});

describe("what cannot be told", () => {
  const unknown: Match = { kind: "unknown", module: "string", text: "-m string --algo bm --string x" };
  const isUdp: Match = { kind: "protocol", protocol: "UDP" };

  it("punts the packet that meets it, and names the rule", async () => {
    const jump: Rule = rule({ kind: "jump", chain: "1" });
    const node = await routedNode();
    node
      .chain(0, ...draftsOf([jump], scopeOf(4)))
      .chain(1, ...draftsOf([rule(DROP, isUdp), rule(DROP, unknown)], scopeOf(4)));
    node.hook(HOOK_FORWARD, 0);
    expect(node.one(syn, CALI1)).toMatchObject({
      verdict: "PUNT",
      reason: "UNDECIDED",
      out: 1,
      nextHop: 1,
      walked: 3,
    });
    expect(node.one(syn, CALI1).frame).toEqual(syn);
  });

  it.each<[string, Rule, boolean]>([
    ["a match that the others make needless", rule(DROP, unknown, isUdp), false],
    ["a match of a rule that does nothing", rule(undefined, unknown), false],
    ["a match of a rule that logs", rule({ kind: "watch", name: "LOG", options: [] }, unknown), false],
    ["a match of a rule that accepts", rule({ kind: "accept" }, unknown), true],
    ["a rate", rule(DROP, { kind: "limit", period: 10, burst: 5 }), true],
    ["a negated one", rule(DROP, { kind: "tcp-option", option: 3, invert: true }), true],
    ["a target", rule({ kind: "unknown", name: "NFQUEUE", text: "-j NFQUEUE" }), true],
    ["a target that other packets meet", rule({ kind: "tcpmss" }, isUdp), false],
    ["a zone", rule({ kind: "ct", zone: 1 }), true],
    ["a set that is not given", { ...rule(DROP, { kind: "set", set: "x", sides: ["src"] }), line: 7 }, true],
    ["the owner of a packet from elsewhere", rule(DROP, { kind: "owner", id: "uid", from: 0, to: 0 }), false],
  ])("%s", async (_, one, isUndecided) => {
    const node = await nodeWith([{ hook: HOOK_FORWARD, rules: [one] }]);
    const { verdict, reason } = node.one(syn, CALI1);
    expect([verdict, reason]).toEqual(isUndecided ? ["PUNT", "UNDECIDED"] : ["FORWARD", "NONE"]);
  });

  it("is the owner of what the node made", async () => {
    const owner: Match = { kind: "owner", id: "uid", from: 1337, to: 1337 };
    const node = await nodeWith([{ hook: HOOK_OUTPUT, rules: [rule({ kind: "return" }, owner)] }]);
    const own = tcp("172.18.0.2:41000", `${FAR}:80`);
    expect(node.one(own, INTERFACE_NODE)).toMatchObject({ verdict: "PUNT", reason: "UNDECIDED" });
  });

  it("is said with its reason", () => {
    expect(ruleDoubt(rule(DROP, isUdp))).toBeUndefined();
    expect(ruleDoubt(rule(DROP, unknown))).toBe("the match is not known");
    expect(ruleDoubt(rule({ kind: "tcpmss" }, unknown))).toMatch("rewritten");
    expect(ruleDoubt(rule(to("src", range(["2001:db8::1", "2001:db8:1::1"]))))).toMatch(
      "no address is drawn",
    );
  });

  it("is no set that a compiled rule asks: there must be one", () => {
    const asks = rule(DROP, { kind: "set", set: "x", sides: ["src"] });
    expect(() => draftsOf([asks], scopeOf(4))).toThrow("no set x");
  });
});

describe("ICMP and UDP", () => {
  it("are let through by the rules that name them", async () => {
    const node = await nodeWith([
      {
        hook: HOOK_FORWARD,
        rules: [rule({ kind: "accept" }, { kind: "protocol", protocol: "ICMP" }), rule(DROP)],
      },
    ]);
    expect(node.one(icmpEcho(POD, FAR), CALI1).verdict).toBe("FORWARD");
    expect(node.one(udp(`${POD}:1`, `${FAR}:2`), CALI1).verdict).toBe("DROP");
  });
});
