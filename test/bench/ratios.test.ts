import { expect, it } from "vitest";
import type { Result } from "../../bench/measure.js";
import { isBelow, printRatios, ratiosOf } from "../../bench/ratios.js";
import { PLAIN, WASM } from "../../bench/topic.js";

const resultOf = (name: string, times: Readonly<Record<string, number>>): Result => ({
  topic: "table",
  name,
  unit: "lookup",
  contenders: Object.entries(times).map(([contender, ratio]) => ({
    name: contender,
    ns: ratio,
    spread: [ratio, ratio],
    ratio,
  })),
});

it("says how fast every case is beside plain TypeScript, and names those below the goal", () => {
  const ratios = ratiosOf([
    resultOf("hit", { [WASM]: 1, [PLAIN]: 2.5, Map: 0.1 }),
    resultOf("miss", { [WASM]: 1, [PLAIN]: 0.85 }),
    resultOf("alone", { [WASM]: 1 }),
    resultOf("even", { [WASM]: 1, [PLAIN]: 0.9 }),
  ]);
  expect(ratios.filter(isBelow).map(({ name }) => name)).toEqual(["miss"]);
  const text = printRatios(ratios);
  expect(text).toMatch(/table: hit +2\.50\ntable: miss +0\.85\ntable: even +0\.90\n/);
  expect(text).toMatch(/\nbelow 0\.9: table: miss \(0\.85\)\.\n$/);
  expect(printRatios(ratios.slice(0, 1))).toMatch(/\nnone is below 0\.9\.\n$/);
  expect(printRatios([])).toBe("");
});
