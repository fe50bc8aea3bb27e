import { chainsNamed, mapsNamed } from "../../ruleset/references.js";
import type { Ruleset } from "../../ruleset/ruleset.js";
import { eachHandover } from "../entries/handovers.js";
import { RuleColumns } from "../entries/rules.js";
import { Words } from "../entries/words.js";
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
  readonly iptables: readonly ChainTable[];
  readonly nftables: ChainTable | undefined;
  readonly #shared: Shared;
  #hooks: readonly HookEntry[] = [];

  /** `saved`: the chains' numbers in the order of the ruleset, where an image has them already. */
  constructor(
    { iptables, nftables }: Pick<Ruleset, "iptables" | "nftables">,
    saved: readonly number[] | undefined,
    parts: Pick<Shared, "numbers" | "journal" | "writes">,
  ) {
    this.#shared = { ...parts, bases: [], touched: new Set(), led: [] };
    const tables = [...(iptables?.tables ?? []), ...(nftables === undefined ? [] : [nftables])];
    const live = tables.map(({ name }) => new ChainTable(name, this.#shared));
    this.iptables = live.slice(0, iptables?.tables.length ?? 0);
    this.nftables = nftables === undefined ? undefined : live.at(-1);
    let index = 0;
    for (const [at, { chains }] of tables.entries()) {
      for (const chain of chains) live[at]?.define(chain, saved?.[index++]);
    }
    for (const table of live) table.settle();
    parts.numbers.sweep();
  }

  get hooks(): readonly HookEntry[] {
    return this.#hooks;
  }

  /** The number of every chain, in the order of the ruleset. */
  get numbers(): readonly number[] {
    return this.#tables.flatMap((table) => table.defined.map(({ number }) => number));
  }

  /** The iptables table of a name, which must be there. */
  table(name: string): ChainTable {
    const table = this.iptables.find((one) => one.name === name);
    if (table !== undefined) return table;
    throw new TypeError(`the ruleset has no ${this.iptables.length === 0 ? "iptables" : `table ${name}`}.`);
  }

  /** nftables' table, which must be there. */
  get nft(): ChainTable {
    if (this.nftables === undefined) throw new TypeError("the ruleset has no nftables.");
    return this.nftables;
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
      if (live.head === undefined) this.#tables.find(({ name }) => name === live.table)?.forget(live);
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

  get #tables(): readonly ChainTable[] {
    return this.nftables === undefined ? this.iptables : [...this.iptables, this.nftables];
  }

  #refuseDangling(): void {
    for (const { head, references, table, name } of this.#shared.touched) {
      if (head === undefined && references > 0)
        throw new TypeError(`Table ${table} has no chain ${name} to jump to.`);
    }
  }

  #next(chain: number, mapChains: MapChains): readonly number[] {
    const live = this.#shared.numbers.chains[chain];
    const table = this.#tables.find(({ name }) => name === live?.table);
    const next: number[] = [];
    live?.each((rule) => {
      for (const name of chainsNamed(rule)) next.push(table?.chainNumber(name) ?? 0);
      for (const map of mapsNamed(rule)) next.push(...mapChains(this.#shared.numbers.setOf(map).number));
    });
    return next;
  }
}
