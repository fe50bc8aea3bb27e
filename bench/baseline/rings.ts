import { SERVER_ENTRY_LEN, SERVER_ROW_LEN } from "../../assembly/abi/server.js";
import type { RulesetEntries } from "../../src/engine/live/ruleset.js";

const REAL_WORDS = SERVER_ENTRY_LEN / 4;
const ROW_WORDS = SERVER_ROW_LEN / 4;

/** IPVS real servers behind one another in one array (SERVER_… rows), newest first, picked round robin. */
export class Rings {
  readonly #reals: Int32Array;
  readonly #starts: Int32Array;
  readonly #counts: Int32Array;
  readonly #next: Int32Array;

  constructor({ rows, reals }: RulesetEntries["servers"]) {
    const count = rows.length / ROW_WORDS;
    this.#starts = new Int32Array(count);
    this.#counts = new Int32Array(count);
    this.#next = new Int32Array(count);
    this.#reals = new Int32Array(reals.length);
    let top = 0;
    for (let row = 0; row < rows.length; row += ROW_WORDS) {
      const [number = 0, own = 0] = rows.subarray(row, row + ROW_WORDS);
      this.#starts[number] = top;
      this.#counts[number] = own;
      for (let index = 0; index < own; index++) {
        const from = top + (own - 1 - index) * REAL_WORDS;
        this.#reals.set(reals.subarray(from, from + REAL_WORDS), top + index * REAL_WORDS);
      }
      top += own * REAL_WORDS;
    }
  }

  /** Where the next real server with weight is; -1 for none. */
  pick(ring: number): number {
    const count = this.#counts[ring] as number;
    let position = this.#next[ring] as number;
    for (let tried = 0; tried < count; tried++, position++) {
      if (position >= count) position = 0;
      const real = (this.#starts[ring] as number) + position * REAL_WORDS;
      if (this.#reals[real + 2] === 0) continue;
      this.#next[ring] = position + 1;
      return real;
    }
    return -1;
  }

  addressAt(real: number): number {
    return this.#reals[real] as number;
  }

  portAt(real: number): number {
    return this.#reals[real + 1] as number;
  }
}
