import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logAxis } from "../../src/report/axis.js";
import { printTime } from "../../src/report/quantity.js";

const positive = fc.double({ min: 1e-3, max: 1e9, noNaN: true });
const options = { range: [400, 20], print: printTime, atLeast: 10 } as const;

describe("logAxis", () => {
  it("is monotone, keeps every value within its range and marks at least two ticks", () => {
    fc.assert(
      fc.property(fc.array(positive, { minLength: 1, maxLength: 12 }), (values) => {
        const axis = logAxis(values, options);
        const sorted = [...values].sort((a, b) => a - b);
        const positions = sorted.map(axis.position);
        positions.forEach((position, i) => {
          expect(position).toBeGreaterThanOrEqual(20);
          expect(position).toBeLessThanOrEqual(400);
          if (i > 0) expect(position).toBeLessThanOrEqual(positions[i - 1] ?? Number.NaN);
        });
        expect(axis.ticks.length).toBeGreaterThanOrEqual(2);
        for (const tick of axis.ticks) expect(tick.position).toBe(axis.position(tick.value));
      }),
    );
  });

  it("puts equal factors at equal distances", () => {
    const { position } = logAxis([10, 10_000], options);
    expect(position(10) - position(100)).toBeCloseTo(position(1000) - position(10_000), 6);
  });

  it("marks as finely as there is room, with units", () => {
    const labels = (...values: readonly number[]) => logAxis(values, options).ticks.map((tick) => tick.label);
    expect(labels(200, 9000)).toEqual(["200 ns", "500 ns", "1 µs", "2 µs", "5 µs", "10 µs"]);
    expect(labels(1, 2e5).slice(0, 4)).toEqual(["1 ns", "3 ns", "10 ns", "30 ns"]);
    expect(labels(1, 2e9).slice(0, 3)).toEqual(["1 ns", "10 ns", "100 ns"]);
    expect(logAxis([60, 61], options).ticks.map((tick) => tick.label)).toEqual([
      "20 ns",
      "50 ns",
      "100 ns",
      "200 ns",
    ]);
  });

  it.each([[[]], [[0, 5]], [[-1]], [[Number.NaN]], [[1, Number.POSITIVE_INFINITY]]])(
    "refuses %j",
    (values) => {
      expect(() => logAxis(values, options)).toThrow(/not positive and finite/);
    },
  );

  it("marks the values asked for, unless their labels would touch", () => {
    const room = (label: string) => 7 * label.length;
    const wide = { ...options, room, marks: [3, 40, 700] };
    expect(logAxis([3, 700], wide).ticks.map((tick) => tick.value)).toEqual([3, 40, 700]);
    const crowded = { ...options, room, marks: [3, 690, 700] };
    expect(logAxis([3, 700], crowded).ticks.map((tick) => tick.value)).toEqual([
      5, 10, 20, 50, 100, 200, 500,
    ]);
  });

  it("spans at least the factor asked for, so that noise looks small", () => {
    const { position } = logAxis([60, 66], options);
    expect(position(60) - position(66)).toBeLessThan(0.05 * 380);
  });
});
