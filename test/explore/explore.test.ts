import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile } from "../../src/compile.js";
import { Engine } from "../../src/engine/engine.js";
import { type Fraction, ONE, plus, printFraction, ZERO } from "../../src/explore/fraction.js";
import type { Outcome } from "../../src/explore/outcome.js";
import { walkedRules } from "../../src/explore/walked.js";
import { syntheticCluster } from "../../src/model/synthetic.js";
import { printIp } from "../../src/net/ip.js";
import { tcp } from "../../src/packet/build.js";
import type { Rule } from "../../src/ruleset/iptables.js";
import type { ProxyMode, Ruleset } from "../../src/ruleset/ruleset.js";
import { endsOf, type Ratio, type Step, type To } from "../oracle/outcomes.js";
import { ip } from "../proxy/cluster-of.js";

const CLIENT = "198.51.100.7:40000";
const VIP = "10.96.1.1:80";
const NONE = "10.96.1.1";

function rulesetOf(proxy: ProxyMode, endpoints: number): Ruleset {
  return compile(syntheticCluster({ services: 1, endpoints }), { proxy });
}

function engineOf(ruleset: Ruleset, seed = 1): Promise<Engine> {
  return Engine.load(ruleset, { connections: 64, seed });
}

function endOf({ destination }: Outcome): string {
  return destination === undefined ? NONE : printIp(destination.address);
}

function total(outcomes: readonly Outcome[]): Fraction {
  return outcomes.reduce((sum, { probability }) => plus(sum, probability ?? ZERO), ZERO);
}

function equals({ numerator, bits }: Fraction, [n, d]: Ratio): boolean {
  return numerator * d === n << BigInt(bits);
}

describe("all outcomes of a packet", () => {
  it("have the probabilities of the kernel's thresholds in mode iptables", async () => {
    const outcomes = (await engineOf(rulesetOf("iptables", 3))).explore(tcp(CLIENT, VIP));
    expect(outcomes.map(({ probability }) => probability && printFraction(probability))).toEqual([
      "715827883/2147483648",
      "1431655765/4294967296",
      "1431655765/4294967296",
    ]);
    expect(outcomes.every(({ masquerade, verdict }) => masquerade && verdict === "FORWARD")).toBe(true);
  });

  it("have those of reciprocal_scale in mode nftables", async () => {
    const outcomes = (await engineOf(rulesetOf("nftables", 3))).explore(tcp(CLIENT, VIP));
    expect(outcomes.map(({ probability }) => probability && printFraction(probability))).toEqual([
      "715827883/2147483648",
      "1431655765/4294967296",
      "1431655765/4294967296",
    ]);
  });

  it("are every server of a scheduler that takes turns, one of them next, and the state stays", async () => {
    const engine = await engineOf(rulesetOf("ipvs", 4));
    for (let round = 0; round < 8; round++) {
      const before = engine.save();
      const outcomes = engine.explore(tcp(CLIENT, VIP));
      expect(outcomes.map(({ probability }) => probability)).toEqual([null, null, null, null]);
      const next = outcomes.filter(({ isNext }) => isNext);
      expect(engine.save()).toEqual(before);
      const trace = engine.follow(tcp(`198.51.100.7:${41000 + round}`, VIP));
      expect(next.map(endOf)).toEqual([
        trace.steps.find(({ stage }) => stage === "ipvs")?.dst?.split(":")[0],
      ]);
    }
  });

  it("are one, that of its connection, for a packet of a known one", async () => {
    const engine = await engineOf(rulesetOf("iptables", 5));
    const { records } = engine.follow(tcp(CLIENT, VIP));
    const chosen = records.find(({ event }) => event === "DNAT")?.c;
    const outcomes = engine.explore(tcp(CLIENT, VIP));
    expect(outcomes.map(({ destination, probability }) => [destination?.address, probability])).toEqual([
      [chosen, ONE],
    ]);
  });

  it("tell the rules that matched, and how many were asked before", async () => {
    const engine = await engineOf(rulesetOf("iptables", 3));
    const [, , third] = engine.explore(tcp(CLIENT, VIP));
    const rules = walkedRules(third?.records ?? [], engine.numbering);
    expect(rules.slice(0, 2).map(({ table, chain, rule, asked }) => [table, chain, rule, asked])).toEqual([
      ["nat", "PREROUTING", 1, 1],
      ["nat", "KUBE-SERVICES", 1, 2],
    ]);
    expect(rules.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/-j DNAT --to-destination 10\.244/),
    );
    expect(rules.map(({ asked }) => asked)).toEqual(
      rules.map(({ asked }) => asked).toSorted((a, b) => a - b),
    );
  });

  it("are the same where their records are lent, which are gone with the next packet", async () => {
    const engine = await engineOf(rulesetOf("iptables", 3));
    const kept = engine.explore(tcp(CLIENT, VIP));
    const lent = engine.explore(tcp(CLIENT, VIP), { lends: true });
    const told = ({ records, choices, probability, destination }: Outcome) => {
      return { records, choices, probability, destination };
    };
    const before = kept.map(told);
    expect(lent.map(told)).toEqual(before);
    engine.explore(tcp("198.51.100.9:4", "192.0.2.1:9"), { lends: true });
    expect(() => lent[0]?.records).toThrow("These records were lent until the next packet was explored");
    expect(kept.map(told)).toEqual(before);
  });

  it("are those of the state as it is, whatever was asked and run before", async () => {
    const ruleset = compile(syntheticCluster({ services: 2, endpoints: 3 }), {
      proxy: "ipvs",
      ipvsScheduler: "lc",
    });
    const engine = await engineOf(ruleset);
    const tell = (one: Engine, vip: string) =>
      one.explore(tcp(CLIENT, vip)).map((outcome) => [endOf(outcome), outcome.isNext, outcome.records]);
    for (let round = 0; round < 12; round++) {
      const vip = round % 3 === 0 ? "10.96.1.2:80" : VIP;
      // An engine that has explored nothing.
      const fresh = await Engine.load(engine.save());
      expect(tell(engine, vip)).toEqual(tell(fresh, vip));
      if (round === 7) engine.clearConnections();
      else if (round % 2 === 0) engine.follow(tcp(`198.51.100.7:${41000 + round}`, vip));
    }
  });

  it("are refused beyond the limit", async () => {
    const engine = await engineOf(rulesetOf("nftables", 9));
    expect(() => engine.explore(tcp(CLIENT, VIP), { limit: 8 })).toThrow("more than 8 ways");
    expect(engine.explore(tcp(CLIENT, VIP), { limit: 9 })).toHaveLength(9);
  });

  it.each(["iptables", "nftables"] as const)("of 1,000 endpoints in mode %s add up to 1", async (mode) => {
    const outcomes = (await engineOf(rulesetOf(mode, 1000))).explore(tcp(CLIENT, VIP));
    expect(outcomes).toHaveLength(1000);
    expect(total(outcomes)).toEqual(ONE);
  });
});

