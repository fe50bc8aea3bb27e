import { expect, it, vi } from "vitest";
import { measureCase } from "../../bench/measure.js";
import { printResult } from "../../bench/print.js";

/** The clock that tinybench takes when it is loaded: it goes as contenders say, on a busy machine too. */
const clock = vi.hoisted(() => {
  const own = { ms: 0, real: performance.now };
  performance.now = () => own.ms;
  return own;
});
performance.now = clock.real;

const takes = (ms: number) => () => {
  clock.ms += ms;
};

it("times contenders in turn and compares them with the first", async () => {
  const contenders = [
    { name: "quick", run: takes(0.25) },
    { name: "slow", run: takes(1) },
  ];
  const result = await measureCase("topic", { name: "case", unit: "step", count: 2500, contenders }, 30);
  expect(result.contenders).toEqual([
    { name: "quick", ns: 100, spread: [100, 100], ratio: 1 },
    { name: "slow", ns: 400, spread: [400, 400], ratio: 4 },
  ]);
  const lines = printResult(result).split("\n");
  expect(lines[0]).toMatch(/^topic: case +quick +100\/step +100 – 100$/);
  expect(lines[1]).toMatch(/^ +slow +400\/step +400 – 400 +4.00$/);
});
