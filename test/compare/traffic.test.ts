import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomOf, shuffled } from "../../src/compare/random.js";
import { BATCH_LEN, drawUniform, FRAME_WORDS, type Frames, trafficTo } from "../../src/compare/traffic.js";
import { printPacket } from "../../src/packet/print.js";

function framesIn(batches: readonly Frames[]): Uint8Array[] {
  return batches.flatMap((frames) =>
    Array.from({ length: frames.length / FRAME_WORDS }, (_, index) => {
      const at = frames.byteOffset + index * FRAME_WORDS * 4;
      return new Uint8Array(frames.buffer, at, FRAME_WORDS * 4);
    }),
  );
}

/** `src > dst` as a dump prints it. */
const wayOf = (frame: Uint8Array) => printPacket(frame).split(": ")[0] ?? "";

describe("shuffled", () => {
  it("keeps every value and depends on the seed alone", () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.nat(), (values, seed) => {
        const once = shuffled(values, randomOf(seed));
        expect(shuffled(values, randomOf(seed))).toEqual(once);
        expect([...once].sort()).toEqual([...values].sort());
      }),
    );
  });

  it("puts every value everywhere about as often", () => {
    const random = randomOf(1);
    const counts = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
    for (let time = 0; time < 4000; time++) {
      shuffled([0, 1, 2, 3], random).forEach((value, place) => {
        (counts[value] as number[])[place] = (counts[value]?.[place] ?? 0) + 1;
      });
    }
    for (const count of counts.flat()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});

describe("drawUniform", () => {
  it("draws every value as often as any other, give or take one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.nat(500), fc.nat(), (values, count, seed) => {
        const drawn = drawUniform([...Array(values).keys()], count, seed);
        expect(drawn).toHaveLength(count);
        const times = Array.from(
          { length: values },
          (_, value) => drawn.filter((one) => one === value).length,
        );
        expect(Math.max(...times) - Math.min(...times)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("trafficTo", () => {
  const destinations = [
    { name: "a", address: 0x0a600001, port: 80, protocol: "TCP" },
    { name: "b", address: 0x0a600002, port: 53, protocol: "UDP" },
    { name: "c", address: 0x0a600003, port: 443, protocol: "TCP" },
  ] as const;
  const sources = [0x0af40105, 0x0af40106];

  it("makes every packet a flow of its own, in whole batches", () => {
    const { uniform } = trafficTo(destinations, sources, 1);
    for (const frames of uniform) expect(frames).toHaveLength(BATCH_LEN * FRAME_WORDS);
    const ways = framesIn(uniform).map((frame) => wayOf(frame).split(" > ")[0]);
    expect(new Set(ways).size).toBe(uniform.length * BATCH_LEN);
  });

  it("sends the middle of exactly the flows that it opens", () => {
    const { uniform, middle } = trafficTo(destinations, sources, 1);
    const [opening, later] = [framesIn(uniform), framesIn(middle)];
    expect(later.map(wayOf)).toEqual(opening.map(wayOf));
    expect(opening.map((frame) => printPacket(frame)).some((line) => line.includes("Flags [S]"))).toBe(true);
    expect(later.map((frame) => printPacket(frame)).every((line) => !line.includes("Flags [S]"))).toBe(true);
  });

  it("sends to the first and the last destination alone", () => {
    const { first, last } = trafficTo(destinations, sources, 1);
    expect(new Set(framesIn([first]).map((frame) => wayOf(frame).split(" > ")[1]))).toEqual(
      new Set(["10.96.0.1.80"]),
    );
    expect(new Set(framesIn([last]).map((frame) => wayOf(frame).split(" > ")[1]))).toEqual(
      new Set(["10.96.0.3.443"]),
    );
  });

  it("is the same for the same seed and another for another", () => {
    const ways = (seed: number) => framesIn(trafficTo(destinations, sources, seed).uniform).map(wayOf);
    expect(ways(3)).toEqual(ways(3));
    expect(ways(3)).not.toEqual(ways(4));
  });
});
