import { SERVER_ENTRY_LEN } from "../../assembly/abi/entry.js";
import type { RulesetEntries } from "../../src/engine/entries/ruleset.js";

const REAL_WORDS = SERVER_ENTRY_LEN / 4;

/** IPVS real servers behind one another in one array (SERVER_… rows), newest first, picked round robin. */
export class Rings {
  readonly #reals: Int32Array;
  readonly #starts: Int32Array;
  readonly #counts: Int32Array;
  readonly #next: Int32Array;

  constructor(servers: RulesetEntries["servers"]) {
    this.#counts = Int32Array.from(servers, ({ rows }) => rows.length / REAL_WORDS);
    this.#starts = new Int32Array(servers.length);
    this.#next = new Int32Array(servers.length);
    this.#reals = new Int32Array(servers.reduce((sum, { rows }) => sum + rows.length, 0));
    let top = 0;
    for (const [index, { rows }] of servers.entries()) {
      this.#starts[index] = top;
      for (let row = rows.length - REAL_WORDS; row >= 0; row -= REAL_WORDS, top += REAL_WORDS)
        this.#reals.set(rows.subarray(row, row + REAL_WORDS), top);
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
