import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Ip, parseIp, printIp } from "../../src/net/ip.js";
import { type Prefix, prefixContains, prefixOf, printPrefix } from "../../src/net/prefix.js";
import { intervalsOf, prefixSet, rangePrefixes } from "../../src/ruleset/nft-intervals.js";

function prefix(text: string): Prefix {
  const [address = "", length] = text.split("/");
  return prefixOf(parseIp(address) as Ip, Number(length));
}

const printed = (prefixes: readonly Prefix[]) => prefixes.map(printPrefix).join(" ");

describe("lists of prefixes as nft keeps them", () => {
  it.each([
    ["10.9.0.0/16 10.0.0.0/8 1.2.3.4/32", "1.2.3.4/32 10.0.0.0/8"],
    ["10.0.0.0/9 10.128.0.0/9", "10.0.0.0/8"],
    ["203.0.113.0/25 203.0.113.128/26", "203.0.113.0/25 203.0.113.128/26"],
    ["203.0.113.9/32 203.0.113.7/32 203.0.113.8/32", "203.0.113.7/32 203.0.113.8/31"],
    ["0.0.0.0/1 128.0.0.0/1", "0.0.0.0/0"],
    ["255.255.255.255/32 0.0.0.0/32", "0.0.0.0/32 255.255.255.255/32"],
    ["fd00::/64 fd00:0:0:1::/64 fd00:0:0:2::/64", "fd00::/63 fd00:0:0:2::/64"],
  ])("%s is %s", (given, expected) => {
    expect(printed(prefixSet(given.split(" ").map(prefix)))).toBe(expected);
  });

  it("ranges have their first and last address within", () => {
    const ends = (text: string) => parseIp(text) as Ip;
    expect(printed(rangePrefixes(ends("10.0.0.1"), ends("10.0.0.6")))).toBe(
      "10.0.0.1/32 10.0.0.2/31 10.0.0.4/31 10.0.0.6/32",
    );
    expect(printed(rangePrefixes(0, 0xffffffff))).toBe("0.0.0.0/0");
    const six = intervalsOf([prefix("fd00::/127"), prefix("fd00::2/128")]);
    expect(six.map(([first, last]) => `${printIp(first)}-${printIp(last)}`)).toEqual(["fd00::-fd00::2"]);
  });

  it("law: the same addresses are in it, and no two of its intervals touch", () => {
    const low = fc.integer({ min: 0, max: 63 });
    const drawn = fc.array(
      fc.tuple(low, fc.integer({ min: 27, max: 32 })).map(([address, length]) => prefixOf(address, length)),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(drawn, (given) => {
        const made = prefixSet(given);
        for (let address = 0; address < 80; address += 1) {
          const has = (prefixes: readonly Prefix[]) => prefixes.some((one) => prefixContains(one, address));
          expect(has(made)).toBe(has(given));
        }
        expect(prefixSet(made)).toEqual(made);
        const intervals = intervalsOf(made);
        for (const [index, [first]] of intervals.entries()) {
          if (index > 0) expect(first).toBeGreaterThan(Number(intervals[index - 1]?.[1]) + 1);
        }
      }),
    );
  });
});
