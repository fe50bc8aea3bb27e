import { compareNames, type ObjectName } from "../model/object-name.js";

/** A chunk splits in two past this length: about the root of the largest clusters' number of Services. */
const CHUNK_LEN = 256;

/** Some entries that follow one another, and their counts in sum. */
interface Chunk<E> {
  readonly entries: E[];
  readonly sums: number[];
}

/**
 * Entries in the order of their names, each with some counts (of its rules in each shared chain). Finds, adds and
 * removes an entry and sums the counts of all before it in a time that grows with the root of their number.
 */
export class Sequence<E extends ObjectName> {
  readonly #counts: readonly ((entry: E) => number)[];
  readonly #chunks: Chunk<E>[] = [];

  constructor(sorted: readonly E[], counts: readonly ((entry: E) => number)[]) {
    this.#counts = counts;
    for (let at = 0; at < sorted.length; at += CHUNK_LEN / 2) {
      this.#chunks.push(this.#chunkOf(sorted.slice(at, at + CHUNK_LEN / 2)));
    }
  }

  *[Symbol.iterator](): IterableIterator<E> {
    for (const { entries } of this.#chunks) yield* entries;
  }

  find(name: ObjectName): E | undefined {
    const entries = this.#chunks[this.#chunkAt(name)]?.entries ?? [];
    const found = entries[firstFrom(entries, name)];
    return found !== undefined && compareNames(found, name) === 0 ? found : undefined;
  }

  /** Adds an entry whose name no other has. */
  add(entry: E): void {
    const at = this.#chunkAt(entry);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push(this.#chunkOf([entry]));
      return;
    }
    chunk.entries.splice(firstFrom(chunk.entries, entry), 0, entry);
    this.#count(chunk, entry, 1);
    if (chunk.entries.length <= CHUNK_LEN) return;
    const { entries } = chunk;
    const halves = [entries.slice(0, CHUNK_LEN / 2), entries.slice(CHUNK_LEN / 2)];
    this.#chunks.splice(at, 1, ...halves.map((half) => this.#chunkOf(half)));
  }

  remove(entry: E): void {
    const at = this.#chunkAt(entry);
    const chunk = this.#chunks[at] as Chunk<E>;
    this.#count(chunk, entry, -1);
    chunk.entries.splice(firstFrom(chunk.entries, entry), 1);
    this.#join(at);
  }

  /** Lets `change` alter what is counted of the entry. */
  recount(entry: E, change: () => void): void {
    const chunk = this.#chunks[this.#chunkAt(entry)] as Chunk<E>;
    this.#count(chunk, entry, -1);
    change();
    this.#count(chunk, entry, 1);
  }

  /** The sum of one count over all entries before that of this name. */
  before(name: ObjectName, which: number): number {
    const countOf = this.#counts[which] as (entry: E) => number;
    const at = this.#chunkAt(name);
    let sum = 0;
    for (let index = 0; index < at; index += 1) sum += this.#chunks[index]?.sums[which] as number;
    const entries = this.#chunks[at]?.entries ?? [];
    const end = firstFrom(entries, name);
    for (let index = 0; index < end; index += 1) sum += countOf(entries[index] as E);
    return sum;
  }

  #chunkOf(entries: E[]): Chunk<E> {
    const sums = this.#counts.map((countOf) => entries.reduce((sum, entry) => sum + countOf(entry), 0));
    return { entries, sums };
  }

  #count({ sums }: Chunk<E>, entry: E, sign: 1 | -1): void {
    for (const [which, countOf] of this.#counts.entries()) {
      sums[which] = (sums[which] as number) + sign * countOf(entry);
    }
  }

  /** A chunk that has become small joins the next, lest there be many of one entry. */
  #join(at: number): void {
    const entries = [this.#chunks[at], this.#chunks[at + 1]].flatMap((chunk) => chunk?.entries ?? []);
    if (entries.length === 0) this.#chunks.splice(at, 1);
    else if (at + 1 < this.#chunks.length && entries.length < CHUNK_LEN / 2) {
      this.#chunks.splice(at, 2, this.#chunkOf(entries));
    }
  }

  /** The last chunk that begins at the name or before it, or else the first. */
  #chunkAt(name: ObjectName): number {
    let low = 0;
    let high = this.#chunks.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (compareNames(this.#chunks[middle]?.entries[0] as E, name) <= 0) low = middle;
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
