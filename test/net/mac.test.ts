import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseMac, printMac } from "../../src/net/mac.js";

describe("MAC addresses", () => {
  it("parse what they print", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (mac) => {
        expect(parseMac(printMac(mac))).toBe(mac);
        expect(parseMac(printMac(mac).toUpperCase())).toBe(mac);
      }),
    );
    expect(printMac(0x0a580af40102)).toBe("0a:58:0a:f4:01:02");
    expect(printMac(0)).toBe("00:00:00:00:00:00");
  });

  it.each([
    "",
    "0a:58:0a:f4:01",
    "0a:58:0a:f4:01:02:03",
    "a:58:0a:f4:01:02",
    "0a-58-0a-f4-01-02",
    "0a:58:0a:f4:01:0g",
    "0a580af40102",
    " 0a:58:0a:f4:01:02",
  ])("are not «%s»", (text) => expect(parseMac(text)).toBeUndefined());
});
