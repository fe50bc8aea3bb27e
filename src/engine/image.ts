import {
  CHAIN_ROW_LEN,
  EXACT_ENTRY_LEN,
  EXACT6_ENTRY_LEN,
  NEXT_HOP_ENTRY_LEN,
  ROUTE_ENTRY_LEN,
  ROUTE6_ENTRY_LEN,
  RULE_ENTRY_LEN,
} from "../../assembly/abi/entry.js";
import { IMAGE_FLAG_VERIFY, IMAGE_TAIL, STATUS_NO_SPACE, STATUS_OK } from "../../assembly/abi/image.js";
import { SERVER_ROW_LEN, SERVER_ROW_NUMBER } from "../../assembly/abi/server.js";
import type { Family, Ip, Ip6 } from "../net/ip.js";
import { pushRoute6 } from "./entries/route-row.js";
import type { SettingEntry } from "./entries/settings.js";
import { Words } from "./entries/words.js";
import type { HookEntry } from "./live/hooks.js";
import type { ChangeNeeds, RulesetEntries } from "./live/ruleset.js";
import type { Machine } from "./machine.js";
import type { LinearMemory } from "./memory.js";
import type { StateNeeds } from "./state.js";

/** Octets of an image before anything is in it: the route trie's root and some room. */
const CAPACITY_FIRST = 1 << 20;
/** Words that columns are staged in. */
const STAGING_WORDS = 1 << 14;
const TABLES = "the tables of Services and routes";
/** Fewer words are copied one by one. */
const FEW_WORDS = 64;
/** What tables take for what they are given: chains in chunks, maps at most half full, routes with their store. */
const CHAIN_OCTETS = 32;
const ROUTE_OCTETS = 40;
const ROUTE6_OCTETS = 80;
const HOP_OCTETS = 256;
const MAP_OCTETS = 52;
const SERVER_OCTETS = 64;

/** About what an image of these entries takes, so that it is not moved while it is filled. */
function octetsOf({ hops, routes, routes6, tables, chains, servers }: RulesetEntries): number {
  const rules = chains.rules.byteLength + chains.words.byteLength;
  // An IPv6 row takes twice the room of an IPv4 one, and has twice its octets.
  const maps = tables.reduce((sum, { rows }) => sum + (rows.byteLength / EXACT_ENTRY_LEN) * MAP_OCTETS, 0);
  return (
    1.2 * rules +
    (chains.rows.byteLength / CHAIN_ROW_LEN) * CHAIN_OCTETS +
    (routes.byteLength / ROUTE_ENTRY_LEN) * ROUTE_OCTETS +
    (routes6.byteLength / ROUTE6_ENTRY_LEN) * ROUTE6_OCTETS +
    (hops.byteLength / NEXT_HOP_ENTRY_LEN) * HOP_OCTETS +
    (servers.rows.byteLength / SERVER_ROW_LEN) * SERVER_OCTETS +
    3 * servers.reals.byteLength +
    maps
  );
}

/** Copies columns one behind another to words at an address; the address of each. */
function stage(words: Uint32Array, address: number, columns: readonly Uint32Array[]): readonly number[] {
  const addresses: number[] = [];
  let at = 0;
  for (const column of columns) {
    addresses.push(address + at * 4);
    if (column.length < FEW_WORDS) for (const word of column) words[at++] = word;
    else {
      words.set(column, at);
      at += column.length;
    }
  }
  return addresses;
}

function rowOf6(address: Ip6, length: number, hop?: number): Uint32Array {
  const row = new Words(ROUTE6_ENTRY_LEN / 4);
  pushRoute6(row, address, length, hop);
  return row.words;
}

/** Rules, and the words behind them. */
export interface RuleRange {
  readonly rules: Uint32Array;
  readonly words: Uint32Array;
}

/**
 * The image of an engine in its linear memory: hands entries over through a staging region, and moves the image to
 * a larger place when the machine says that it is full.
 */
export class ImageStore {
  readonly #machine: Machine;
  readonly #memory: LinearMemory;
  #address = 0;
  #capacity = 0;
  #staging = 0;
  /** Virtual servers, by number. */
  readonly #changed: number[] = [];
  #stagingView: Uint32Array = new Uint32Array(0);

  constructor(machine: Machine, memory: LinearMemory) {
    this.#machine = machine;
    this.#memory = memory;
  }

  /** What the image asks of a state; clients that rules note it does not know. */
  needsOfState(notesClients: boolean): StateNeeds {
    const servers = this.#machine.imageServers(this.address) >>> 0;
    const destinations = this.#machine.imageDestinations(this.address) >>> 0;
    const caches = this.#machine.imageCaches(this.address) !== 0;
    return { servers, destinations, caches, notesClients };
  }

