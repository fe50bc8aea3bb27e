import { BATCH_DRAWS, BATCH_DRAWS_COUNT, BATCH_DRAWS_TAKEN } from "../../assembly/abi/packet.js";
import type { Batch } from "./batch.js";
import type { LinearMemory } from "./memory.js";

/** Choices that one way may meet. */
export const DRAWS_MAX = 32_768;

/** Outcomes in linear memory, which a packet's choices are to have instead of their own (abi/packet.ts). */
export class DrawList {
  readonly words: Uint32Array;
  readonly #address: number;
  readonly #header: DataView;

  /** For a batch of the trace build. */
  constructor(memory: LinearMemory, { address }: Batch) {
    this.#address = memory.take(DRAWS_MAX * 4, "a list of choices") - address;
    this.words = memory.words(address + this.#address, DRAWS_MAX);
    this.#header = memory.view(address, BATCH_DRAWS_TAKEN + 4);
  }

  /** The next run's first choices come to the first `count` of the list. */
  tell(count: number): void {
    this.#header.setUint32(BATCH_DRAWS, this.#address, true);
    this.#header.setUint32(BATCH_DRAWS_COUNT, count, true);
    this.#header.setUint32(BATCH_DRAWS_TAKEN, 0, true);
  }

  /** From now on choices are the machine's own. */
  withdraw(): void {
    this.#header.setUint32(BATCH_DRAWS, 0, true);
  }
}
