import { EXACT_SERVICES, EXACT_SERVICES6 } from "../../../assembly/abi/entry.js";
import type { Family, Ip } from "../../net/ip.js";
import { IpMap } from "../../net/ip-map.js";
import type { RulesetChange } from "../../ruleset/change.js";
import type { Chain, Iptables, IptablesTable } from "../../ruleset/iptables.js";
import type { NftChain, NftTable } from "../../ruleset/nftables.js";
import type { Ruleset } from "../../ruleset/ruleset.js";
import type { Numbering } from "../../trace/numbering.js";
import { expectSteps } from "../arguments.js";
import { type SettingEntry, settingEntries } from "../entries/settings.js";
import { type TunnelEntry, tunnelEntries } from "../entries/tunnels.js";
import type { ImageStore } from "../image.js";
import { type ChainColumns, Chains } from "./chains.js";
import { ClientLists, type SavedLists } from "./client-lists.js";
import type { HookEntry } from "./hooks.js";
import { Journal } from "./journal.js";
import { Network } from "./network.js";
import { Notes } from "./notes.js";
import { Numbers } from "./numbers.js";
import { type ServerColumns, Servers } from "./servers.js";
import { type SavedGroups, Sets, type TableEntries } from "./sets.js";
import { type Parts, takeStep } from "./steps.js";
import { Writes } from "./writes.js";

/** A whole ruleset as the machine takes it, and what its numbers stand for. */
export interface RulesetEntries {
  readonly numbering: Numbering;
  /** NEXT_HOP_ENTRY_LEN octets each, by number. */
  readonly hops: Uint32Array;
  /** Rows of ROUTE_…, and ROUTE6_…. */
  readonly routes: Uint32Array;
  readonly routes6: Uint32Array;
  readonly tables: readonly TableEntries[];
  readonly chains: ChainColumns;
  readonly hooks: readonly HookEntry[];
  readonly servers: ServerColumns;
  readonly tunnels: readonly TunnelEntry[];
  readonly settings: readonly SettingEntry[];
}

/** The numbers of an image, as a file keeps them: of chains and servers in the order of its ruleset, of next hops by key. */
export interface SavedNumbers {
  readonly chains: readonly number[];
  readonly servers: readonly number[];
  readonly hops: readonly (readonly [key: string, number: number])[];
  readonly groups: readonly SavedGroups[];
  readonly clients: SavedLists;
}

/** What a change needs at most. */
export interface ChangeNeeds {
  /** That the image grows by, beside what follows. */
  readonly octets: number;
  /** Parts (PART_FIB, PART_FIB6) that may be laid out anew, beside what there is: what look-ups of routes read. */
  readonly routes: readonly number[];
  /** Of the columns that are handed to the machine at a time. */
  readonly staged: number;
  /** That the image's directory of virtual servers has room for. */
  readonly servers: number;
  /** Real servers that come, beside those that are there. */
  readonly destinations: number;
  /** Rules note clients. */
  readonly clients: boolean;
}

/** How many real servers a change names. */
function realServersOf(change: RulesetChange): number {
  return change.reduce((sum, step) => sum + (step.kind === "server-set" ? step.server.servers.length : 0), 0);
}

/** What an engine knows of its ruleset: indexed by what changes name, numbered as the image has it. */
export class LiveRuleset {
  readonly numbering: Numbering;
  readonly #journal = new Journal();
  readonly #writes = new Writes();
  readonly #loaded: Ruleset;
  readonly #lists: ClientLists;
  readonly #network: Network;
  readonly #chains: Chains;
  readonly #sets: Sets;
  readonly #allServers: Servers;
  readonly #notes: Notes;
  readonly #parts: Parts;
  #names: IpMap<string> | undefined;
  #ruleset: Ruleset | undefined;