  get address(): number {
    return this.#address;
  }

  /** Everything of the image that is in use, in place. */
  get octets(): Uint8Array {
    return this.#memory.octets(this.#address, this.#machine.imageTop(this.#address) >>> 0);
  }

  /** An empty image; `verify`: checksums of transports are verified. */
  create(verify: boolean): void {
    this.#place(CAPACITY_FIRST);
    this.#check(this.#machine.imageCreate(this.#address, this.#capacity));
    this.#machine.imageFlags(this.#address, verify ? IMAGE_FLAG_VERIFY : 0);
  }

  /** Takes over a saved image's octets, which were checked. */
  restore(octets: Uint8Array): void {
    this.#place(octets.length + CAPACITY_FIRST);
    this.#memory.octets(this.#address, octets.length).set(octets);
    this.#check(this.#machine.imageResize(this.#address, this.#capacity));
  }

  /** Everything of a ruleset, into an empty image. */
  fill(entries: RulesetEntries): void {
    const machine = this.#machine;
    const { hops, routes, routes6, tables, chains, servers } = entries;
    this.#reserve(octetsOf(entries));
    const hopCount = hops.byteLength / NEXT_HOP_ENTRY_LEN;
    this.#call([hops], (at) => machine.nextHopsSet(this.#address, at, hopCount));
    const routeCount = (routes.length * 4) / ROUTE_ENTRY_LEN;
    this.#call([routes], (rows) => machine.routesInsert(this.#address, rows, routeCount));
    const route6Count = routes6.byteLength / ROUTE6_ENTRY_LEN;
    this.#call([routes6], (rows) => machine.routes6Insert(this.#address, rows, route6Count));
    for (const { number, rows, family } of tables) this.setElements(number, rows, family);
    const chainCount = (chains.rows.length * 4) / CHAIN_ROW_LEN;
    this.#call([chains.rows, chains.rules, chains.words], (rows, rules, words) =>
      machine.chainsSet(this.#address, rows, chainCount, rules, words),
    );
    this.setHooks(entries.hooks);
    const serverCount = (servers.rows.length * 4) / SERVER_ROW_LEN;
    this.#call([servers.rows, servers.reals], (rows, reals) =>
      machine.serversSet(this.#address, rows, serverCount, reals),
    );
    this.set(entries.settings);
    for (const { kind, port, vni, in: inNumber } of entries.tunnels) {
      this.#insist(() => machine.tunnelSet(this.#address, kind, port, vni, inNumber));
    }
  }

  set(settings: readonly SettingEntry[]): void {
    for (const { code, value } of settings)
      this.#insist(() => this.#machine.settingSet(this.#address, code, value));
  }

  setHop(number: number, entry: Uint32Array): void {
    this.#call([entry], (at) => this.#machine.nextHopSet(this.#address, number, at));
  }

  setRoute(address: Ip, length: number, hop: number): void {
    if (typeof address === "bigint") {
      this.#call([rowOf6(address, length, hop)], (at) => this.#machine.routes6Insert(this.#address, at, 1));
    } else this.#insist(() => this.#machine.routeInsert(this.#address, address, length, hop));
  }

  removeRoute(address: Ip, length: number): void {
    if (typeof address === "bigint") {
      this.#call([rowOf6(address, length)], (at) => this.#machine.routes6Remove(this.#address, at, 1));
    } else this.#insist(() => this.#machine.routeRemove(this.#address, address, length));
  }

  /** Rows of EXACT_…, or EXACT6_… for a table of IPv6 keys. */
  setElements(table: number, rows: Uint32Array, family: Family): void {
    const machine = this.#machine;
    const [insert, length] =
      family === 4 ? [machine.exactInsert, EXACT_ENTRY_LEN] : [machine.exact6Insert, EXACT6_ENTRY_LEN];
    this.#call([rows], (at) => insert(this.#address, table, at, rows.byteLength / length));
  }

  removeElements(table: number, rows: Uint32Array, family: Family): void {
    if (family === 6) {
      for (let at = 0; at < rows.length; at += EXACT6_ENTRY_LEN / 4) {
        const row = rows.subarray(at, at + EXACT6_ENTRY_LEN / 4);
        this.#call([row], (address) => this.#machine.exact6Delete(this.#address, table, address));
      }
      return;
    }
    for (let at = 0; at < rows.length; at += EXACT_ENTRY_LEN / 4) {
      const [low, protoPort] = [rows[at] ?? 0, rows[at + 1] ?? 0];
      this.#insist(() => this.#machine.exactDelete(this.#address, table, low, protoPort));
    }
  }

