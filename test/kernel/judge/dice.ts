import { randomOf } from "../../../src/compare/random.js";

/** What is drawn at random, the same for equal seeds. */
export class Dice {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = randomOf(seed);
  }

  /** 0 … n - 1. */
  below(n: number): number {
    return Math.floor(this.#random() * n);
  }

  /** True in so many of a hundred cases. */
  percent(share: number): boolean {
    return this.#random() * 100 < share;
  }

  /** One of the values; Error where there is none. */
  of<T>(values: readonly T[]): T {
    if (values.length === 0) throw new Error("There is nothing to draw from.");
    return values[this.below(values.length)] as T;
  }

  /** One of the values, each as often as its weight says. */
  weighted<T>(values: readonly (readonly [number, T])[]): T {
    let rest = this.#random() * values.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of values) {
      rest -= weight;
      if (rest < 0) return value;
    }
    return (values.at(-1) as readonly [number, T])[1];
  }

  /** So many different ones of the values, or all. */
  some<T>(values: readonly T[], count: number): T[] {
    const left = [...values];
    return Array.from(
      { length: Math.min(count, left.length) },
      () => left.splice(this.below(left.length), 1)[0] as T,
    );
  }
}