  constructor(ruleset: Ruleset, saved?: SavedNumbers) {
    const numbers = new Numbers(ruleset.interfaces);
    this.#lists = new ClientLists(this.#journal, saved?.clients);
    const parts = { numbers, journal: this.#journal, writes: this.#writes, lists: this.#lists };
    this.#loaded = ruleset;
    this.#network = new Network(ruleset, new Map(saved?.hops), this.#journal);
    const { repeats } = this.#network;
    this.#ruleset = repeats.length === 0 ? ruleset : undefined;
    this.#chains = new Chains(ruleset, saved?.chains, parts);
    const tableOf = (family: Family) => this.#chains.nftables(family);
    this.#sets = new Sets(ruleset, tableOf, EXACT_SERVICES6 + 1, parts, saved?.groups);
    this.#allServers = new Servers(ruleset.ipvs ?? { servers: [] }, saved?.servers, parts);
    this.#notes = new Notes([...ruleset.diagnostics, ...repeats], this.#journal);
    this.#parts = {
      network: this.#network,
      chains: this.#chains,
      sets: this.#sets,
      servers: () => this.#servers(),
      setName: (address, name) => this.#setName(address, name),
      notes: this.#notes,
    };
    this.numbering = numberingOf(this.#network, numbers, this.#sets, this.#allServers, ruleset);
  }

  /** Everything, as the machine is given it at first. TypeError for what it cannot hold: it names the part. */
  load(): RulesetEntries {
    const tables = this.#sets.load();
    const chains = this.#chains.load((map) => this.#sets.chainsOf(map));
    return {
      numbering: this.numbering,
      ...this.#network.load(),
      tables: this.#loaded.ipvs === undefined ? tables : [...this.#allServers.tables, ...tables],
      chains,
      hooks: this.#chains.hooks,
      servers: this.#allServers.load(),
      tunnels: tunnelEntries(this.#loaded.interfaces),
      settings: settingEntries(this.#loaded.sysctls ?? {}, this.#loaded.ipvs?.timeouts),
    };
  }

  /** As plain data. What was answered before does not change, but for its names. */
  get ruleset(): Ruleset {
    this.#ruleset ??= this.#current();
    return this.#ruleset;
  }

  /** Whether rules note clients, so that states need room for them. */
  get notesClients(): boolean {
    return !this.#lists.isEmpty;
  }

  get numbers(): SavedNumbers {
    return {
      chains: this.#chains.numbers,
      servers: this.#allServers.numbers,
      hops: this.#network.hops.keys,
      groups: this.#sets.groups,
      clients: this.#lists.saved,
    };
  }

  /**
   * Takes a change, and answers what must be written to the image, in this order, which `reserve` was asked to have
   * room for. TypeError naming the step that does not fit, or what `reserve` throws; nothing is changed then.
   */
  change(
    change: RulesetChange,
    reserve: (needs: ChangeNeeds) => void,
  ): readonly ((image: ImageStore) => void)[] {
    expectSteps(change);
    this.#journal.open();
    this.#writes.begin();
    let hooks: readonly HookEntry[];
    try {
      for (const [index, step] of change.entries()) takeStep(this.#parts, step, index + 1);
      hooks = this.#chains.check((map) => this.#sets.chainsOf(map));
      reserve({
        octets: this.#writes.octets + this.#network.octets,
        routes: this.#network.parts,
        staged: this.#writes.staged,
        servers: this.#allServers.room,
        destinations: realServersOf(change),
        clients: this.notesClients,
      });
    } catch (error) {
      this.#journal.rollback();
      this.#chains.forget();
      this.#network.forget();
      throw error;
    }
    this.#journal.commit();
    this.#network.settle(this.#writes);
    this.#chains.settle(hooks);
    this.#ruleset = undefined;
    return this.#writes.list;
  }

  #servers(): Servers {
    if (this.#loaded.ipvs === undefined) throw new TypeError("the ruleset has no IPVS.");
    return this.#allServers;
  }

  #setName(address: Ip, name: string | undefined): void {
    this.#names ??= new IpMap(this.#loaded.names);
    const names = this.#names;
    const before = names.get(address);
    const set = (one: string | undefined) => {
      if (one === undefined) names.delete(address);
      else names.set(address, one);
    };
    set(name);
    this.#journal.note(() => set(before));
  }

  #current(): Ruleset {
    const { iptables, ip6tables, ipsets, ipvs, nftables, nftables6, names } = this.#loaded;
    const { interfaces, routes, neighbours, fdb } = this.#network;
    return {
      ...this.#loaded,
      interfaces,
      routes,
      neighbours,
      fdb,
      ...(iptables === undefined ? {} : { iptables: this.#iptables(iptables, 4) }),
      ...(ip6tables === undefined ? {} : { ip6tables: this.#iptables(ip6tables, 6) }),
      ...(ipsets === undefined ? {} : { ipsets: this.#sets.ipsets(ipsets) }),
      ...(ipvs === undefined ? {} : { ipvs: this.#allServers.ipvs(ipvs) }),
      ...(nftables === undefined ? {} : { nftables: this.#nftables(nftables, 4) }),
      ...(nftables6 === undefined ? {} : { nftables6: this.#nftables(nftables6, 6) }),
      names: this.#names ?? names,
      diagnostics: this.#notes.diagnostics,
    };
  }

  #iptables(as: Iptables, family: Family): Iptables {
    const tables = this.#chains.iptables(family).map(({ name, defined }) => {
      const chains = defined.map(({ chain }) => chain as Chain);
      return { name: name as IptablesTable["name"], chains };
    });
    return { ...as, tables };
  }

  #nftables(as: NftTable, family: Family): NftTable {
    const chains = (this.#chains.nftables(family)?.defined ?? []).map(({ chain }) => chain as NftChain);
    return { ...as, ...this.#sets.nftables(as, family), chains };
  }
}

/** Turns a ruleset into entries. TypeError for what the machine cannot hold: it names the rule's part. */
export function rulesetEntries(ruleset: Ruleset): RulesetEntries {
  return new LiveRuleset(ruleset).load();
}

function numberingOf(
  network: Network,
  { chains }: Numbers,
  { names }: Sets,
  { numbered: servers }: Servers,
  { ipvs }: Ruleset,
): Numbering {
  const tables: string[] = [];
  if (ipvs !== undefined) tables[EXACT_SERVICES] = tables[EXACT_SERVICES6] = "services";
  for (const [number, name] of names) tables[number] = name;
  return {
    get interfaces() {
      return network.interfaces;
    },
    chains,
    hops: network.hops.numbered,
    tables,
    servers,
  };
}
