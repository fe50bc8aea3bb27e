import { readFileSync } from "node:fs";
import { join } from "node:path";
import { STATUS_NO_SPACE, STATUS_OK } from "../../assembly/abi/image.js";
import { settingEntries } from "../../src/engine/entries/settings.js";
import { link, type Machine } from "../../src/engine/machine.js";
import { LinearMemory } from "../../src/engine/memory.js";
import { findModule } from "../../src/engine/wasm.js";

/** What our side measures: a table that is there, keys, and one way to take them all. */
export interface Kernel {
  /** Takes a key file, and for packets the octets of a slot; its name in the table. */
  keys(path: string, stride: number): string;
  /** The sum over all results in their order, as the harness makes it. */
  check(): number;
  /** Takes the next keys of the stream (for packets: one ring); ns for one. */
  pass(): number;
}

/** The machine lacks an export that a row needs: not an error, but nothing to measure either. */
export class MissingExport extends Error {
  constructor(readonly missing: string) {
    super(`The machine exports no ${missing}.`);
  }
}

const SUM_FIRST = 0x811c9dc5;

/** Sums results so that their order counts (bench/native/harness.h). */
export class OrderedSum {
  #sum = SUM_FIRST;

  add(value: number): void {
    this.#sum = Math.imul(this.#sum ^ value, 0x01000193);
  }

  get value(): number {
    return this.#sum >>> 0;
  }
}

export function readWords(folder: string, name: string): Uint32Array {
  const { buffer, byteOffset, length } = readFileSync(join(folder, name));
  return new Uint32Array(buffer.slice(byteOffset, byteOffset + length));
}

type Call = (...words: readonly number[]) => number;

/** An image of the run build without a ruleset, filled by the machine's own calls. */
export class BenchImage {
  readonly address: number;
  readonly state: number;

  private constructor(
    readonly machine: Machine,
    readonly memory: LinearMemory,
    capacity: number,
    connections: number,
  ) {
    this.address = memory.take(capacity);
    this.check(machine.imageCreate(this.address, capacity));
    for (const { code, value } of settingEntries({})) machine.settingSet(this.address, code, value);
    this.state = memory.take(machine.stateLength(connections, 0) >>> 0);
    this.check(machine.stateCreate(this.state, connections, 0, 1, 0));
  }

  static async make(capacity: number, connections = 16): Promise<BenchImage> {
    const memory = new LinearMemory();
    const machine = await link(await findModule("run"), memory.memory);
    return new BenchImage(machine, memory, capacity, connections);
  }

  check(status: number): void {
    if (status === STATUS_OK) return;
    throw new Error(status === STATUS_NO_SPACE ? "the image is too small." : `status ${status}.`);
  }

  /** Copies octets or words into linear memory; their address. */
  place(values: Uint8Array | Uint32Array): number {
    const at = this.memory.take(values.byteLength);
    const octets = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.memory.octets(at, octets.length).set(octets);
    return at;
  }

  /** An export that this build may not have yet. */
  find(name: string): Call {
    const found = this.machine[name];
    if (typeof found !== "function") throw new MissingExport(name);
    return found as Call;
  }
}
