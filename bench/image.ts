import { STATUS_NO_SPACE, STATUS_OK } from "../assembly/abi/image.js";
import { link, type Machine } from "../src/engine/machine.js";
import { LinearMemory } from "../src/engine/memory.js";
import { findModule } from "../src/engine/wasm.js";

const CAPACITY_DEFAULT = 1 << 27;

/** An image without a ruleset, whose tables are filled by the machine's own calls. */
export class PlainImage {
  readonly address: number;

  private constructor(
    readonly machine: Machine,
    readonly memory: LinearMemory,
    readonly capacity: number,
  ) {
    this.address = memory.take(capacity);
    this.check(machine.imageCreate(this.address, capacity));
  }

  static async make(capacity = CAPACITY_DEFAULT): Promise<PlainImage> {
    const memory = new LinearMemory();
    return new PlainImage(await link(await findModule("run"), memory.memory), memory, capacity);
  }

  check(status: number): void {
    if (status === STATUS_OK) return;
    throw new Error(
      status === STATUS_NO_SPACE ? `${this.capacity} octets do not suffice.` : `status ${status}`,
    );
  }

  /** Words in linear memory, with their address. */
  words(values: ArrayLike<number>): { readonly at: number; readonly words: Uint32Array } {
    const at = this.memory.take(values.length * 4);
    const words = this.memory.words(at, values.length);
    words.set(values);
    return { at, words };
  }
}
