import { BlockList } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { familyOf, type Ip, printIp } from "../../src/net/ip.js";
import {
  maskOf,
  type Prefix,
  parsePrefix,
  parsePrefixLoose,
  prefixContains,
  prefixOf,
  prefixOverlaps,
  printPrefix,
} from "../../src/net/prefix.js";

const ip4 = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.constantFrom(0, 0xffff_ffff, 0x0a000000, 0x80000000),
);
const ip6 = fc.oneof(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), fc.constantFrom(0n, (1n << 128n) - 1n));
const prefix: fc.Arbitrary<Prefix> = fc.oneof(
  fc.tuple(ip4, fc.integer({ min: 0, max: 32 })).map(([address, length]) => prefixOf(address, length)),
  fc.tuple(ip6, fc.integer({ min: 0, max: 128 })).map(([address, length]) => prefixOf(address, length)),
);

/** First and last address of a prefix, as whole numbers. */
function bounds({ address, length }: Prefix): readonly [bigint, bigint] {
  const size = 1n << BigInt((familyOf(address) === 4 ? 32 : 128) - length);
  return [BigInt(address), BigInt(address) + size - 1n];
}

function ipOf(value: bigint, like: Ip): Ip {
  return typeof like === "number" ? Number(value) : value;
}

describe("prefixes", () => {
  it("have the mask of their length", () => {
    for (let length = 0; length <= 32; length++) {
      expect(maskOf(length).toString(2).padStart(32, "0")).toBe("1".repeat(length) + "0".repeat(32 - length));
    }
  });

  it("parse what they print", () => {
    fc.assert(
      fc.property(prefix, (one) => {
        expect(parsePrefix(printPrefix(one))).toEqual(one);
        expect(parsePrefixLoose(printPrefix(one))).toEqual(one);
      }),
    );
  });

  it("hold what lies between their first and last address, and nothing one past it", () => {
    fc.assert(
      fc.property(prefix, (one) => {
        const [first, last] = bounds(one);
        const top = familyOf(one.address) === 4 ? 0xffff_ffffn : (1n << 128n) - 1n;
        const inside = [first, last, first + (last - first) / 2n].map((value) =>
          prefixContains(one, ipOf(value, one.address)),
        );
        expect(inside).toEqual([true, true, true]);
        if (first > 0n) expect(prefixContains(one, ipOf(first - 1n, one.address))).toBe(false);
        if (last < top) expect(prefixContains(one, ipOf(last + 1n, one.address))).toBe(false);
      }),
    );
  });

  it("hold what Node's BlockList blocks", () => {
    fc.assert(
      fc.property(prefix, ip4, ip6, (one, four, six) => {
        const list = new BlockList();
        const family = familyOf(one.address) === 4 ? "ipv4" : "ipv6";
        if (one.length > 0) list.addSubnet(printIp(one.address), one.length, family);
        const asked = family === "ipv4" ? four : six;
        const blocked = one.length === 0 || list.check(printIp(asked), family);
        expect(prefixContains(one, asked)).toBe(blocked);
        expect(prefixContains(one, family === "ipv4" ? six : four)).toBe(false);
      }),
    );
  });

  it("overlap when their ranges do", () => {
    let overlapping = 0;
    fc.assert(
      fc.property(prefix, prefix, fc.integer({ min: 0, max: 128 }), (a, drawn, length) => {
        // Half of the time one that shares the address.
        const shared = prefixOf(a.address, Math.min(length, familyOf(a.address) === 4 ? 32 : 128));
        for (const b of [drawn, shared]) {
          const [[aFirst, aLast], [bFirst, bLast]] = [bounds(a), bounds(b)];
          const expected = familyOf(a.address) === familyOf(b.address) && aFirst <= bLast && bFirst <= aLast;
          if (expected) overlapping++;
          expect([prefixOverlaps(a, b), prefixOverlaps(b, a)]).toEqual([expected, expected]);
        }
      }),
    );
    expect(overlapping).toBeGreaterThan(50);
  });

  it("with host bits are read loosely only", () => {
    expect(parsePrefix("10.244.1.7/24")).toBeUndefined();
    expect(parsePrefixLoose("10.244.1.7/24")).toEqual({ address: 0x0af40100, length: 24 });
    expect(parsePrefixLoose("fd00::7/64")).toEqual({ address: 0xfd00n << 112n, length: 64 });
  });

  it.each([
    "",
    "10.0.0.0",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "10.0.0/8",
    "fd00::/129",
    "/8",
    "10.0.0.0/ 8",
    "10.0.0.0/1e1",
  ])("are not «%s»", (text) =>
    expect([parsePrefix(text), parsePrefixLoose(text)]).toEqual([undefined, undefined]),
  );
});
