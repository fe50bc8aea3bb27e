import { describe, expect, it } from "vitest";
import { Engine } from "../../src/engine/engine.js";
import type { Iptables, Rule } from "../../src/ruleset/iptables.js";
import type { NftRule } from "../../src/ruleset/nftables.js";
import type { Ruleset } from "../../src/ruleset/ruleset.js";
import { engineOf } from "../drawn-cluster.js";
import { REQUEST, WEB } from "./web.js";

/** The ruleset with a chain of table nat changed. */
function withNatRules(ruleset: Ruleset, name: string, rules: readonly Rule[]): Ruleset {
  const tables = (ruleset.iptables as Iptables).tables.map((table) =>
    table.name === "nat"
      ? { ...table, chains: table.chains.map((chain) => (chain.name === name ? { ...chain, rules } : chain)) }
      : table,
  );
  return { ...ruleset, iptables: { ...(ruleset.iptables as Iptables), tables } };
}

function withNftRules(ruleset: Ruleset, name: string, rules: readonly NftRule[]): Ruleset {
  const { nftables } = ruleset;
  if (nftables === undefined) throw new Error("no nftables");
  const chains = nftables.chains.map((chain) => (chain.name === name ? { ...chain, rules } : chain));
  return { ...ruleset, nftables: { ...nftables, chains } };
}

const jumpTo = (chain: string): Rule => ({ matches: [], target: { kind: "jump", chain } });

describe("a ruleset whose parts do not fit together is refused", () => {
  const iptables = engineOf([WEB], "iptables").then(({ ruleset }) => ruleset);
  const nftables = engineOf([WEB], "nftables").then(({ ruleset }) => ruleset);

  it("jumps and gotos in a circle", async () => {
    const itself = withNatRules(await iptables, "KUBE-SERVICES", [jumpTo("KUBE-SERVICES")]);
    await expect(Engine.load(itself)).rejects.toThrow(
      "Chain KUBE-SERVICES of table nat leads back to itself: a loop.",
    );
    const two = withNatRules(await iptables, "KUBE-MARK-MASQ", [jumpTo("PREROUTING")]);
    await expect(Engine.load(two)).rejects.toThrow("leads back to itself: a loop.");
    const rule: NftRule = {
      statements: [{ kind: "verdict", verdict: { kind: "goto", chain: "nat-output" } }],
    };
    await expect(Engine.load(withNftRules(await nftables, "services", [rule]))).rejects.toThrow("a loop");
  });

  it("circles through a numgen or a verdict map", async () => {
    const endpoint =
      (await nftables).nftables?.chains.find(({ name }) => name.startsWith("endpoint-"))?.name ?? "";
    const drawn: NftRule = { statements: [{ kind: "numgen-vmap", chains: [endpoint] }] };
    await expect(Engine.load(withNftRules(await nftables, endpoint, [drawn]))).rejects.toThrow("a loop");
    const back: NftRule = { statements: [{ kind: "verdict", verdict: { kind: "jump", chain: "services" } }] };
    await expect(Engine.load(withNftRules(await nftables, endpoint, [back]))).rejects.toThrow("a loop");
  });

  it("chains that are not there", async () => {
    const nowhere = withNatRules(await iptables, "KUBE-SERVICES", [jumpTo("KUBE-NOWHERE")]);
    await expect(Engine.load(nowhere)).rejects.toThrow("Table nat has no chain KUBE-NOWHERE to jump to.");
  });

  it("sets that are not there", async () => {
    const rule: Rule = {
      matches: [{ kind: "set", set: "KUBE-NOTHING", sides: ["dst"] }],
      target: { kind: "accept" },
    };
    await expect(Engine.load(withNatRules(await iptables, "KUBE-SERVICES", [rule]))).rejects.toThrow(
      "The ruleset has no set or map KUBE-NOTHING.",
    );
  });

  it("nests no deeper than the kernel follows: a chain too many drops", async () => {
    const ruleset = await iptables;
    const { tables } = ruleset.iptables as Iptables;
    const deep = Array.from({ length: 20 }, (_, index) => ({
      name: `DEEP-${index}`,
      rules: index < 19 ? [jumpTo(`DEEP-${index + 1}`)] : [],
    }));
    const nested = tables.map((table) =>
      table.name === "nat" ? { ...table, chains: [...table.chains, ...deep] } : table,
    );
    const engine = await Engine.load(
      withNatRules({ ...ruleset, iptables: { family: 4, tables: nested } }, "KUBE-SERVICES", [
        jumpTo("DEEP-0"),
      ]),
      { connections: 10 },
    );
    expect(engine.follow(REQUEST)).toMatchObject({ verdict: "DROP", reason: "CHAIN_DEPTH" });
  });
});
