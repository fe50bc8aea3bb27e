import { expect, it } from "vitest";
import { measureCase } from "../../bench/measure.js";
import { printResult } from "../../bench/print.js";

const spin = (ms: number) => () => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

it("times contenders in turn and compares them with the first", async () => {
  const contenders = [
    { name: "quick", run: spin(0.2) },
    { name: "slow", run: spin(0.8) },
  ];
  const result = await measureCase("topic", { name: "case", unit: "step", count: 1000, contenders }, 30);
  const [quick, slow] = result.contenders;
  expect(quick?.ratio).toBe(1);
  expect(slow?.ns).toBeGreaterThan(quick?.ns ?? 0);
  expect(slow?.ratio).toBeGreaterThan(1);
  expect(quick?.spread[0]).toBeLessThanOrEqual(quick?.ns ?? 0);
  const lines = printResult(result).split("\n");
  expect(lines[0]).toMatch(/^topic: case +quick +[0-9.]+\/step/);
  expect(lines[1]).toMatch(/^ +slow +[0-9.]+\/step .* – .* [0-9.]+$/);
});
