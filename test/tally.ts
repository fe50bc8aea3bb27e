import { expect } from "vitest";

/**
 * How often each case of a property was met: one that was never met is not tested. What is asked for is met by so wide
 * a margin that chance alone does not miss it once in 10^9 runs, so measure before you ask for more.
 */
export class Tally {
  readonly #counts = new Map<string, number>();

  count(name: string, times = 1): void {
    this.#counts.set(name, this.of(name) + times);
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** What was met, in order. */
  get names(): readonly string[] {
    return [...this.#counts.keys()].sort();
  }

  /** Each of these was met more than so many times. */
  expectEach(names: readonly string[], times = 0): void {
    for (const name of names) expect(this.of(name), name).toBeGreaterThan(times);
  }
}
