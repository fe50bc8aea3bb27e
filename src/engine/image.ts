import {
  EXACT_ENTRY_LEN,
  NEXT_HOP_ENTRY_LEN,
  ROUTE_ENTRY_LEN,
  SERVER_ENTRY_LEN,
} from "../../assembly/abi/entry.js";
import { IMAGE_FLAG_VERIFY, STATUS_NO_SPACE, STATUS_OK } from "../../assembly/abi/image.js";
import type { RulesetEntries } from "./entries/ruleset.js";
import type { Machine } from "./machine.js";
import type { LinearMemory } from "./memory.js";

/** Octets of an image beside its connections, before anything is in it: the route trie's root and some room. */
const CAPACITY_FIRST = 1 << 20;
const STAGING_FIRST = 1 << 16;

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
  #stagingLength = 0;

  constructor(machine: Machine, memory: LinearMemory) {
    this.#machine = machine;
    this.#memory = memory;
  }

  get address(): number {
    return this.#address;
  }

  /** Everything of the image that is in use, in place. */
  get octets(): Uint8Array {
    return this.#memory.octets(this.#address, this.#machine.imageTop(this.#address) >>> 0);
  }

  /** An empty image; `verify`: TCP and UDP checksums are verified. */
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

  fill(entries: RulesetEntries): void {
    this.#rows(entries.hops, NEXT_HOP_ENTRY_LEN, (at, index) =>
      this.#machine.nextHopSet(this.#address, index, at),
    );
    this.#call([entries.routes], (rows) =>
      this.#machine.routesInsert(this.#address, rows, (entries.routes.length * 4) / ROUTE_ENTRY_LEN, 0),
    );
    for (const { number, rows } of entries.tables) {
      this.#call([rows], (at) =>
        this.#machine.exactInsert(this.#address, number, at, (rows.length * 4) / EXACT_ENTRY_LEN, 0),
      );
    }
    for (const [number, { rules, count, words }] of entries.chains.entries()) {
      this.#call([rules, words], (at, wordsAt) =>
        this.#machine.chainSet(this.#address, number, at, count, wordsAt, words.length),
      );
    }
    for (const { hook, chain, type, policy } of entries.hooks) {
      this.#call([], () => this.#machine.hookAppend(this.#address, hook, chain, type, policy));
    }
    for (const [number, { scheduler, rows }] of entries.servers.entries()) {
      const count = (rows.length * 4) / SERVER_ENTRY_LEN;
      this.#call([rows], (at) => this.#machine.serverSet(this.#address, number, scheduler, at, count));
    }
    for (const { kind, port, vni, in: inNumber } of entries.tunnels) {
      this.#call([], () => this.#machine.tunnelSet(this.#address, kind, port, vni, inNumber));
    }
  }

  #rows(entries: Uint8Array, length: number, set: (at: number, index: number) => number): void {
    for (let index = 0; index * length < entries.length; index++) {
      this.#call([entries.subarray(index * length, (index + 1) * length)], (at) => set(at, index));
    }
  }

  /** Copies columns into the staging region and calls with their addresses, again in a larger image if it is full. */
  #call(columns: readonly (Uint8Array | Uint32Array)[], call: (...at: readonly number[]) => number): void {
    const addresses = this.#stage(columns);
    let status = call(...addresses);
    while (status === STATUS_NO_SPACE) {
      this.#enlarge();
      status = call(...addresses);
    }
    this.#check(status);
  }

  #stage(columns: readonly (Uint8Array | Uint32Array)[]): number[] {
    const total = columns.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (total > this.#stagingLength || this.#staging === 0) {
      this.#stagingLength = Math.max(STAGING_FIRST, total * 2);
      this.#staging = this.#memory.take(this.#stagingLength);
    }
    let at = this.#staging;
    return columns.map((column) => {
      const address = at;
      const octets = new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
      this.#memory.octets(address, octets.length).set(octets);
      at += octets.length;
      return address;
    });
  }

  #place(capacity: number): void {
    this.#address = this.#memory.take(capacity);
    this.#capacity = capacity;
  }

  #enlarge(): void {
    const old = this.octets;
    this.#place(this.#capacity * 2);
    this.#memory.octets(this.#address, old.length).set(old);
    this.#check(this.#machine.imageResize(this.#address, this.#capacity));
  }

  #check(status: number): void {
    if (status !== STATUS_OK) throw new TypeError(`The machine refused an entry (status ${status}).`);
  }
}
