import { compareNames, type ObjectName } from "../model/object-name.js";

/**
 * A chunk splits in two past this length. To ask an entry what it counts takes far longer than to add a chunk's sum, so
 * it is less than the root of the largest clusters' number of Services.
 */
const CHUNK_LEN = 64;

/**
 * Entries in the order of their names, each with some counts (of its rules in each shared chain). Finds, adds and
 * removes an entry and sums the counts of all before it in a time that grows with the root of their number.
 */
export class Sequence<E extends ObjectName> {
  readonly #counts: readonly ((entry: E) => number)[];
  /** Entries that follow one another. */
  readonly #chunks: E[][] = [];
  /** Of each count the sum over each chunk, side by side. */
  readonly #sums: readonly number[][];

  constructor(sorted: readonly E[], counts: readonly ((entry: E) => number)[]) {
    this.#counts = counts;
    this.#sums = counts.map(() => []);
    for (let at = 0; at < sorted.length; at += CHUNK_LEN / 2) {
      this.#splice(this.#chunks.length, 0, sorted.slice(at, at + CHUNK_LEN / 2));
    }
  }

  *[Symbol.iterator](): IterableIterator<E> {
    for (const entries of this.#chunks) yield* entries;
  }

  find(name: ObjectName): E | undefined {
    const entries = this.#chunks[this.#chunkAt(name)] ?? [];
    const found = entries[firstFrom(entries, name)];
    return found !== undefined && compareNames(found, name) === 0 ? found : undefined;
  }

  /** Adds an entry whose name no other has. */
  add(entry: E): void {
    const at = this.#chunkAt(entry);
    const entries = this.#chunks[at];
    if (entries === undefined) {
      this.#splice(at, 0, [entry]);
      return;
    }
    entries.splice(firstFrom(entries, entry), 0, entry);
    this.#count(at, entry, 1);
    if (entries.length <= CHUNK_LEN) return;
    this.#splice(at, 1, entries.slice(0, CHUNK_LEN / 2), entries.slice(CHUNK_LEN / 2));
  }

  remove(entry: E): void {
    const at = this.#chunkAt(entry);
    const entries = this.#chunks[at] as E[];
    this.#count(at, entry, -1);
    entries.splice(firstFrom(entries, entry), 1);
    this.#join(at);
  }

  /** Lets `change` alter what is counted of the entry. */
  recount(entry: E, change: () => void): void {
    const at = this.#chunkAt(entry);
    this.#count(at, entry, -1);
    change();
    this.#count(at, entry, 1);
  }

  /** The sum of one count over all entries before that of this name. */
  before(name: ObjectName, which: number): number {
    const countOf = this.#counts[which] as (entry: E) => number;
    const sums = this.#sums[which] as number[];
    const at = this.#chunkAt(name);
    let sum = 0;
    for (let index = 0; index < at; index += 1) sum += sums[index] as number;
    const entries = this.#chunks[at] ?? [];
    const end = firstFrom(entries, name);
    for (let index = 0; index < end; index += 1) sum += countOf(entries[index] as E);
    return sum;
  }

  /** Puts chunks in the place of others. */
  #splice(at: number, removed: number, ...chunks: readonly E[][]): void {
    this.#chunks.splice(at, removed, ...chunks);
    for (const [which, countOf] of this.#counts.entries()) {
      const sums = chunks.map((entries) => entries.reduce((sum, entry) => sum + countOf(entry), 0));
      this.#sums[which]?.splice(at, removed, ...sums);
    }
  }

  #count(at: number, entry: E, sign: 1 | -1): void {
    for (const [which, countOf] of this.#counts.entries()) {
      const sums = this.#sums[which] as number[];
      sums[at] = (sums[at] as number) + sign * countOf(entry);
    }
  }

  /** A chunk that has become small joins the next, lest there be many of one entry. */
  #join(at: number): void {
    const entries = [...(this.#chunks[at] ?? []), ...(this.#chunks[at + 1] ?? [])];
    if (entries.length === 0) this.#splice(at, 1);
    else if (at + 1 < this.#chunks.length && entries.length < CHUNK_LEN / 2) this.#splice(at, 2, entries);
  }

  /** The last chunk that begins at the name or before it, or else the first. */
  #chunkAt(name: ObjectName): number {
    let low = 0;
    let high = this.#chunks.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (compareNames(this.#chunks[middle]?.[0] as E, name) <= 0) low = middle;
      else high = middle;
    }
    return low;
  }
}

/** Index of the first that does not stand before the name. */
export function firstFrom(sorted: readonly ObjectName[], name: ObjectName): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareNames(sorted[middle] as ObjectName, name) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
