import { isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compareIp,
  familyOf,
  type Ip,
  parseIp,
  parseIp4,
  parseIp6,
  printIp,
  printIp4,
  printIp6,
} from "../../src/net/ip.js";

const ip4 = fc.integer({ min: 0, max: 0xffff_ffff });
/** Few groups, many of them zero, so that `::` has something to choose from. */
const ip6 = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n));
const ip: fc.Arbitrary<Ip> = fc.oneof(ip4, ip6);

describe("IPv4 addresses", () => {
  it("parse what they print, and print four octets", () => {
    fc.assert(
      fc.property(ip4, (address) => {
        expect(parseIp4(printIp4(address))).toBe(address);
        expect(isIPv4(printIp4(address))).toBe(true);
      }),
    );
    expect(printIp4(0x0a600001)).toBe("10.96.0.1");
  });

  it("with leading zeros are decimal, as Kubernetes reads them", () => {
    expect(parseIp4("010.096.000.001")).toBe(0x0a600001);
    expect(parseIp4("08.09.0.1")).toBe(0x08090001);
  });

  it.each([
    "",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "1.2.3.-4",
    "1.2.3.",
    "1..2.3",
    "1.2.3.4 ",
    " 1.2.3.4",
    "0x1.2.3.4",
    "1.2.3.4/32",
    "1.2.3.1e1",
    "１.2.3.4",
  ])("are not «%s»", (text) => expect([parseIp4(text), parseIp(text)]).toEqual([undefined, undefined]));
});

describe("IPv6 addresses", () => {
  it("parse what they print, in the one form that RFC 5952 gives", () => {
    fc.assert(
      fc.property(ip6, (address) => {
        const text = printIp6(address);
        expect(parseIp6(text)).toBe(address);
        expect(isIPv6(text)).toBe(true);
        // The URL parser writes addresses in that form too.
        expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
      }),
    );
  });

  it("parse every form that they may be written in", () => {
    const forms: [string, bigint][] = [
      ["::", 0n],
      ["::1", 1n],
      ["1::", 1n << 112n],
      ["2001:db8::1", 0x20010db8000000000000000000000001n],
      ["2001:0DB8:0:0:0:0:0:1", 0x20010db8000000000000000000000001n],
      ["::ffff:10.96.0.1", 0xffff0a600001n],
      ["1:2:3:4:5:6:7::", 0x00010002000300040005000600070000n],
    ];
    for (const [text, value] of forms) expect([text, parseIp6(text)]).toEqual([text, value]);
  });

  it("are read where Node reads them", () => {
    const piece = fc.constantFrom("0", "1", "ab", "FFFF", "12345", "g", "", ":", "::");
    const text = fc
      .tuple(fc.array(piece, { minLength: 1, maxLength: 9 }), fc.constantFrom("", "", "1.2.3.4", "1.2.3"))
      .map(([pieces, last]) => (last === "" ? pieces : [...pieces, last]).join(":"));
    let seen = 0;
    fc.assert(
      fc.property(text, (one) => {
        if (isIPv6(one)) seen++;
        expect([one, parseIp6(one) !== undefined]).toEqual([one, isIPv6(one)]);
      }),
      { numRuns: 3000 },
    );
    expect(seen).toBeGreaterThan(30);
  });

  it.each([
    "",
    ":",
    ":::",
    "1",
    "1:2",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    "1:2:3:4:5:6:7:8::",
    "fe80::1%eth0",
    "[::1]",
    "::1.2.3",
    "g::",
    "1.2.3.4::",
  ])("are not «%s»", (text) => expect(parseIp6(text)).toBeUndefined());
});

describe("addresses of either family", () => {
  it("know their family by their value", () => {
    fc.assert(
      fc.property(ip, (address) => {
        expect(parseIp(printIp(address))).toBe(address);
        expect(familyOf(address)).toBe(printIp(address).includes(":") ? 6 : 4);
      }),
    );
  });

  it("are ordered: IPv4 first, then by value", () => {
    fc.assert(
      fc.property(fc.array(ip, { maxLength: 20 }), (addresses) => {
        const sorted = [...addresses].sort(compareIp);
        const apart = [
          ...addresses.filter((one) => typeof one === "number"),
          ...addresses.filter((one) => typeof one === "bigint"),
        ];
        expect(sorted.map(familyOf)).toEqual(apart.map(familyOf));
        for (const [index, address] of sorted.entries()) {
          const next = sorted[index + 1];
          if (next !== undefined && familyOf(next) === familyOf(address))
            expect(BigInt(address) <= BigInt(next)).toBe(true);
        }
      }),
    );
    expect(compareIp(7, 7)).toBe(0);
  });
});
