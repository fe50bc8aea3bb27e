import type { Family, Ip } from "../../net/ip.js";
import { elementKey, ipKey, ipSetEntryKey } from "../../ruleset/identity.js";
import type { IpSet, IpSetEntry } from "../../ruleset/ipset.js";
import type { NftMapElement, NftSet, NftTable, NftVerdictMap } from "../../ruleset/nftables.js";
import { verdictChains } from "../../ruleset/references.js";
import type { Ruleset } from "../../ruleset/ruleset.js";
import { pushAddress, pushElement } from "../entries/elements.js";
import { type GroupNumbers, IpSetRows } from "../entries/ipset-rows.js";
import { verdictWord } from "../entries/nftables.js";
import type { NumberedClients } from "../entries/scope.js";
import { type ChainTable, setScope } from "./chain-table.js";
import type { ClientLists } from "./client-lists.js";
import { ElementSet } from "./element-set.js";
import type { Journal } from "./journal.js";
import { Keyed } from "./keyed.js";
import type { Numbers } from "./numbers.js";
import type { Writes } from "./writes.js";

type Address = NftSet["addresses"][number];

/** An ipset's name, and the numbers of its groups. */
export type SavedGroups = readonly [set: string, groups: GroupNumbers];

interface Parts {
  readonly numbers: Numbers;
  readonly journal: Journal;
  readonly lists: ClientLists;
  readonly writes: Writes;
}

/** The elements of one exact-match table: rows of EXACT_…, or of EXACT6_… where the family is 6. */
export interface TableEntries {
  readonly number: number;
  readonly name: string;
  readonly family: Family;
  readonly rows: Uint32Array;
}

/**
 * ipsets, and nftables' sets and verdict maps. Which there are never changes, but for the sets that rules fill; what is
 * in them does.
 */
export class Sets {
  readonly #ipsets: readonly ElementSet<IpSetEntry>[];
  readonly #nft: Readonly<Record<Family, NftElements>>;
  readonly #parts: Parts;
  readonly #saved: ReadonlyMap<string, GroupNumbers>;
  readonly #rows = new Map<string, IpSetRows>();
  #number: number;

  /** Numbers begin at `first`. `saved`: the groups of an image that has them already. */
  constructor(
    { ipsets = [], nftables, nftables6 }: Pick<Ruleset, "ipsets" | "nftables" | "nftables6">,
    tableOf: (family: Family) => ChainTable | undefined,
    first: number,
    parts: Parts,
    saved: readonly SavedGroups[] = [],
  ) {
    this.#saved = new Map(saved);
    this.#number = first;
    this.#parts = parts;
    this.#ipsets = ipsets.map((set) => this.#ipset(set));
    this.#nft = { 4: this.#elementsOf(nftables, tableOf(4)), 6: this.#elementsOf(nftables6, tableOf(6)) };
    for (const [family, as] of [[4, nftables] as const, [6, nftables6] as const]) {
      for (const set of as?.sets ?? []) if (!isStatic(set)) this.setDynamic(family, set);
    }
  }

