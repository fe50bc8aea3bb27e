/** What one would take for keys of many words without thinking of memory: a Map, its keys the words as text. */
export class WordMap {
  readonly #values = new Map<string, number>();

  constructor(
    /** Words of a row, of which the first ones are the key. */
    readonly rowWords: number,
    readonly keyWords: number,
  ) {}

  #key(rows: Uint32Array, at: number): string {
    return rows.subarray(at, at + this.keyWords).join();
  }

  set(rows: Uint32Array, row: number, value: number): void {
    this.#values.set(this.#key(rows, row * this.rowWords), value);
  }

  /** Values of many keys, 0 for none. */
  findMany(rows: Uint32Array, results: Uint32Array): void {
    for (let row = 0; row < results.length; row++)
      results[row] = this.#values.get(this.#key(rows, row * this.rowWords)) ?? 0;
  }
}
