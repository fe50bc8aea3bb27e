import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NameIndex } from "../../src/engine/live/name-index.js";

type Deed = readonly ["insert" | "delete" | "get" | "knows", name: string, value: number];

const deed: fc.Arbitrary<Deed> = fc.tuple(
  fc.constantFrom("insert", "insert", "delete", "get", "knows"),
  // Few names, so that most deeds meet one that is there or was.
  fc.integer({ min: 0, max: 60 }).map((number) => `KUBE-SEP-${number}`),
  fc.nat(),
);

describe("NameIndex", () => {
  it("is a map that also knows what it had, through growth", () => {
    let [hits, deletions] = [0, 0];
    fc.assert(
      fc.property(fc.array(deed, { minLength: 200, maxLength: 400 }), (deeds) => {
        const index = new NameIndex<number>();
        const map = new Map<string, number>();
        const known = new Set<string>();
        for (const [kind, name, value] of deeds) {
          if (kind === "insert") {
            expect(index.insert(name, value)).toBe(!map.has(name));
            map.set(name, value);
            known.add(name);
          } else if (kind === "delete") {
            const was = map.delete(name);
            expect(index.delete(name)).toBe(was);
            if (was) deletions++;
          } else if (kind === "knows") expect(index.knows(name)).toBe(known.has(name));
          else {
            expect(index.get(name)).toBe(map.get(name));
            if (map.has(name)) hits++;
          }
        }
      }),
    );
    expect(hits).toBeGreaterThan(100);
    expect(deletions).toBeGreaterThan(100);
  });

  it("finds each of very many names", () => {
    const index = new NameIndex<number>();
    const count = 20_000;
    for (let number = 0; number < count; number++) index.insert(`endpoint-${number}`, number);
    for (let number = 0; number < count; number++) expect(index.get(`endpoint-${number}`)).toBe(number);
    expect(index.get(`endpoint-${count}`)).toBeUndefined();
  });
});
