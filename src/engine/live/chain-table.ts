import type { Family } from "../../net/ip.js";
import { chainsNamed, listsNamed, setsNamed } from "../../ruleset/references.js";
import type { Interface } from "../../ruleset/routes.js";
import type { NumberedTable } from "../../trace/numbering.js";
import { eachHandover } from "../entries/handovers.js";
import { iptablesRule } from "../entries/iptables.js";
import { nftRule } from "../entries/nftables.js";
import { type RuleColumns, RuleDraft } from "../entries/rules.js";
import type { NumberedSet, Scope } from "../entries/scope.js";
import type { AnyChain, AnyRule, LiveChain } from "./chain.js";
import { type ClientLists, recentKey } from "./client-lists.js";
import type { Journal } from "./journal.js";
import type { Numbers } from "./numbers.js";
import { ShardedMap } from "./sharded-map.js";
import type { Writes } from "./writes.js";

/** What the tables of an engine share. */
export interface Shared {
  readonly numbers: Numbers;
  readonly journal: Journal;
  readonly writes: Writes;
  readonly lists: ClientLists;
  /** Base chains in the order in which they were made. */
  bases: readonly LiveChain[];
  /** Chains that a change made, named or took away. */
  readonly touched: Set<LiveChain>;
  /** Numbers of the chains that new rules and elements lead to. */
  readonly led: number[];
}

/** Chunks that a change within a chain moves, and their row. */
const SPLICE_OCTETS = 1 << 16;
/** What a rule takes at most, its words apart, and what few rules are cut from, once for all chains. */
const RULE_OCTETS = 72;
const CHAIN_OCTETS = 128;
const CHUNKS_OCTETS = 1 << 14;
/** A directory that doubles, perhaps more than once. */
const HEAD_OCTETS = 64;
const NO_RULES: readonly AnyRule[] = [];

/** Whose sets the rules of a table name: its own, or with iptables the ipsets of either family. */
export function setScope({ tool, family }: Pick<NumberedTable, "tool" | "family">): string {
  return tool === "iptables" ? "ipset" : `nft${family}`;
}

/** The chains of one table: those defined, and those that are only named. */
export class ChainTable implements Scope {
  readonly #byName = new ShardedMap<LiveChain>();
  readonly #defined: LiveChain[] = [];
  readonly #draft = new RuleDraft();
  /** The last chain that was named. */
  #last: LiveChain | undefined;

  constructor(
    readonly facts: NumberedTable,
    readonly shared: Shared,
  ) {}

  get name(): string {
    return this.facts.name;
  }

  get defined(): readonly LiveChain[] {
    return this.#defined;
  }

  get(name: string): LiveChain | undefined {
    return this.#byName.get(name);
  }

  chainNumber(name: string): number {
    // Rules name the chain that the rule before named, or chains in the order in which they are defined.
    const last = this.#last;
    if (last?.name === name) return last.number;
    const next = last === undefined ? undefined : this.#defined[last.position + 1];
    this.#last = next?.name === name ? next : this.#named(name);
    return this.#last.number;
  }

  /** All chains of the ruleset are defined. */
  settle(): void {
    this.#byName.settle();
  }

  get family(): Family {
    return this.facts.family;
  }

  get interfaces(): readonly Interface[] {
    return this.shared.numbers.interfaces;
  }

  setOf(name: string): NumberedSet {
    return this.shared.numbers.setOf(setScope(this.facts), name);
  }

  ipsetOf(name: string): NumberedSet | undefined {
    return this.shared.numbers.findSet(setScope(this.facts), name);
  }

  listOf(name: string): number {
    return this.shared.lists.refer(recentKey(name));
  }

  interfaceNumber(name: string): number {
    return this.shared.numbers.interfaceNumber(name);
  }

