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
import { icmpEcho, tcp, udp } from "../../../src/packet/build.js";
import type { Match, Rule, Target } from "../../../src/ruleset/iptables.js";
import {
  addressesOf,
  type Base,
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
import { CALI1, ETH0 } from "./rule-node.js";

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
