import type { Family } from "../../net/ip.js";
import type { Iptables } from "../../ruleset/iptables.js";
import type { NftTable } from "../../ruleset/nftables.js";
import { chainsNamed, mapsNamed } from "../../ruleset/references.js";
import type { Ruleset } from "../../ruleset/ruleset.js";
import type { NumberedTable } from "../../trace/numbering.js";
import { eachHandover } from "../entries/handovers.js";
import { RuleColumns } from "../entries/rules.js";
import { Words } from "../entries/words.js";
import type { AnyChain, LiveChain } from "./chain.js";
import { ChainTable, type Shared } from "./chain-table.js";
import { ChangedGraph, LoadedGraph } from "./graphs.js";
import { areSameHooks, type HookEntry, hookEntries } from "./hooks.js";
import { refuseLoops } from "./loops.js";

/** Many chains as the machine takes them: rows of number, rules, words, and those one behind another. */
export interface ChainColumns {
  readonly rows: Uint32Array;
  readonly rules: Uint32Array;
  readonly words: Uint32Array;
}

/** About as many as a cluster's chains have: what they take is known when they are encoded. */
const RULES_PER_CHAIN = 3;

/** Numbers of the chains that the elements of a verdict map lead to, by the map's number. */
export type MapChains = (map: number) => readonly number[];

/** The chains of all tables, iptables' and nftables'. */
export class Chains {
  readonly #tables: readonly ChainTable[];
  readonly #shared: Shared;
  #hooks: readonly HookEntry[] = [];

