import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Ip } from "../../src/net/ip.js";
import { IpMap } from "../../src/net/ip-map.js";

const ip: fc.Arbitrary<Ip> = fc.oneof(
  fc.nat(5),
  fc.bigInt({ min: 0n, max: 5n }),
  fc.tuple(fc.bigInt({ min: 0n, max: 2n }), fc.bigInt({ min: 0n, max: 2n })).map(([a, b]) => (a << 64n) | b),
  fc.constant((1n << 128n) - 1n),
);

describe("IpMap", () => {
  it("does what a Map does", () => {
    const deeds = fc.array(fc.tuple(ip, fc.option(fc.nat(9))), { maxLength: 30 });
    fc.assert(
      fc.property(deeds, ip, (drawn, asked) => {
        const [ours, theirs] = [new IpMap<number>(), new Map<Ip, number>()];
        for (const [key, value] of drawn) {
          if (value === null) expect(ours.delete(key)).toBe(theirs.delete(key));
          else for (const map of [ours, theirs]) map.set(key, value);
        }
        expect([ours.get(asked), ours.has(asked), ours.size]).toEqual([
          theirs.get(asked),
          theirs.has(asked),
          theirs.size,
        ]);
        expect([...ours]).toEqual([...theirs]);
        expect([...ours.keys()]).toEqual([...theirs.keys()]);
        expect(new Map(ours)).toEqual(theirs);
        expect([...new IpMap(theirs)]).toEqual([...theirs]);
        const seen: [Ip, number][] = [];
        ours.forEach((value, key) => void seen.push([key, value]));
        expect(seen).toEqual([...theirs]);
      }),
    );
  });
});
