import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Sequence } from "../../src/fragment/sequence.js";
import { compareNames } from "../../src/model/object-name.js";

interface Counted {
  readonly namespace: string;
  readonly name: string;
  counts: readonly [number, number];
}

const COUNTS = [(entry: Counted) => entry.counts[0], (entry: Counted) => entry.counts[1]];

const counts = fc.tuple(fc.nat(3), fc.nat(3));
const drawn: fc.Arbitrary<Counted> = fc.record({
  name: fc.nat(700).map(String),
  namespace: fc.constantFrom("a", "b"),
  counts,
});

/** Keeps the law: the same as an array that is sorted and summed anew. */
function expectSame(sequence: Sequence<Counted>, entries: readonly Counted[], probe: Counted): void {
  const sorted = [...entries].sort(compareNames);
  expect([...sequence]).toEqual(sorted);
  const before = sorted.filter((entry) => compareNames(entry, probe) < 0);
  for (const [which, countOf] of COUNTS.entries()) {
    expect(sequence.before(probe, which)).toBe(before.reduce((sum, entry) => sum + countOf(entry), 0));
  }
  expect(sequence.find(probe)).toBe(sorted.find((entry) => compareNames(entry, probe) === 0));
}

describe("Sequence", () => {
  it("finds, orders and sums as a sorted array does, over splits and joins of its chunks", () => {
    let largest = 0;
    fc.assert(
      fc.property(
        fc.uniqueArray(drawn, {
          maxLength: 1100,
          size: "max",
          selector: (one) => `${one.namespace}/${one.name}`,
        }),
        fc.array(drawn, { maxLength: 900, size: "max" }),
        fc.boolean(),
        (start, changes, shrinks) => {
          const entries = start.map((entry) => ({ ...entry }));
          const sequence = new Sequence([...entries].sort(compareNames), COUNTS);
          for (const change of changes) {
            const at = entries.findIndex((entry) => compareNames(entry, change) === 0);
            const found = entries[at];
            if (found === undefined) {
              entries.push({ ...change });
              sequence.add(entries.at(-1) as Counted);
            } else if (shrinks) {
              entries.splice(at, 1);
              sequence.remove(found);
            } else {
              sequence.recount(found, () => {
                found.counts = change.counts;
              });
            }
          }
          largest = Math.max(largest, entries.length);
          for (const probe of changes.slice(0, 5)) expectSame(sequence, entries, probe);
          for (const entry of [...entries]) sequence.remove(entry);
          expect([...sequence]).toEqual([]);
        },
      ),
      { numRuns: 40, endOnFailure: true },
    );
    expect(largest).toBeGreaterThan(600);
  });
});
