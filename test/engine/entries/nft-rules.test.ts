import { describe, expect, it } from "vitest";
import { HOOK_FORWARD } from "../../../assembly/abi/entry.js";
import { nftRule } from "../../../src/engine/entries/nftables.js";
import { RuleDraft } from "../../../src/engine/entries/rules.js";
import type { Family } from "../../../src/net/ip.js";
import { parsePrefix } from "../../../src/net/prefix.js";
import { tcp } from "../../../src/packet/build.js";
import type { NftStatement } from "../../../src/ruleset/nftables.js";
import { CALI1, CALI2, ETH0, hookOf, routedNode, scopeOf } from "./rule-node.js";

const prefixes = (...texts: readonly string[]) =>
  texts.map((text) => {
    const prefix = parsePrefix(text);
    if (prefix === undefined) throw new Error(text);
    return prefix;
  });

/** Whether packets hit a statement: its rule drops them. */
async function hits(
  statement: NftStatement,
  family: Family,
  arrivals: readonly (readonly [Uint8Array, number])[],
) {
  const node = await routedNode();
  const drop: NftStatement = { kind: "verdict", verdict: { kind: "drop" } };
  node.chain(0, nftRule({ statements: [statement, drop] }, scopeOf(family), new RuleDraft()));
  node.hook(hookOf(HOOK_FORWARD, family), 0);
  return arrivals.map(([frame, inNumber]) => {
    node.image.machine.flowsClear(node.image.state);
    return node.one(frame, inNumber).verdict === "DROP";
  });
}

const from = (source: string) => [tcp(`${source}:1`, "198.51.100.9:80"), CALI1] as const;
const from6 = (source: string) => [tcp(`[${source}]:1`, "[2001:db8:ffff::9]:80"), CALI1] as const;

describe("matches of nftables", () => {
  it("lists of prefixes hit where one of them does, negated where none does", async () => {
    const list = {
      kind: "match-address",
      side: "saddr",
      prefixes: prefixes("10.244.1.0/30", "10.244.1.8/32", "203.0.113.0/24"),
    } as const;
    const arrivals = ["10.244.1.2", "10.244.1.8", "203.0.113.77", "10.244.1.9", "10.244.1.4"].map(from);
    expect(await hits(list, 4, arrivals)).toEqual([true, true, true, false, false]);
    expect(await hits({ ...list, invert: true }, 4, arrivals)).toEqual([false, false, false, true, true]);
  });

  it("lists of IPv6 prefixes, and of whole addresses", async () => {
    const arrivals = ["2001:db8:2::7", "2001:db8:2:1::7", "fd00::9", "fd00::8"].map(from6);
    const list = {
      kind: "match-address",
      side: "saddr",
      prefixes: prefixes("2001:db8:2::/64", "fd00::9/128"),
    } as const;
    expect(await hits(list, 6, arrivals)).toEqual([true, false, true, false]);
    const whole = { ...list, prefixes: prefixes("fd00::9/128", "2001:db8:2::7/128", "fd00::1/128") };
    expect(await hits(whole, 6, arrivals)).toEqual([true, false, true, false]);
    expect(await hits({ ...whole, invert: true }, 6, arrivals)).toEqual([false, true, false, true]);
  });

  it("hundreds of prefixes, and no more than a rule holds", async () => {
    const many = prefixes(
      ...Array.from({ length: 500 }, (_, index) => `10.${index >> 8}.${index & 255}.0/24`),
    );
    const arrivals = ["10.1.243.9", "10.1.244.9", "10.0.0.1"].map(from);
    expect(await hits({ kind: "match-address", side: "saddr", prefixes: many }, 4, arrivals)).toEqual([
      true,
      false,
      true,
    ]);
    const more = { kind: "match-address", side: "saddr", prefixes: [...many, ...many] } as const;
    await expect(hits(more, 4, arrivals)).rejects.toThrow("split the rule");
  });

  it("interfaces by their beginning", async () => {
    const [frame] = from("10.244.1.7");
    const arrivals = [CALI1, CALI2, ETH0].map((inNumber) => [frame, inNumber] as const);
    const all = { kind: "match-interface", side: "iifname", name: "cali*" } as const;
    expect(await hits(all, 4, arrivals)).toEqual([true, true, false]);
    expect(await hits({ ...all, name: "cali1" }, 4, arrivals)).toEqual([true, false, false]);
    expect(await hits({ ...all, side: "oifname", name: "eth*", invert: true }, 4, arrivals)).toEqual([
      false,
      false,
      false,
    ]);
  });
});
