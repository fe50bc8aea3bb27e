import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSame } from "../../src/ruleset/same.js";

const data = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(undefined, 0, 1, 5n, "", "a", true),
    fc.array(tie("any"), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom("a", "b"), tie("any"), { maxKeys: 2, noNullPrototype: true }),
  ),
})).any;

describe("isSame", () => {
  it("says of plain data what a test would say", () => {
    let same = 0;
    fc.assert(
      fc.property(data, data, (a, b) => {
        let expected = true;
        try {
          expect(a).toStrictEqual(b);
        } catch {
          expected = false;
        }
        same += Number(expected);
        expect(isSame(a, b)).toBe(expected);
        expect(isSame(a, structuredClone(a))).toBe(true);
      }),
      { numRuns: 2000 },
    );
    expect(same).toBeGreaterThan(20);
  });
});
