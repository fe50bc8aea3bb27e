import { describe, expect, it } from "vitest";
import {
  HOOK_FORWARD,
  HOOK_NAT,
  HOOK_OUTPUT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
} from "../../../assembly/abi/entry.js";
import { INTERFACE_NODE } from "../../../assembly/abi/packet.js";
import { tcp } from "../../../src/packet/build.js";
import type { RejectKind, Rule, Target } from "../../../src/ruleset/iptables.js";
import {
  addressesOf,
  DROP,
  FAR,
  ip,
  nodeWith,
  POD,
  prefix,
  range,
  rule,
  syn,
  to,
  translated,
} from "./rule-bases.js";
import { CALI1, CALI2 } from "./rule-node.js";

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
