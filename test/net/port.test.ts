import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Ip } from "../../src/net/ip.js";
import { parseHostPort, printHostPort } from "../../src/net/port.js";

const ip: fc.Arbitrary<Ip> = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
);

describe("addresses with a port", () => {
  it("parse what they print", () => {
    fc.assert(
      fc.property(ip, fc.integer({ min: 0, max: 65535 }), (address, port) => {
        expect(parseHostPort(printHostPort(address, port))).toEqual({ address, port });
      }),
    );
    expect(printHostPort(0x0a600001, 80)).toBe("10.96.0.1:80");
    expect(printHostPort(1n, 80)).toBe("[::1]:80");
  });

  it.each([
    "",
    "10.96.0.1",
    "10.96.0.1:",
    ":80",
    "10.96.0.1:65536",
    "10.96.0.1:-1",
    "10.96.0.1:080000",
    "10.96.0.1:http",
    "::1:80",
    "[10.96.0.1]:80",
    "[::1]",
    "[::1]80",
    "[]:80",
    "10.96.0.1:80 ",
  ])("are not «%s»", (text) => expect(parseHostPort(text)).toBeUndefined());
});