  /** Everything, as the machine is given it at first. */
  load(): readonly TableEntries[] {
    for (const { table, maps } of Object.values(this.#nft)) {
      for (const { elements } of maps) for (const element of elements.items) refer(table, element, 1);
    }
    return this.#all.map(({ facts, rows }) => ({ ...facts, rows }));
  }

  /** By number. */
  get names(): readonly (readonly [number: number, name: string])[] {
    return this.#all.map(({ facts }) => [facts.number, facts.name] as const);
  }

  /** Of the ipsets that have any. */
  get groups(): readonly SavedGroups[] {
    const all = Array.from(this.#rows, ([name, { groups }]) => [name, groups] as const);
    return all.filter(([, groups]) => groups.length > 0);
  }

  addEntry(set: string, entry: IpSetEntry): void {
    existing(this.#ipsets, set, "ipset").add(entry);
  }

  removeEntry(set: string, entry: IpSetEntry): void {
    const ipset = existing(this.#ipsets, set, "ipset");
    ipset.remove(ipset.keyOf(entry));
  }

  addAddress(family: Family, set: string, address: Address): void {
    existing(this.#nft[family].sets, set, "set").add(address);
  }

  removeAddress(family: Family, set: string, address: Ip): void {
    existing(this.#nft[family].sets, set, "set").remove(ipKey(address));
  }

  /** Makes a set that rules fill, or replaces it. */
  setDynamic(family: Family, set: NftSet): void {
    const { table, dynamic } = this.#nft[family];
    if (table === undefined) throw new TypeError("the ruleset has no nftables.");
    const scope = setScope(table.facts);
    const key = `${scope} ${set.name}`;
    const { numbers, lists, journal } = this.#parts;
    const old = dynamic.set(set);
    const before = numbers.findSet(scope, set.name);
    if (old !== undefined && areSameBounds(old, set)) return;
    if (old !== undefined) lists.release(key);
    numbers.addSet(scope, set.name, clientsOf(set, lists.refer(key)));
    if (before !== undefined) journal.note(() => numbers.addSet(scope, set.name, before));
    if (old !== undefined) table.renew(set.name);
  }

  removeDynamic(family: Family, name: string): void {
    const { table, dynamic } = this.#nft[family];
    const removed = dynamic.remove(name);
    if (table === undefined || removed === undefined)
      throw new TypeError(`the ruleset has no such set ${name}.`);
    this.#parts.lists.release(`${setScope(table.facts)} ${name}`);
  }

  setElement(family: Family, map: string, element: NftMapElement): void {
    const { table, maps } = this.#nft[family];
    const old = existing(maps, map, "map").set(element);
    refer(table, element, 1);
    if (old !== undefined) refer(table, old, -1);
  }

  removeElement(
    family: Family,
    map: string,
    element: Pick<NftMapElement, "address" | "protocol" | "port">,
  ): void {
    const { table, maps } = this.#nft[family];
    refer(table, existing(maps, map, "map").remove(elementKey(element)), -1);
  }

  /** Numbers of the chains that a map's elements lead to. */
  chainsOf(map: number): readonly number[] {
    for (const { table, maps } of Object.values(this.#nft)) {
      const { elements } = maps.find(({ facts }) => facts.number === map) ?? {};
      if (elements === undefined) continue;
      const names = new Set(elements.items.flatMap(({ verdict }) => verdictChains(verdict)));
      return [...names].map((name) => table?.chainNumber(name) ?? 0);
    }
    return [];
  }

  /** As plain data, in the place of those that were loaded. */
  ipsets(as: readonly IpSet[]): readonly IpSet[] {
    return as.map((set, index) => ({ ...set, entries: this.#ipsets[index]?.elements.items ?? [] }));
  }

  nftables(as: NftTable, family: Family): Pick<NftTable, "sets" | "maps"> {
    const { sets, dynamic, maps } = this.#nft[family];
    return {
      sets: as.sets
        .filter(isStatic)
        .map((set, index): NftSet => ({ ...set, addresses: sets[index]?.elements.items ?? [] }))
        .concat(dynamic.items),
      maps: as.maps.map((map, index) => ({ ...map, elements: maps[index]?.elements.items ?? [] })),
    };
  }

  get #all(): readonly ElementSet<never>[] {
    const nft = Object.values(this.#nft).flatMap(({ sets, maps }) => [...sets, ...maps]);
    return [...this.#ipsets, ...nft] as unknown as readonly ElementSet<never>[];
  }

  #take(scope: string, name: string, type: string): number {
    const number = this.#number++;
    this.#parts.numbers.addSet(scope, name, { number, type });
    return number;
  }

  #elementsOf(as: NftTable | undefined, table: ChainTable | undefined): NftElements {
    const dynamic = new Keyed<NftSet>([], ({ name }) => name, this.#parts.journal);
    if (as === undefined || table === undefined) return { table, sets: [], dynamic, maps: [] };
    return {
      table,
      sets: as.sets.filter(isStatic).map((set) => this.#nftSet(set, table)),
      dynamic,
      maps: as.maps.map((map) => this.#map(map, table)),
    };
  }

  #ipset(set: IpSet): ElementSet<IpSetEntry> {
    const { name, type, entries } = set;
    // Ports alone are keys without an address, which are IPv4's.
    const family: Family = type === "bitmap:port" ? 4 : (set.family ?? 4);
    const keyOf = (entry: IpSetEntry) => ipSetEntryKey(type, entry);
    const number = this.#take(setScope({ tool: "iptables", family }), name, type);
    const facts = { number, title: `entry of ipset ${name}`, name, family };
    const encoded = new IpSetRows(set, this.#saved.get(name));
    this.#rows.set(name, encoded);
    return new ElementSet(
      facts,
      entries,
      keyOf,
      this.#parts,
      (rows, entry, leaves) => encoded.push(rows, entry, leaves),
      () => encoded.groupCount,
    );
  }

  #nftSet({ name, addresses }: NftSet, { facts: { family, tool } }: ChainTable): ElementSet<Address> {
    const keyOf = ({ address }: Address) => ipKey(address);
    const number = this.#take(setScope({ tool, family }), name, "nft");
    const facts = { number, title: `address of set ${name}`, name, family };
    return new ElementSet(facts, addresses, keyOf, this.#parts, (rows, one) =>
      pushAddress(rows, family, one),
    );
  }

  #map({ name, key, elements }: NftVerdictMap, table: ChainTable): ElementSet<NftMapElement> {
    const number = this.#take(setScope(table.facts), name, "nft");
    const family: Family = key === "proto-dport" ? 4 : table.facts.family;
    const facts = { number, title: `element of map ${name}`, name, family };
    return new ElementSet(facts, elements, elementKey, this.#parts, (rows, one) =>
      pushElement(rows, family, one, verdictWord(one.verdict, table)),
    );
  }
}

/** What of nftables' table of a family has elements. */
interface NftElements {
  readonly table: ChainTable | undefined;
  readonly sets: readonly ElementSet<Address>[];
  /** The sets that rules fill: what is in them packets change, and states hold. */
  readonly dynamic: Keyed<NftSet>;
  readonly maps: readonly ElementSet<NftMapElement>[];
}

/** The kernel's bound for a set that rules fill and that was given none. */
const MOST_CLIENTS = 65535;

function clientsOf({ dynamic }: NftSet, number: number): NumberedClients {
  return { number, type: "dynamic", timeout: dynamic?.timeout ?? 0, size: dynamic?.size ?? MOST_CLIENTS };
}

function areSameBounds({ dynamic: a }: NftSet, { dynamic: b }: NftSet): boolean {
  return a?.timeout === b?.timeout && a?.size === b?.size;
}

const isStatic = ({ dynamic }: NftSet) => dynamic === undefined;

/** Counts the chain that an element leads to. */
function refer(table: ChainTable | undefined, { verdict }: NftMapElement, by: 1 | -1): void {
  for (const name of verdictChains(verdict)) table?.refer(table.chainNumber(name), by);
}

function existing<T>(sets: readonly ElementSet<T>[], name: string, what: string): ElementSet<T> {
  const set = sets.find(({ facts }) => facts.name === name);
  if (set === undefined) throw new TypeError(`the ruleset has no ${what} ${name}.`);
  return set;
}
