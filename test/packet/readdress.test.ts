import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { printHostPort } from "../../src/net/port.js";
import { icmpEcho, tcp, udp } from "../../src/packet/build.js";
import { readdress } from "../../src/packet/readdress.js";

const port = fc.nat({ max: 65535 });
// Words of all ones and of zeros are what sums of ones' complement go wrong by.
const word = fc.oneof(fc.constantFrom(0, 0xffff), fc.nat({ max: 0xffff }));
const ip4 = fc.tuple(word, word).map(([high, low]) => high * 65536 + low);
const ip6 = fc
  .array(word, { minLength: 8, maxLength: 8 })
  .map((words) => words.reduce((value, one) => (value << 16n) | BigInt(one), 0n));

describe("readdress", () => {
  it.each([
    ["IPv4", ip4],
    ["IPv6", ip6],
  ])("gives the octets of a frame that is built anew: %s", (_, address) => {
    const end = fc.record<{ address: number | bigint; port: number }>({ address, port });
    const ends = fc.tuple(end, end);
    fc.assert(
      fc.property(ends, ends, fc.constantFrom(tcp, udp), ([a, b], [c, d], build) => {
        const built = (from: typeof a, to: typeof a) =>
          build(printHostPort(from.address, from.port), printHostPort(to.address, to.port));
        const first = built(a, b);
        const before = first.slice();
        expect(readdress(first, c, d)).toEqual(built(c, d));
        expect(first).toEqual(before);
      }),
    );
  });

  it("refuses what has no ports, and ends of the other family", () => {
    const [four, six] = [
      { address: 0x0a000001, port: 1 },
      { address: 1n, port: 1 },
    ];
    expect(() => readdress(icmpEcho("10.0.0.1", "10.0.0.2"), four, four)).toThrow(TypeError);
    expect(() => readdress(tcp("10.0.0.1:1", "10.0.0.2:2"), four, six)).toThrow(TypeError);
    expect(() => readdress(udp("[::1]:1", "[::2]:2"), four, four)).toThrow(TypeError);
  });
});
