import { describe, expect, it } from "vitest";
import { type Fraction, times } from "../../src/explore/fraction.js";
import { Pairs } from "../../src/explore/pairs.js";

describe("what is made of two arguments", () => {
  it("is made once, until there is too much of it", () => {
    const pairs = new Pairs<number, string>(() => new Map());
    let made = 0;
    const of = (a: number, b: number) =>
      pairs.of(a, b, (...both) => {
        made++;
        return both.join(" ");
      });
    expect([of(1, 2), of(2, 1), of(1, 2), of(1, 3)]).toEqual(["1 2", "2 1", "1 2", "1 3"]);
    expect(made).toBe(3);
    for (let b = 0; b < 10_000; b++) expect(of(7, b)).toBe(`7 ${b}`);
    expect(of(1, 2)).toBe("1 2");
    expect(made).toBe(10_004);
  });

  it("is a product of chances, exactly, however often it is asked for", () => {
    const thirds: Fraction = { numerator: 715827883n, bits: 31 };
    let product: Fraction = { numerator: 1n, bits: 0 };
    for (let power = 1; power <= 40; power++) {
      product = times(product, thirds);
      expect(product).toEqual({ numerator: 715827883n ** BigInt(power), bits: 31 * power });
      expect(times(times({ numerator: 1n, bits: 0 }, thirds), thirds).numerator).toBe(715827883n ** 2n);
    }
  });
});
