import { NEXT_HOP_ENTRY_LEN } from "../assembly/abi/entry.js";
import { STATUS_OK } from "../assembly/abi/image.js";
import { settingEntries } from "../src/engine/entries/settings.js";
import { link, type Machine } from "../src/engine/machine.js";
import { LinearMemory } from "../src/engine/memory.js";
import { type Build, findModule } from "../src/engine/wasm.js";
import type { Sysctls } from "../src/ruleset/sysctls.js";
import type { HashKey } from "./oracle/hash.js";

const SERVERS = 256;

export interface BareOptions {
  /** Octets of the image; default 4 MiB. */
  readonly capacity?: number;
  readonly connections?: number;
  readonly seed?: number;
  readonly build?: Build;
  /** Settings of the node's kernel that are not its defaults. */
  readonly sysctls?: Sysctls;
  /** TCP's windows are followed. */
  readonly windows?: boolean;
  /** Connections of IPVS, default as many, and destinations of them, default 1024. */
  readonly sessions?: number;
  readonly destinations?: number;
  /** Cells for fragments; default none. */
  readonly cells?: number;
}

/** An empty image with the machine's own exports around it: no ruleset, no Engine. */
export class BareImage {
  readonly machine: Machine;
  readonly memory: LinearMemory;
  readonly address: number;
  /** Address of the state that goes with it, with room for 256 virtual servers. */
  readonly state: number;
  readonly capacity: number;

  private constructor(machine: Machine, memory: LinearMemory, options: BareOptions) {
    const { capacity = 1 << 22, connections = 16, seed = 1, cells = 0 } = options;
    const windows = options.windows === true ? 1 : 0;
    this.machine = machine;
    this.memory = memory;
    this.capacity = capacity;
    this.address = memory.take(capacity);
    const status = machine.imageCreate(this.address, capacity);
    if (status !== STATUS_OK) throw new Error(`no image of ${capacity} octets: status ${status}`);
    const { sessions = connections, destinations = 1024 } = options;
    const own = [sessions, destinations, 1] as const;
    this.state = memory.take(machine.stateLength(connections, SERVERS, windows, 0, ...own, cells) >>> 0);
    const made = machine.stateCreate(this.state, connections, SERVERS, seed, 0, windows, cells);
    if (made !== STATUS_OK) throw new Error(`no state for ${connections} connections: status ${made}`);
    machine.stateReach(this.state, SERVERS, 0, sessions, destinations, 1);
    for (const { code, value } of settingEntries(options.sysctls ?? {}))
      machine.settingSet(this.address, code, value);
  }

  static async make(options: BareOptions = {}): Promise<BareImage> {
    const memory = new LinearMemory();
    return new BareImage(
      await link(await findModule(options.build ?? "run"), memory.memory),
      memory,
      options,
    );
  }

  /** Calls with the address of these words in linear memory. */
  withWords<T>(words: readonly number[] | Uint32Array, use: (address: number) => T): T {
    return this.memory.borrow(Math.max(4, words.length * 4), (address) => {
      this.memory.words(address, words.length).set(words);
      return use(address);
    });
  }

  get stateLength(): number {
    return this.memory.view(this.state, 12).getUint32(8, true);
  }

  /** The key of the connection table's hash (assembly/state.ts). */
  get flowKey(): HashKey {
    const head = this.memory.view(this.state, 128);
    return [head.getBigUint64(72, true), head.getBigUint64(80, true)];
  }

  octets(part: number): number {
    return this.machine.imageOctets(this.address, part) >>> 0;
  }

  get top(): number {
    return this.machine.imageTop(this.address) >>> 0;
  }

  /** Everything of the image that was ever used, copied. */
  copy(): Uint8Array {
    return this.memory.octets(this.address, this.top).slice();
  }

  /** Sets next hops 0 … count - 1, so that routes may name them. */
  setHops(count: number): void {
    for (let number = 0; number < count; number++) {
      const status = this.withWords(new Uint32Array(NEXT_HOP_ENTRY_LEN / 4), (at) =>
        this.machine.nextHopSet(this.address, number, at),
      );
      if (status !== STATUS_OK) throw new Error(`no room for next hop ${number}`);
    }
  }
}
