import { describe, expect, it } from "vitest";
import { SCATTER_BITS, scatter } from "../../src/model/scatter.js";

describe("scatter", () => {
  it.each([0, 1, 0x7fffffff, 123456789])("is a permutation of all numbers for seed %i", (seed) => {
    const size = 2 ** SCATTER_BITS;
    const seen = new Uint8Array(size);
    for (let index = 0; index < size; index++) {
      const value = scatter(index, seed);
      seen[value] = (seen[value] ?? 0) + 1;
    }
    expect(seen.every((count) => count === 1)).toBe(true);
  });
});
