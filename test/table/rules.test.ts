import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as entry from "../../assembly/abi/entry.js";
import {
  HOOK_FORWARD,
  HOOK_IP6,
  HOOK_PREROUTING,
  MATCH_MARK,
  MATCH_STATISTIC,
  TARGET_ACCEPT,
  TARGET_DROP,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_NONE,
  TARGET_NUMGEN,
  TARGET_REJECT,
  TARGET_VMAP,
} from "../../assembly/abi/entry.js";
import { STATUS_BAD_ENTRY } from "../../assembly/abi/image.js";
import { RuleDraft } from "../../src/engine/entries/rules.js";
import { type Family, printIp } from "../../src/net/ip.js";
import { printHostPort } from "../../src/net/port.js";
import { icmpEcho, tcp, udp } from "../../src/packet/build.js";
import { BareNode } from "../bare-node.js";
import { type Program, type RulePacket, walkRules } from "../oracle/rules.js";
import { Tally } from "../tally.js";
import { draftOf, MAP, MARKS, packet, program, wordOf } from "./rule-programs.js";

const LAST_MATCH = Math.max(
  ...Object.entries(entry).map(([name, code]) => (/^MATCH_(?!LEN|INVERT)/.test(name) ? code : 0)),
);
/** Marks of the programs are below this, so that a chain of so many rules can tell them. */
/** A chain of one rule for each mark, so that how far it is walked tells the mark. */
const TELL_MARK = 1000;

function frameOf({ src, dst, protocol, srcPort, dstPort }: RulePacket): Uint8Array {
  if (protocol === 1 || protocol === 58) return icmpEcho(printIp(src), printIp(dst));
  return (protocol === 6 ? tcp : udp)(printHostPort(src, srcPort), printHostPort(dst, dstPort));
}

/** A node whose PREROUTING walks the program and whose FORWARD tells the mark by how many rules it walks. */
async function nodeOf(of: Program, family: Family): Promise<BareNode> {
  const everywhere = family === 6 ? "::/0" : "0.0.0.0/0";
  const hooks = family === 6 ? HOOK_IP6 : 0;
  const node = (await BareNode.make({ connections: 1024 })).route(everywhere, { kind: "direct", out: 2 });
  for (const [number, rules] of of.chains.entries()) node.chain(number, ...rules.map(draftOf));
  const rows = [...of.map].map(([key, verdict]) => {
    const [at = "", protocol = 0, dport = 0] = key.split(" ");
    return [at, (Number(protocol) << 16) | Number(dport), wordOf(verdict)] as const;
  });
  if (family === 6)
    node.table6(
      MAP,
      rows.map(([at, port, word]) => [printIp(BigInt(at)), port, word]),
    );
  else
    node.table(
      MAP,
      rows.map(([at, port, word]) => [Number(at), port, word]),
    );
  const tellers = Array.from({ length: MARKS }, (_, value) =>
    new RuleDraft().match(MATCH_MARK, false, value, 0xffffffff).target(TARGET_ACCEPT),
  );
  return node
    .chain(TELL_MARK, ...tellers)
    .hook(hooks + HOOK_PREROUTING, 0)
    .hook(hooks + HOOK_FORWARD, TELL_MARK);
}

const VERDICTS = {
  accept: ["FORWARD", "NONE"],
  none: ["FORWARD", "NONE"],
  drop: ["DROP", "RULE"],
  reject: ["REJECT", "PORT_UNREACHABLE"],
  "too deep": ["DROP", "CHAIN_DEPTH"],
} as const;