const CHAINS = 4;
const THRESHOLDS = [0, 1, 2 ** 30, 715_827_883, 2 ** 31 - 1];

function drawnTo(chain: number): fc.Arbitrary<To> {
  const end = fc.integer({ min: 1, max: 3 }).map((last) => ({ end: `10.244.1.${last}` }));
  const further = fc.integer({ min: chain + 1, max: CHAINS }).map((number) => ({ chain: number }));
  return fc.oneof(end, further, fc.constant("return" as const));
}

function drawnStep(chain: number): fc.Arbitrary<Step> {
  const threshold = fc.oneof(fc.constantFrom(...THRESHOLDS), fc.integer({ min: 0, max: 2 ** 31 - 1 }));
  const to = drawnTo(chain);
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("chance" as const), threshold, to }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("always" as const), to }) },
  );
}

/** Chain 0 … CHAINS - 1, each leading to later ones only; the last of all is empty. */
const drawnChains = fc.tuple(
  ...Array.from({ length: CHAINS }, (_, chain) => fc.array(drawnStep(chain), { maxLength: 3 })),
);

function targetOf(to: To): NonNullable<Rule["target"]> {
  if (to === "return") return { kind: "return" };
  if ("chain" in to) return { kind: "jump", chain: `C${to.chain}` };
  return { kind: "dnat", address: ip(to.end), port: 0 };
}

function ruleOf(step: Step): Rule {
  const { to } = step;
  const matches: Rule["matches"] =
    step.kind === "always" ? [] : [{ kind: "statistic", threshold: step.threshold }];
  return { matches: [{ kind: "protocol", protocol: "TCP" }, ...matches], target: targetOf(to) };
}

function withChains(ruleset: Ruleset, chains: readonly (readonly Step[])[]): Ruleset {
  const own = [...chains, []].map((steps, index) => ({ name: `C${index}`, rules: steps.map(ruleOf) }));
  const start: Rule = { matches: [], target: { kind: "jump", chain: "C0" } };
  const base = { name: "PREROUTING", policy: "ACCEPT" as const, rules: [start] };
  return {
    ...ruleset,
    iptables: { family: 4, tables: [{ name: "nat", chains: [base, ...own] }] },
  };
}

describe("outcomes of drawn chains", () => {
  it("are those of an oracle that goes through every choice", async () => {
    const empty = rulesetOf("iptables", 1);
    await fc.assert(
      fc.asyncProperty(drawnChains, async (chains) => {
        const outcomes = (await engineOf(withChains(empty, chains))).explore(tcp(CLIENT, VIP));
        const expected = endsOf(chains, NONE);
        expect(new Set(outcomes.map(endOf))).toEqual(new Set(expected.keys()));
        expect(total(outcomes)).toEqual(ONE);
        for (const outcome of outcomes)
          expect(equals(outcome.probability ?? ZERO, expected.get(endOf(outcome)) ?? [0n, 1n])).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("are what the run build draws, by chi-square", async () => {
    const engine = await engineOf(rulesetOf("iptables", 7), 5);
    const counts = new Map<string, number>();
    const batch = engine.batch(1);
    const packets = 7000;
    for (let index = 0; index < packets; index++) {
      engine.clearConnections();
      batch.set(0, tcp(CLIENT, VIP), 1);
      engine.run(batch, 0);
      const [connection] = engine.listConnections();
      const end = connection === undefined ? NONE : printIp(connection.reply.src);
      counts.set(end, (counts.get(end) ?? 0) + 1);
    }
    engine.clearConnections();
    const outcomes = engine.explore(tcp(CLIENT, VIP));
    const chi = outcomes.reduce((sum, outcome) => {
      const { numerator, bits } = outcome.probability ?? ZERO;
      const mean = (Number(numerator) / 2 ** bits) * packets;
      return sum + ((counts.get(endOf(outcome)) ?? 0) - mean) ** 2 / mean;
    }, 0);
    // Six degrees of freedom: beyond 22.46 once in a thousand seeds.
    expect(chi).toBeLessThan(22.46);
  });
});