  /** `saved`: the chains' numbers in the order of the ruleset, where an image has them already. */
  constructor(
    ruleset: Pick<Ruleset, "iptables" | "ip6tables" | "nftables" | "nftables6">,
    saved: readonly number[] | undefined,
    parts: Pick<Shared, "numbers" | "journal" | "writes" | "lists">,
  ) {
    this.#shared = { ...parts, bases: [], touched: new Set(), led: [] };
    const all = tablesOf(ruleset);
    this.#tables = all.map(({ facts }) => new ChainTable(facts, this.#shared));
    let index = 0;
    for (const [at, { chains }] of all.entries()) {
      for (const chain of chains) this.#tables[at]?.define(chain, saved?.[index++]);
    }
    for (const table of this.#tables) table.settle();
    parts.numbers.sweep();
  }

  get hooks(): readonly HookEntry[] {
    return this.#hooks;
  }

  /** The number of every chain, in the order of the ruleset. */
  get numbers(): readonly number[] {
    return this.#tables.flatMap((table) => table.defined.map(({ number }) => number));
  }

  /** The tables of iptables, or ip6tables. */
  iptables(family: Family): readonly ChainTable[] {
    return this.#tables.filter(({ facts }) => facts.tool === "iptables" && facts.family === family);
  }

  /** nftables' table of a family. */
  nftables(family: Family): ChainTable | undefined {
    return this.#tables.find(({ facts }) => facts.tool === "nftables" && facts.family === family);
  }

  /** The iptables table of a name, which must be there. */
  table(name: string, family: Family): ChainTable {
    const tables = this.iptables(family);
    const table = tables.find((one) => one.name === name);
    if (table !== undefined) return table;
    const tool = family === 6 ? "ip6tables" : "iptables";
    throw new TypeError(`the ruleset has no ${tables.length === 0 ? tool : `table ${name}`}.`);
  }

  /** nftables' table, which must be there. */
  nft(family: Family): ChainTable {
    const table = this.nftables(family);
    if (table === undefined) throw new TypeError(`the ruleset has no nftables${family === 6 ? "6" : ""}.`);
    return table;
  }

  /** All rules, as the machine is given them at first. TypeError for a chain that is missing, or leads back to itself. */
  load(mapChains: MapChains): ChainColumns {
    const { chains } = this.#shared.numbers;
    const all = this.#tables.flatMap((table) => table.defined);
    const rows = new Words(Math.max(3, 3 * all.length));
    const columns = new RuleColumns(RULES_PER_CHAIN * (all.length + 1));
    const graph = new LoadedGraph(chains);
    for (const table of this.#tables) {
      for (const live of table.defined) {
        const [rules, words] = [columns.count, columns.words.length];
        live.each((rule) => table.encode(rule, columns, words));
        rows.push3(live.number, columns.count - rules, columns.words.length - words);
        graph.begin(live.number);
        eachHandover(columns, rules, words, (to, isMap) =>
          isMap ? graph.addMap(mapChains(to)) : graph.add(to),
        );
        graph.end(live.number);
      }
    }
    this.#refuseDangling();
    refuseLoops(chains.keys(), graph);
    this.#hooks = hookEntries(this.#shared.bases);
    this.forget();
    return { rows: rows.words, rules: columns.rules, words: columns.words.words };
  }

  /** After the steps of a change: TypeError for a chain that is missing, leads back to itself, or has no hook to go to. */
  check(mapChains: MapChains): readonly HookEntry[] {
    const { touched, led, bases, numbers } = this.#shared;
    this.#refuseDangling();
    if (led.length > 0)
      refuseLoops(led, new ChangedGraph(numbers.chains, (chain) => this.#next(chain, mapChains)));
    return [...touched].some((live) => live.isBase || this.#hooks.some(({ chain }) => chain === live.number))
      ? hookEntries(bases)
      : this.#hooks;
  }

  /** After `check`: gives back the numbers of chains that are gone, and writes the hooks. It cannot fail. */
  settle(hooks: readonly HookEntry[]): void {
    const { touched, writes } = this.#shared;
    for (const live of touched) {
      if (live.head === undefined) this.#tableOf(live)?.forget(live);
    }
    if (!areSameHooks(hooks, this.#hooks)) writes.add(0, (image) => image.setHooks(hooks));
    this.#hooks = hooks;
    this.forget();
  }

  /** Nothing waits any more. */
  forget(): void {
    this.#shared.touched.clear();
    this.#shared.led.length = 0;
  }

  #tableOf(live: LiveChain | undefined): ChainTable | undefined {
    return this.#tables.find(({ facts }) => facts === live?.of);
  }

  #refuseDangling(): void {
    for (const { head, references, of, name } of this.#shared.touched) {
      if (head === undefined && references > 0)
        throw new TypeError(`Table ${of.title} has no chain ${name} to jump to.`);
    }
  }

  #next(chain: number, mapChains: MapChains): readonly number[] {
    const live = this.#shared.numbers.chains[chain];
    const table = this.#tableOf(live);
    const next: number[] = [];
    live?.each((rule) => {
      for (const name of chainsNamed(rule)) next.push(table?.chainNumber(name) ?? 0);
      for (const map of mapsNamed(rule)) next.push(...mapChains(table?.setOf(map).number ?? 0));
    });
    return next;
  }
}

interface NamedTable {
  readonly facts: NumberedTable;
  readonly chains: readonly AnyChain[];
}

function iptablesOf(tables: Iptables["tables"], family: Family): readonly NamedTable[] {
  return tables.map(({ name, chains }) => ({
    facts: { name, tool: "iptables", family, title: family === 6 ? `ip6tables ${name}` : name },
    chains,
  }));
}

function nftablesOf(table: NftTable | undefined, family: Family): readonly NamedTable[] {
  if (table === undefined) return [];
  const { name, chains } = table;
  return [{ facts: { name, tool: "nftables", family, title: family === 6 ? `ip6 ${name}` : name }, chains }];
}

/** All tables of a ruleset: a saved image numbers their chains in this order. */
function tablesOf({
  iptables,
  ip6tables,
  nftables,
  nftables6,
}: Pick<Ruleset, "iptables" | "ip6tables" | "nftables" | "nftables6">): readonly NamedTable[] {
  return [
    ...iptablesOf(iptables?.tables ?? [], 4),
    ...iptablesOf(ip6tables?.tables ?? [], 6),
    ...nftablesOf(nftables, 4),
    ...nftablesOf(nftables6, 6),
  ];
}
