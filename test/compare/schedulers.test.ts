import { describe, expect, it } from "vitest";
import { measureSteps } from "../../src/compare/measure.js";
import { measureSchedulers } from "../../src/compare/schedulers.js";
import type { SchedulerRow } from "../../src/report/comparison.js";
import { SCHEDULERS } from "../../src/ruleset/ipvs.js";

const QUICK = { modes: ["iptables", "ipvs", "nftables"], seed: 7, rounds: 1 } as const;

describe("measureSchedulers", () => {
  it("gives every scheduler a row, and the modes beside them, and tells its steps", async () => {
    let steps = 0;
    // More connections than weights: ovf would refuse most of them.
    const rows = await measureSchedulers(3, { ...QUICK, schedulers: SCHEDULERS, onStep: () => steps++ });
    expect(rows.map(({ mode, scheduler }) => [mode, scheduler])).toEqual([
      ["iptables", null],
      ...SCHEDULERS.map((scheduler) => ["ipvs", scheduler]),
      ["nftables", null],
    ]);
    for (const { destinations, rounds, newConnection } of rows) {
      expect([destinations, rounds]).toEqual([3, 1]);
      expect(newConnection.p50).toBeGreaterThan(0);
      expect(newConnection.spread).toEqual([newConnection.p50, newConnection.p50]);
    }
    expect(steps).toBe(measureSteps(QUICK));
  });

  it("has iptables walk half a rule more for each destination, and the others as much", async () => {
    const of = (count: number) => measureSchedulers(count, { ...QUICK, schedulers: ["lc", "sh"] });
    const [few, many] = [await of(8), await of(208)];
    const slopes = many.map((row: SchedulerRow, i) => (row.walked - (few[i]?.walked ?? 0)) / 200);
    expect(slopes[0]).toBeCloseTo(0.5, 1);
    expect(slopes.slice(1)).toEqual([0, 0, 0]);
  });

  it("measures one destination, too", async () => {
    const rows = await measureSchedulers(1, { ...QUICK, modes: ["ipvs"], schedulers: ["twos"] });
    expect(rows).toHaveLength(1);
  });
});
