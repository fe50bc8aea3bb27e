import { describe, expect, it } from "vitest";
import { compile } from "../../src/compile.js";
import { diffNodes } from "../../src/diff/diff.js";
import { groupDifferences } from "../../src/diff/difference.js";
import type { Side } from "../../src/diff/side.js";
import type { Chain, Iptables, Rule } from "../../src/ruleset/iptables.js";
import { sideOf } from "./ask.js";
import { ENDPOINTS, webOf } from "./web.js";

describe("a node's own rules", () => {
  const web = webOf({}, ...ENDPOINTS).build();
  const side = sideOf(web);

  /** The node's rules, with one chain's changed; nothing else is known of it. */
  function edited(
    of: string,
    name: string,
    edit: (rules: readonly Rule[]) => readonly Rule[],
    cluster = web,
  ): Side {
    const change = (chain: Chain) =>
      chain.name.startsWith(name) ? { ...chain, rules: edit(chain.rules) } : chain;
    const { iptables, ...rest } = compile(cluster);
    const tables =
      iptables?.tables.map((table) =>
        table.name === of ? { ...table, chains: table.chains.map(change) } : table,
      ) ?? [];
    const rules: Iptables = { family: 4, tables };
    return { ruleset: { ...rest, iptables: rules } };
  }

  it("are as its cluster says", async () => {
    expect(
      await diffNodes(
        side,
        edited("nat", "KUBE-SERVICES", (rules) => rules),
      ),
    ).toEqual([]);
  });

  it("draw endpoints with other chances", async () => {
    const biased = edited("nat", "KUBE-SVC-", (rules) =>
      rules.map((rule) => ({
        ...rule,
        matches: rule.matches.map((match) =>
          match.kind === "statistic" ? { ...match, threshold: 2 ** 29 } : match,
        ),
      })),
    );
    const groups = groupDifferences(await diffNodes(side, biased));
    expect(new Set(groups.map(({ change }) => change))).toEqual(new Set(["weights"]));
    expect(groups[0]?.example.b).toContain("by chance 25.00 %, 75.00 %");
  });

  it("forget the clients of one endpoint, whichever it is", async () => {
    const sticky = webOf({ affinitySeconds: 600 }, ...ENDPOINTS).build();
    for (const nth of ENDPOINTS.keys()) {
      const forgetful = edited(
        "nat",
        "KUBE-SVC-",
        (rules) => {
          const remembering = rules.filter(({ matches }) => matches.some(({ kind }) => kind === "recent"));
          return rules.filter((rule) => rule !== remembering[nth]);
        },
        sticky,
      );
      const groups = groupDifferences(await diffNodes(sideOf(sticky), forgetful));
      expect(groups.map(({ topic, example }) => [topic, example.earlier?.seconds])).toEqual([
        ["affinity", 1],
      ]);
    }
  });

  it("forget their clients sooner or later", async () => {
    const sticky = webOf({ affinitySeconds: 600 }, ...ENDPOINTS).build();
    const lasting = (seconds: number) => (rule: Rule) => ({
      ...rule,
      matches: rule.matches.map((one) =>
        one.kind === "recent" && one.op === "rcheck" ? { ...one, seconds } : one,
      ),
    });
    const askedAfter = async (seconds: number) => {
      const edit = (rules: readonly Rule[]) => rules.map(lasting(seconds));
      const found = groupDifferences(
        await diffNodes(sideOf(sticky), edited("nat", "KUBE-SVC-", edit, sticky)),
      );
      return found.map(({ topic, example }) => [topic, example.earlier?.seconds]);
    };
    expect(await askedAfter(600)).toEqual([]);
    expect(await askedAfter(599)).toEqual([["affinity", 600]]);
    expect(await askedAfter(601)).toEqual([["affinity", 601]]);
  });

  it("let others in to what listens on localhost", async () => {
    const open = edited("filter", "INPUT", (rules) =>
      rules.filter(({ target }) => target?.kind !== "jump" || target.chain !== "KUBE-FIREWALL"),
    );
    const groups = groupDifferences(await diffNodes(side, open));
    expect(groups.map(({ a, b }) => [a, b])).toEqual([["is dropped", "reaches the node itself"]]);
    expect(groups[0]?.example).toMatchObject({ asker: "a Pod", to: "127.0.0.1:9" });
  });

  it("leave undecided what a rule asks that is not known, and say which", async () => {
    const asking = edited("filter", "FORWARD", (rules) => [
      {
        matches: [{ kind: "unknown", module: "time", text: "-m time --timestart 10:00" }],
        target: { kind: "drop" },
        line: 7,
      },
      ...rules,
    ]);
    const groups = groupDifferences(await diffNodes(side, asking));
    expect(new Set(groups.map(({ topic }) => topic))).toEqual(new Set(["undecided"]));
    expect(groups[0]?.b).toBe("is undecided at line 7 (a rule asks what this program does not know)");
  });

  it("open what its cluster does not know", async () => {
    const open = edited("nat", "KUBE-SERVICES", (rules) => [
      {
        matches: [
          { kind: "destination", prefix: { address: 0x0a600063, length: 32 } },
          { kind: "protocol", protocol: "TCP" },
          { kind: "dport", from: 99, to: 99 },
        ],
        target: { kind: "jump", chain: "KUBE-MARK-MASQ" },
      },
      ...rules,
    ]);
    const groups = groupDifferences(await diffNodes(side, open));
    expect(groups.map(({ topic, change, example }) => [topic, change, example.to, example.place])).toEqual([
      ["other-address", "masquerade", "10.96.0.99:99", "address of a rule"],
    ]);
  });
});
