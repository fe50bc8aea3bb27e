import { STATUS_NO_SPACE, STATUS_OK } from "../assembly/abi/image.js";
import { link, type Machine } from "../src/engine/machine.js";
import { LinearMemory } from "../src/engine/memory.js";
import { findModule } from "../src/engine/wasm.js";

const CAPACITY = 1 << 27;

/** An image without a ruleset, whose tables are filled by the machine's own calls. */
export class PlainImage {
  readonly address: number;

  private constructor(
    readonly machine: Machine,
    readonly memory: LinearMemory,
  ) {
    this.address = memory.take(CAPACITY);
    this.check(machine.imageCreate(this.address, CAPACITY, 1, 0, 16));
  }

  static async make(): Promise<PlainImage> {
    const memory = new LinearMemory();
    return new PlainImage(await link(await findModule("run"), memory.memory), memory);
  }

  check(status: number): void {
    if (status === STATUS_OK) return;
    throw new Error(status === STATUS_NO_SPACE ? `${CAPACITY} octets do not suffice.` : `status ${status}`);
  }

  /** Words in linear memory, with their address. */
  words(values: ArrayLike<number>): { readonly at: number; readonly words: Uint32Array } {
    const at = this.memory.take(values.length * 4);
    const words = this.memory.words(at, values.length);
    words.set(values);
    return { at, words };
  }
}
