import { describe, expect, it } from "vitest";
import { HOOK_FORWARD, HOOK_OUTPUT } from "../../../assembly/abi/entry.js";
import { INTERFACE_NODE } from "../../../assembly/abi/packet.js";
import { ruleDoubt } from "../../../src/engine/entries/iptables.js";
import { tcp } from "../../../src/packet/build.js";
import type { Match, Rule } from "../../../src/ruleset/iptables.js";
import { DROP, FAR, nodeWith, range, rule, syn, to } from "./rule-bases.js";
import { CALI1, draftsOf, routedNode, scopeOf } from "./rule-node.js";

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