  /** Defines a chain of a ruleset that is loaded: its rules are encoded when all chains are defined. */
  define(chain: AnyChain, number?: number): void {
    const live = this.shared.numbers.takeChain(this.facts, chain.name, number);
    if (!this.#byName.insert(chain.name, live))
      throw new TypeError(`Table ${this.facts.title} has chain ${chain.name} twice.`);
    this.#place(live);
    live.head = chain;
    if (live.isBase) this.shared.bases = [...this.shared.bases, live];
  }

  /** Adds a rule to columns in which the words of its chain begin at `first`. */
  encode(rule: AnyRule, columns: RuleColumns, first = 0): void {
    const draft = this.#draft.clear();
    columns.add("statements" in rule ? nftRule(rule, this, draft) : iptablesRule(rule, this, draft), first);
  }

  /** Makes a chain, or replaces its rules. */
  set(chain: AnyChain): void {
    const live = this.#named(chain.name);
    this.shared.touched.add(live);
    if (live.head === undefined) {
      this.#place(live);
      this.shared.journal.note(() => this.#displace(live));
    }
    this.#write(live, 0, live.length, chain.rules);
    live.each((rule) => this.#release(rule));
    this.#replace(live, chain);
  }

  remove(name: string): void {
    const live = this.#existing(name, `such chain ${name} in table ${this.facts.title}`);
    this.shared.touched.add(live);
    this.#displace(live);
    this.shared.journal.note(() => this.#place(live, live.position));
    this.#write(live, 0, live.length, NO_RULES);
    live.each((rule) => this.#release(rule));
    this.#replace(live, undefined);
  }

  splice(name: string, at: number, removed: number, rules: readonly AnyRule[]): void {
    const live = this.#existing(name, `chain in table ${this.facts.title} named ${name}`);
    const isIn = Number.isInteger(at) && Number.isInteger(removed) && at >= 0 && removed >= 0;
    if (!isIn || at + removed > live.length) {
      throw new TypeError(`chain ${name} has ${live.length} rules: ${removed} cannot go at position ${at}.`);
    }
    this.shared.touched.add(live);
    this.#write(live, at, removed, rules);
    const gone = live.splice(at, removed, rules);
    this.shared.journal.note(() => live.splice(at, rules.length, gone));
    for (const rule of gone) this.#release(rule);
  }

  /** Writes the rules that name a set again: it is another now. */
  renew(set: string): void {
    for (const live of this.#defined) {
      const { rules } = live;
      if (!rules.some((rule) => setsNamed(rule).includes(set))) continue;
      this.#write(live, 0, live.length, rules);
      for (const rule of rules) this.#release(rule);
    }
  }

  /** Frees the number of a chain that nothing defines or names any more. */
  forget(live: LiveChain): void {
    this.#byName.delete(live.name);
    this.#last = undefined;
    this.shared.numbers.giveChain(live.number);
  }

  /** Counts a reference to a chain by number. */
  refer(number: number, by: 1 | -1): void {
    const live = this.shared.numbers.chains[number] as LiveChain;
    live.references += by;
    if (!this.shared.journal.isOpen) return;
    this.shared.journal.note(() => {
      live.references -= by;
    });
    if (by > 0) this.shared.led.push(number);
  }

  #named(name: string): LiveChain {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const { numbers, touched, journal } = this.shared;
    const live = numbers.takeChain(this.facts, name);
    this.#byName.set(name, live);
    touched.add(live);
    journal.note(() => this.forget(live));
    return live;
  }

  #existing(name: string, what: string): LiveChain {
    const live = this.#byName.get(name);
    if (live?.head === undefined) throw new TypeError(`the ruleset has no ${what}.`);
    return live;
  }

  #replace(live: LiveChain, head: AnyChain | undefined): void {
    const { shared } = this;
    const before = { head: live.head, list: live.list, bases: shared.bases };
    const wasBase = live.isBase;
    live.head = head;
    live.list = undefined;
    if (live.isBase && !wasBase) shared.bases = [...shared.bases, live];
    if (!live.isBase && wasBase) shared.bases = shared.bases.filter((base) => base !== live);
    shared.journal.note(() => {
      live.head = before.head;
      live.list = before.list;
      shared.bases = before.bases;
    });
  }

  /** Puts a chain at a position of the list; what was there goes to the end. */
  #place(live: LiveChain, position = this.#defined.length): void {
    const other = this.#defined[position];
    if (other !== undefined) other.position = this.#defined.push(other) - 1;
    this.#defined[position] = live;
    live.position = position;
  }

  /** Takes a chain off the list; the last comes to its position. */
  #displace(live: LiveChain): void {
    const last = this.#defined.pop() as LiveChain;
    if (last === live) return;
    this.#defined[live.position] = last;
    last.position = live.position;
  }

  #write(live: LiveChain, at: number, removed: number, rules: readonly AnyRule[]): void {
    const { columns } = this.shared.writes;
    const [rule, word] = [columns.count, columns.words.length];
    for (const one of rules) this.encode(one, columns, word);
    eachHandover(columns, rule, word, (to, isMap) => {
      if (!isMap) this.refer(to, 1);
    });
    // The columns grow until the change is whole: what is new is looked for when it is written.
    const [count, words] = [columns.count - rule, columns.words.length - word];
    const { number } = live;
    const { writes, numbers } = this.shared;
    const moved = removed === live.length ? CHAIN_OCTETS : SPLICE_OCTETS;
    writes.grow(numbers, CHUNKS_OCTETS + HEAD_OCTETS * numbers.chains.length);
    writes.add(moved + RULE_OCTETS * count + 8 * words, (image) =>
      image.spliceChain(number, at, removed, columns.range(rule, count, word, words)),
    );
  }

  #release(rule: AnyRule): void {
    for (const name of chainsNamed(rule)) this.refer(this.#named(name).number, -1);
    for (const name of listsNamed(rule)) this.shared.lists.release(recentKey(name));
  }
}
