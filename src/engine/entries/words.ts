/** A growing column of unsigned 32-bit words, as entries are handed to the machine. */
export class Words {
  #words = new Uint32Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(...values: readonly number[]): void {
    while (this.#length + values.length > this.#words.length) this.#double();
    for (const value of values) this.#words[this.#length++] = value;
  }

  /** What was pushed, in place. */
  get words(): Uint32Array {
    return this.#words.subarray(0, this.#length);
  }

  #double(): void {
    const larger = new Uint32Array(this.#words.length * 2);
    larger.set(this.#words);
    this.#words = larger;
  }
}
