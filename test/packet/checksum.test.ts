import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sctp, tcp, udp } from "../../src/packet/build.js";
import { internetChecksum, verifyChecksums } from "../../src/packet/checksum.js";
import { frame } from "../../src/packet/frame.js";

/** The same by arithmetic: one's complement addition of 16-bit words is addition modulo 65535. */
function checksumByModulus(octets: Uint8Array): number {
  let total = 0n;
  for (const [at, octet] of octets.entries()) total += BigInt(octet) << (at % 2 === 0 ? 8n : 0n);
  if (total === 0n) return 0xffff;
  return 0xffff - (Number(total % 0xffffn) || 0xffff);
}

function flipBit(octets: Uint8Array, at: number): Uint8Array {
  const flipped = Uint8Array.from(octets);
  flipped[at] = (flipped[at] ?? 0) ^ 0x10;
  return flipped;
}

describe("internetChecksum", () => {
  it("gives the sum of RFC 1071 §3", () => {
    const octets = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
    expect(internetChecksum(octets)).toBe(0xffff - 0xddf2);
  });

  it("counts an odd last octet as if a zero followed", () => {
    expect(internetChecksum(Uint8Array.of(0x12))).toBe(0xffff - 0x1200);
    expect(internetChecksum(new Uint8Array(0))).toBe(0xffff);
  });

  it("agrees with arithmetic modulo 65535 for every word after one that makes it carry", () => {
    const wrong: number[] = [];
    for (let word = 0; word <= 0xffff; word++) {
      const octets = Uint8Array.of(0xff, 0xfe, word >> 8, word & 255);
      if (internetChecksum(octets) !== checksumByModulus(octets)) wrong.push(word);
    }
    expect(wrong).toEqual([]);
  });

  it("agrees with arithmetic modulo 65535 for any octets", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        expect(internetChecksum(octets)).toBe(checksumByModulus(octets));
      }),
    );
  });
});

describe("verifyChecksums", () => {
  const ETH_AND_IP4 = 34;

  it("sees a wrong bit anywhere in an SCTP packet, its checksum among them, and none in its addresses", () => {
    const good = sctp("[fd00::7]:41000", "[fd00::3]:80", { payload: 5 });
    expect(verifyChecksums(good)).toEqual({ ip: "absent", l4: "good" });
    expect(verifyChecksums(flipBit(good, 30))).toEqual({ ip: "absent", l4: "good" });
    for (let at = 54; at < good.length; at++)
      expect(verifyChecksums(flipBit(good, at))).toEqual({ ip: "absent", l4: "bad" });
  });

  it("sees a wrong bit in the IP header, and one in the payload", () => {
    const good = tcp("10.244.1.7:41000", "10.96.12.3:80", { payload: "hello" });
    expect(verifyChecksums(good)).toEqual({ ip: "good", l4: "good" });
    expect(verifyChecksums(flipBit(good, 22))).toEqual({ ip: "bad", l4: "good" });
    expect(verifyChecksums(flipBit(good, good.length - 1))).toEqual({ ip: "good", l4: "bad" });
    expect(verifyChecksums(flipBit(good, 26))).toEqual({ ip: "bad", l4: "bad" });
  });

  it("calls a UDP checksum of 0, fragments and cut packets absent", () => {
    const ip4 = frame().eth().ip4({ src: "10.0.0.1", dst: "10.0.0.2" });
    const none = ip4.udp({ srcPort: 1, dstPort: 2, checksum: 0 }).bytes();
    expect(verifyChecksums(none).l4).toBe("absent");
    expect(verifyChecksums(ip4.udp({ srcPort: 1, dstPort: 2, length: 9 }).bytes()).l4).toBe("absent");
    const first = frame()
      .eth()
      .ip4({ src: "10.0.0.1", dst: "10.0.0.2", mf: true })
      .udp({ srcPort: 1, dstPort: 2 });
    expect(verifyChecksums(first.bytes()).l4).toBe("absent");
    const whole = udp("10.0.0.1:1", "10.0.0.2:2", { payload: 20 });
    expect(verifyChecksums(whole.subarray(0, whole.length - 1)).l4).toBe("absent");
    expect(verifyChecksums(whole.subarray(0, ETH_AND_IP4 - 1))).toEqual({ ip: "absent", l4: "absent" });
  });

  it("leaves padding behind the packet out", () => {
    const padded = frame()
      .eth({ padTo: 60 })
      .ip4({ src: "10.0.0.1", dst: "10.0.0.2" })
      .tcp({ srcPort: 1, dstPort: 2 });
    const octets = padded.bytes();
    expect(octets.length).toBe(60);
    expect(verifyChecksums(flipBit(octets, 59))).toEqual({ ip: "good", l4: "good" });
  });

  it("judges the frame inside VXLAN", () => {
    const outer = frame()
      .eth()
      .ip4({ src: "172.18.0.3", dst: "172.18.0.4" })
      .udp({ srcPort: 5, dstPort: 8472 });
    const inner = flipBit(tcp("10.244.1.7:1", "10.244.2.9:2"), ETH_AND_IP4 + 4);
    expect(verifyChecksums(outer.vxlan({ vni: 1 }).payload(inner).bytes())).toEqual({
      ip: "good",
      l4: "good",
      inner: { ip: "good", l4: "bad" },
    });
  });
});
