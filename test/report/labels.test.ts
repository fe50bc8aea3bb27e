import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { placeLabels, wrapText } from "../../src/report/labels.js";

const wanted = fc.array(fc.integer({ min: 20, max: 300 }), { minLength: 1, maxLength: 15 });

describe("placeLabels", () => {
  it("keeps labels apart, inside and in order", () => {
    fc.assert(
      fc.property(wanted, (ys) => {
        const placed = placeLabels(ys, 16, 20, 300);
        const sorted = [...placed].sort((a, b) => a - b);
        sorted.forEach((y, i) => {
          expect(y).toBeGreaterThanOrEqual(20 - 1e-6);
          expect(y).toBeLessThanOrEqual(300 + 1e-6);
          if (i > 0) expect(y - (sorted[i - 1] ?? 0)).toBeGreaterThanOrEqual(16 - 1e-6);
        });
        ys.forEach((a, i) => {
          ys.forEach((b, j) => {
            if (a < b) expect(placed[i]).toBeLessThan(placed[j] ?? 0);
          });
        });
      }),
    );
  });

  it("leaves alone what does not collide", () => {
    expect(placeLabels([250, 30, 100], 16, 20, 300)).toEqual([250, 30, 100]);
  });

  it("moves no further than the slow search for the least squares", () => {
    fc.assert(
      fc.property(
        fc.tuple(
          fc.integer({ min: 0, max: 12 }),
          fc.integer({ min: 0, max: 12 }),
          fc.integer({ min: 0, max: 12 }),
        ),
        (ys) => {
          const error = (ps: readonly number[]) => ps.reduce((sum, p, i) => sum + (p - (ys[i] ?? 0)) ** 2, 0);
          let best = Number.POSITIVE_INFINITY;
          for (let a = 0; a <= 12; a++)
            for (let b = 0; b <= 12; b++)
              for (let c = 0; c <= 12; c++) {
                const apart = [a, b, c].sort((p, q) => p - q);
                const gaps = [(apart[1] ?? 0) - (apart[0] ?? 0), (apart[2] ?? 0) - (apart[1] ?? 0)];
                if (Math.min(...gaps) >= 4) best = Math.min(best, error([a, b, c]));
              }
          expect(error(placeLabels(ys, 4, 0, 12))).toBeLessThanOrEqual(best + 1e-6);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("shrinks the gap where there is no room", () => {
    expect(placeLabels([5, 5, 5], 16, 0, 10)).toEqual([0, 5, 10]);
    expect(placeLabels([], 16, 0, 10)).toEqual([]);
  });
});

describe("wrapText", () => {
  it("breaks between words, a long word alone", () => {
    expect(wrapText("one two three", 70, 10)).toEqual(["one two", "three"]);
    expect(wrapText("incomprehensible one", 50, 10)).toEqual(["incomprehensible", "one"]);
  });
});
