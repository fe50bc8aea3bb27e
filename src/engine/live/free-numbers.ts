/** Numbers that were given back, each with the key of what had it: what comes again has its own again while that is free. */
export class FreeNumbers {
  /** The longest free first. */
  readonly #byKey = new Map<string, number>();

  give(key: string, number: number): void {
    this.#byKey.set(key, number);
  }

  /** Undoes the last `give` of that key, or takes the number that it has. */
  takeOwn(key: string): number | undefined {
    const number = this.#byKey.get(key);
    this.#byKey.delete(key);
    return number;
  }

  /** The number that has been free for the longest, and whose it was. */
  takeAny(): readonly [key: string, number: number] | undefined {
    const [first] = this.#byKey;
    if (first !== undefined) this.#byKey.delete(first[0]);
    return first;
  }
}
