import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { frame, udp } from "../../src/packet/build.js";
import { verifyChecksums } from "../../src/packet/checksum.js";
import { cutFrame, isFragment, type Parts } from "../../src/packet/fragment.js";
import { Reassembly } from "../oracle/reassembly.js";

const octetsOf = (count: number) => Uint8Array.from({ length: count }, (_, index) => index * 31);
const PARTS = { id: 7, ipAt: 14, keepsDf: false, keepsOptions: false } as const;

/** Lengths of fragments of so many octets of data. */
function lengthsOf(total: number, sizes: readonly number[]): number[] {
  const lengths: number[] = [];
  for (let rest = total; rest > 0; rest -= lengths.at(-1) ?? rest)
    lengths.push(Math.min(rest, (sizes[lengths.length % sizes.length] ?? 1) * 8));
  return lengths;
}

/** Options: no copy, a copy, padding. */
const OPTIONS = [0x1e, 4, 1, 2, 0x9e, 4, 3, 4, 1, 1, 0, 0];

/** An IPv4 frame with those. */
function optioned(): Uint8Array {
  const plain = udp("10.0.0.7:7", "10.0.0.1:9", { payload: octetsOf(40) });
  const octets = Uint8Array.from([...plain.subarray(0, 34), ...OPTIONS, ...plain.subarray(34)]);
  octets[14] = 0x45 + OPTIONS.length / 4;
  return octets;
}

const optionsOf = (one: Uint8Array) => [...one.subarray(34, 34 + OPTIONS.length)];

describe("a frame that is cut", () => {
  it("is what its fragments come to again", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.integer({ min: 9, max: 2_000 }), sizes, fc.boolean(), (payload, units, isIp6) => {
        const [from, to] = isIp6 ? ["[fd00::7]:7", "[fd00::1]:9"] : ["10.0.0.7:7", "10.0.0.1:9"];
        const whole = udp(from as string, to as string, { payload: octetsOf(payload) });
        const header = isIp6 ? 40 : 20;
        const lengths = lengthsOf(whole.length - 14 - header, units);
        const frames = cutFrame(whole, { ...PARTS, header, keepsDf: true, lengths });
        const oracle = new Reassembly({ wait4: 1, wait6: 1, distance: 1e6 });
        const fates = frames.map((one) => oracle.take(one, 0));
        expect(frames.every((one) => isFragment(one))).toBe(frames.length > 1);
        if (frames.length > 1) expect(fates.at(-1)).toMatchObject({ frame: whole, lengths });
      }),
    );
  });

  it("has its options in the first fragment, and those that are to be copied in all", () => {
    const parts: Parts = { ...PARTS, header: 32, lengths: [24, 24] };
    const [first, second] = cutFrame(optioned(), parts) as [Uint8Array, Uint8Array];
    expect([optionsOf(first), optionsOf(second)]).toEqual([OPTIONS, [1, 1, 1, 1, ...OPTIONS.slice(4)]]);
    const own = cutFrame(optioned(), { ...parts, keepsOptions: true });
    expect(own.map(optionsOf)).toEqual([OPTIONS, OPTIONS]);
    for (const one of [first, second, ...own]) expect(verifyChecksums(one).ip).toBe("good");
  });

  it("keeps no checksum in a tunnel where there was none", () => {
    const inner = udp("10.0.0.7:7", "10.0.0.1:9", { payload: octetsOf(40) });
    const enclosed = (checksum?: number) =>
      frame()
        .eth({})
        .ip4({ src: "192.0.2.1", dst: "192.0.2.2", id: 65_535 })
        .udp({ srcPort: 7, dstPort: 8_472, ...(checksum === undefined ? {} : { checksum }) })
        .vxlan({ vni: 1 })
        .payload(inner)
        .bytes();
    const parts: Parts = { ...PARTS, ipAt: 64, header: 20, lengths: [24, 24] };
    const sums = (frames: readonly Uint8Array[]) => frames.map((one) => verifyChecksums(one).l4);
    expect(sums(cutFrame(enclosed(), parts))).toEqual(["good", "good"]);
    expect(sums(cutFrame(enclosed(0), parts))).toEqual(["absent", "absent"]);
    // After the last identification comes the first one, which is not 0.
    const ids = cutFrame(enclosed(), parts).map((one) => (one[18] ?? 0) * 256 + (one[19] ?? 0));
    expect(ids).toEqual([65_535, 1]);
    expect(cutFrame(enclosed(), parts).every((one) => isFragment(one))).toBe(true);
    expect(isFragment(enclosed())).toBe(false);
  });
});