describe("rules", () => {
  it.each([4, 6] as const)(
    "walks any program of IPv%i as an interpreter of it does: verdict, mark, and how much was walked",
    async (family) => {
      const tally = new Tally();
      const property = fc.asyncProperty(
        program(family),
        fc.array(packet(family), { minLength: 8, maxLength: 16 }),
        async (of, packets) => {
          const node = await nodeOf(of, family);
          for (const one of packets) {
            node.image.machine.flowsClear(node.image.state);
            const expected = walkRules(of, one);
            const { verdict, reason, walked } = node.one(frameOf(one), one.in);
            expect([verdict, reason]).toEqual(VERDICTS[expected.verdict]);
            const told = verdict === "FORWARD" ? expected.mark + 1 : 0;
            expect(walked).toBe(expected.walked + told);
            if (expected.walked > 2) tally.count(expected.verdict);
          }
        },
      );
      await fc.assert(property, { numRuns: 150 });
      tally.expectEach(["accept", "drop", "reject", "none"], 20);
    },
  );

  it.each([
    [16, "FORWARD", "NONE"],
    [17, "DROP", "CHAIN_DEPTH"],
  ])("nests %i jumps: %s %s", async (jumps, verdict, reason) => {
    const node = (await BareNode.make()).route("0.0.0.0/0", { kind: "direct", out: 2 });
    for (let chain = 0; chain < jumps; chain++)
      node.chain(chain, new RuleDraft().target(TARGET_JUMP, chain + 1));
    node.chain(jumps, new RuleDraft().target(TARGET_NONE)).hook(HOOK_PREROUTING, 0);
    expect(node.one(tcp("10.0.0.1:1", "10.0.0.2:80"))).toMatchObject({ verdict, reason });
  });

  it("counts no depth for gotos", async () => {
    const node = (await BareNode.make()).route("0.0.0.0/0", { kind: "direct", out: 2 });
    for (let chain = 0; chain < 100; chain++)
      node.chain(chain, new RuleDraft().target(TARGET_GOTO, chain + 1));
    node.chain(100, new RuleDraft().target(TARGET_REJECT)).hook(HOOK_PREROUTING, 0);
    expect(node.one(tcp("10.0.0.1:1", "10.0.0.2:80"))).toMatchObject({ verdict: "REJECT", walked: 101 });
  });

  it("ends a loop that no loader refused", async () => {
    const node = (await BareNode.make()).route("0.0.0.0/0", { kind: "direct", out: 2 });
    node.chain(0, new RuleDraft().target(TARGET_GOTO, 0)).hook(HOOK_PREROUTING, 0);
    expect(node.one(tcp("10.0.0.1:1", "10.0.0.2:80"))).toMatchObject({
      verdict: "DROP",
      reason: "CHAIN_DEPTH",
    });
  });

  it("hits statistic rules as often as their threshold says, and numgen's outcomes equally", async () => {
    const node = (await BareNode.make({ connections: 8192, capacity: 1 << 23 })).route("0.0.0.0/0", {
      kind: "direct",
      out: 2,
    });
    const third = Math.round(2 ** 31 / 3);
    node
      .chain(
        0,
        new RuleDraft().match(MATCH_STATISTIC, false, third).target(TARGET_REJECT),
        new RuleDraft().target(TARGET_NUMGEN, 2, TARGET_DROP, TARGET_ACCEPT),
      )
      .hook(HOOK_PREROUTING, 0);
    const frames = Array.from({ length: 6000 }, (_, index) => tcp(`10.0.0.1:${index + 1}`, "10.0.0.2:80"));
    const counts = new Map<string, number>();
    for (const { verdict } of node.run(frames)) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
    // 2,000 of each; the standard deviation is 37, and the seed is fixed.
    for (const verdict of ["REJECT", "DROP", "FORWARD"])
      expect(Math.abs((counts.get(verdict) ?? 0) - 2000)).toBeLessThan(150);
  });

  it("refuses rules whose codes or words it does not know", async () => {
    const node = await BareNode.make();
    const refused = (draft: RuleDraft) =>
      expect(() => node.chain(0, draft)).toThrow(`status ${STATUS_BAD_ENTRY}`);
    refused(new RuleDraft().target(12));
    refused(new RuleDraft().match(0, false));
    refused(new RuleDraft().match(LAST_MATCH + 1, false));
    refused(new RuleDraft().target(TARGET_NUMGEN, 0));
    refused(new RuleDraft().target(TARGET_NUMGEN, 3, TARGET_ACCEPT));
    refused(new RuleDraft().target(TARGET_VMAP, 1));
    refused(new RuleDraft().target(TARGET_JUMP, 1 << 22));
  });
});