  /** A virtual server (SERVER_ROW_…) with its real ones (SERVER_…). */
  setServer(row: Uint32Array, reals: Uint32Array): void {
    this.#call([row, reals], (rowAt, at) => this.#machine.serverSet(this.#address, rowAt, at));
    this.#changed.push(row[SERVER_ROW_NUMBER / 4] ?? 0);
  }

  /** What a row says of a virtual server, whose real ones stay. */
  editServer(row: Uint32Array): void {
    this.#call([row], (at) => this.#machine.serverEdit(this.#address, at));
    this.#changed.push(row[SERVER_ROW_NUMBER / 4] ?? 0);
  }

  /** States take note of the virtual servers that were changed since the last call: their schedulers go by every single change. */
  settle(states: readonly number[]): void {
    for (const number of this.#changed.splice(0)) {
      for (const state of states) this.#machine.serverSettle(this.#address, state, number);
    }
  }

  /** Takes rules from a position of a chain and puts those of columns there. */
  spliceChain(number: number, at: number, removed: number, { rules, words }: RuleRange): void {
    const count = (rules.length * 4) / RULE_ENTRY_LEN;
    this.#call([rules, words], (from, wordsFrom) =>
      this.#machine.chainSplice(this.#address, number, at, removed, from, count, wordsFrom, words.length),
    );
  }

  setHooks(hooks: readonly HookEntry[]): void {
    this.#machine.hooksClear(this.#address);
    for (const { hook, chain, type, policy } of hooks)
      this.#insist(() => this.#machine.hookAppend(this.#address, hook, chain, type, policy));
  }

  /** Makes sure of what a change needs, or throws RangeError. */
  makeRoom({ octets, routes, staged }: ChangeNeeds): void {
    // Wide leaves take half as much again, and an eighth of what they are cut from may be lost.
    const layout = routes.map((part) => 2 * (this.#machine.imageOctets(this.#address, part) >>> 0));
    this.#reserve(layout.reduce((sum, one) => sum + one, octets));
    this.#stagingWords();
    this.#memory.expectRoom(staged + STAGING_WORDS * 4, TABLES);
  }

  #reserve(octets: number): void {
    const used = (this.#machine.imageTop(this.#address) >>> 0) + IMAGE_TAIL;
    if (used + octets > this.#capacity) this.#enlarge(used + octets);
  }

  /** Calls, again in a larger image while this one is full. */
  #insist(call: () => number): void {
    let status = call();
    while (status === STATUS_NO_SPACE) {
      this.#enlarge(this.#capacity * 2);
      status = call();
    }
    this.#check(status);
  }

  /** Hands columns over to a call: few octets are staged where all are, many in a region that is only lent. */
  #call(columns: readonly Uint32Array[], call: (...at: readonly number[]) => number): void {
    let words = 0;
    for (const { length } of columns) words += length;
    if (words <= STAGING_WORDS) {
      const addresses = stage(this.#stagingWords(), this.#staging, columns);
      this.#insist(() => call(...addresses));
      return;
    }
    const memory = this.#memory;
    this.#insist(() =>
      memory.borrow(words * 4, (at) => call(...stage(memory.words(at, words), at, columns))),
    );
  }

  #stagingWords(): Uint32Array {
    if (this.#staging === 0) this.#staging = this.#memory.take(STAGING_WORDS * 4, TABLES);
    // A view of memory that is not shared is empty after the memory grew.
    if (this.#stagingView.length === 0) this.#stagingView = this.#memory.words(this.#staging, STAGING_WORDS);
    return this.#stagingView;
  }

  #place(capacity: number): void {
    this.#address = this.#memory.take(capacity, TABLES);
    this.#capacity = capacity;
  }

  /** Moves the image to a place twice as large, or as large as it must be where there is no more room. */
  #enlarge(least: number): void {
    const old = this.octets;
    const place = this.#address;
    const roomy = Math.max(this.#capacity * 2, least);
    this.#place(this.#memory.hasRoom(roomy) ? roomy : least);
    this.#memory.octets(this.#address, old.length).set(old);
    this.#check(this.#machine.imageResize(this.#address, this.#capacity));
    this.#machine.imageRetire(place);
  }

  #check(status: number): void {
    if (status !== STATUS_OK) throw new TypeError(`The machine refused an entry (status ${status}).`);
  }
}
