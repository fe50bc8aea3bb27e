import { describe, expect, it } from "vitest";
import {
  printAmount,
  printBytes,
  printMean,
  printRatio,
  printRatioRange,
  printShortCount,
  printTime,
} from "../../src/report/quantity.js";

describe("quantities in words", () => {
  it.each([
    [0, "0 ns"],
    [0.45, "0.45 ns"],
    [9.96, "10 ns"],
    [91.4, "91 ns"],
    [99.6, "100 ns"],
    [999.4, "999 ns"],
    [999.6, "1 µs"],
    [41_235, "41 µs"],
    [1_250_000, "1.3 ms"],
    [4.2e12, "4,200 s"],
  ])("time %d ns is %s", (ns, text) => {
    expect(printTime(ns)).toBe(text);
  });

  it("bytes are decimal", () => {
    expect([640, 999, 1000, 8_214_000, 3e9].map(printBytes)).toEqual([
      "640 B",
      "999 B",
      "1 KB",
      "8.2 MB",
      "3 GB",
    ]);
  });

  it("counts for an axis", () => {
    expect([1, 100, 1000, 20_000, 2_500_000].map(printShortCount)).toEqual(["1", "100", "1k", "20k", "2.5M"]);
  });

  it("ratios, means and amounts", () => {
    expect([1200, 455.6, 9.97, 1.12, 1, 0.052].map(printRatio)).toEqual([
      "1,200 times",
      "460 times",
      "10 times",
      "1.1 times",
      "1.0 times",
      "0.052 times",
    ]);
    expect([20_012.4, 1.12, 7].map(printMean)).toEqual(["20,012", "1.1", "7"]);
    expect(printRatioRange(8.14, 12)).toBe("8.1 to 12 times");
    expect(printRatioRange(11.9, 12.1)).toBe("12 times");
    expect([41_235.4, 99.96, 91.44, 9.994, 0.08].map(printAmount)).toEqual([
      "41,235",
      "100",
      "91.4",
      "9.99",
      "0.08",
    ]);
  });
});
