import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { costOf, median, quantile, slopeOf, spreadOf } from "../../src/report/statistics.js";

const values = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 40 });

/** R-7, as its definition says: position (n - 1) p in the sorted values, between neighbours linearly. */
function slowQuantile(numbers: readonly number[], p: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const position = (sorted.length - 1) * p;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

describe("statistics", () => {
  it("quantile equals its definition", () => {
    fc.assert(
      fc.property(values, fc.constantFrom(0, 0.5, 0.9, 0.99, 1), (numbers, p) => {
        expect(quantile(numbers, p)).toBeCloseTo(slowQuantile(numbers, p), 6);
      }),
    );
  });

  it("median and spread of known values", () => {
    expect(median([30, 0, 10, 20])).toBe(15);
    expect(spreadOf([3, 1, 2])).toEqual([1, 3]);
  });

  it("refuses statistics of nothing", () => {
    expect(() => median([])).toThrow(/measure at least one batch/);
    expect(() => costOf([[1], []])).toThrow(RangeError);
  });

  it("costOf takes the median of rounds and the spread of their medians", () => {
    const cost = costOf([
      [10, 11, 12],
      [20, 21, 22],
      [14, 15, 90],
    ]);
    expect(cost.p50).toBe(15);
    expect(cost.spread).toEqual([11, 21]);
    expect(cost.p99).toBeCloseTo(21.98, 6);
  });

  it("slopeOf finds the slope of a line, and none where x never changes", () => {
    const line = [1, 10, 500].map((x) => ({ x, y: 60 + 2.5 * x }));
    expect(slopeOf(line)).toBeCloseTo(2.5, 9);
    expect(slopeOf([{ x: 4, y: 1 }])).toBeUndefined();
    expect(slopeOf([])).toBeUndefined();
  });
});
