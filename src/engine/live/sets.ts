import type { Ip } from "../../net/ip.js";
import { elementKey, ipKey, ipSetEntryKey } from "../../ruleset/identity.js";
import type { IpSet, IpSetEntry } from "../../ruleset/ipset.js";
import type { NftMapElement, NftSet, NftTable, NftVerdictMap } from "../../ruleset/nftables.js";
import { verdictChains } from "../../ruleset/references.js";
import type { Ruleset } from "../../ruleset/ruleset.js";
import { pushAddress, pushElement, pushIpSetEntry } from "../entries/elements.js";
import { verdictWord } from "../entries/nftables.js";
import type { ChainTable } from "./chain-table.js";
import { ElementSet } from "./element-set.js";
import type { Journal } from "./journal.js";
import type { Numbers } from "./numbers.js";
import type { Writes } from "./writes.js";

type Address = NftSet["addresses"][number];

interface Parts {
  readonly numbers: Numbers;
  readonly journal: Journal;
  readonly writes: Writes;
}

/** The elements of one exact-match table: rows of address, protocol << 16 | port, value. */
export interface TableEntries {
  readonly number: number;
  readonly name: string;
  readonly rows: Uint32Array;
}

/** ipsets, and nftables' sets and verdict maps. Which there are never changes; what is in them does. */
export class Sets {
  readonly #ipsets: readonly ElementSet<IpSetEntry>[];
  readonly #sets: readonly ElementSet<Address>[];
  readonly #maps: readonly ElementSet<NftMapElement>[];
  readonly #table: ChainTable | undefined;
  readonly #parts: Parts;
  #number: number;

  /** Numbers begin at `first`. */
  constructor(
    { ipsets = [], nftables }: Pick<Ruleset, "ipsets" | "nftables">,
    table: ChainTable | undefined,
    first: number,
    parts: Parts,
  ) {
    this.#number = first;
    this.#parts = parts;
    this.#table = table;
    this.#ipsets = ipsets.map((set) => this.#ipset(set));
    this.#sets = (nftables?.sets ?? []).map((set) => this.#nftSet(set));
    this.#maps = (nftables?.maps ?? []).map((map) => this.#map(map));
  }

  /** Everything, as the machine is given it at first. */
  load(): readonly TableEntries[] {
    for (const { elements } of this.#maps) {
      for (const element of elements.items) this.#refer(element, 1);
    }
    return this.#all.map(({ number, name, rows }) => ({ number, name, rows }));
  }

  /** By number. */
  get names(): readonly (readonly [number: number, name: string])[] {
    return this.#all.map(({ number, name }) => [number, name] as const);
  }

  addEntry(set: string, entry: IpSetEntry): void {
    existing(this.#ipsets, set, "ipset").add(entry);
  }

  removeEntry(set: string, entry: IpSetEntry): void {
    const ipset = existing(this.#ipsets, set, "ipset");
    ipset.remove(ipset.keyOf(entry));
  }

  addAddress(set: string, address: Address): void {
    existing(this.#sets, set, "set").add(address);
  }

  removeAddress(set: string, address: Ip): void {
    existing(this.#sets, set, "set").remove(ipKey(address));
  }

  setElement(map: string, element: NftMapElement): void {
    const old = existing(this.#maps, map, "map").set(element);
    this.#refer(element, 1);
    if (old !== undefined) this.#refer(old, -1);
  }

  removeElement(map: string, element: Pick<NftMapElement, "address" | "protocol" | "port">): void {
    this.#refer(existing(this.#maps, map, "map").remove(elementKey(element)), -1);
  }

  /** Numbers of the chains that a map's elements lead to. */
  chainsOf(map: number): readonly number[] {
    const { elements } = this.#maps.find(({ number }) => number === map) ?? {};
    const names = new Set((elements?.items ?? []).flatMap(({ verdict }) => verdictChains(verdict)));
    return [...names].map((name) => this.#table?.chainNumber(name) ?? 0);
  }

  /** As plain data, in the place of those that were loaded. */
  ipsets(as: readonly IpSet[]): readonly IpSet[] {
    return as.map((set, index) => ({ ...set, entries: this.#ipsets[index]?.elements.items ?? [] }));
  }

  nftables(as: NftTable): Pick<NftTable, "sets" | "maps"> {
    return {
      sets: as.sets.map((set, index) => ({ ...set, addresses: this.#sets[index]?.elements.items ?? [] })),
      maps: as.maps.map((map, index) => ({ ...map, elements: this.#maps[index]?.elements.items ?? [] })),
    };
  }

  get #all(): readonly ElementSet<never>[] {
    return [...this.#ipsets, ...this.#sets, ...this.#maps] as unknown as readonly ElementSet<never>[];
  }

  #refer({ verdict }: NftMapElement, by: 1 | -1): void {
    for (const name of verdictChains(verdict)) this.#table?.refer(this.#table.chainNumber(name), by);
  }

  #take(name: string, type: string): number {
    const number = this.#number++;
    this.#parts.numbers.addSet(name, { number, type });
    return number;
  }

  #ipset({ name, type, entries }: IpSet): ElementSet<IpSetEntry> {
    const keyOf = (entry: IpSetEntry) => ipSetEntryKey(type, entry);
    const number = this.#take(name, type);
    return new ElementSet(
      number,
      `entry of ipset ${name}`,
      name,
      entries,
      keyOf,
      this.#parts,
      (rows, entry) => pushIpSetEntry(rows, type, entry),
    );
  }

  #nftSet({ name, addresses }: NftSet): ElementSet<Address> {
    const keyOf = ({ address }: Address) => ipKey(address);
    const number = this.#take(name, "nft");
    return new ElementSet(number, `address of set ${name}`, name, addresses, keyOf, this.#parts, pushAddress);
  }

  #map({ name, elements }: NftVerdictMap): ElementSet<NftMapElement> {
    const table = this.#table as ChainTable;
    const number = this.#take(name, "nft");
    return new ElementSet(
      number,
      `element of map ${name}`,
      name,
      elements,
      elementKey,
      this.#parts,
      (rows, one) => pushElement(rows, one, verdictWord(one.verdict, table)),
    );
  }
}

function existing<T extends { readonly name: string }>(sets: readonly T[], name: string, what: string): T {
  const set = sets.find((one) => one.name === name);
  if (set === undefined) throw new TypeError(`the ruleset has no ${what} ${name}.`);
  return set;
}
