import { describe, expect, it } from "vitest";
import { courseOf, crossoverOf, growthOf, ruleCost, sizesOf } from "../../src/report/analysis.js";
import type { ComparisonRow } from "../../src/report/comparison.js";
import { areDisturbed, areTooFew, ratioRange, standingOf } from "../../src/report/sameness.js";
import { costAt, rowAt, SERIES, SIZES } from "./fixture.js";

function exactly(mode: string, services: number, p50: number): ComparisonRow {
  return rowAt(mode, services, { newConnection: { p50, p99: p50 } });
}

function against(iptables: readonly number[], ipvs: readonly number[]): readonly ComparisonRow[] {
  const sizes = [10, 1000, 100_000];
  return [
    ...iptables.map((p50, i) => exactly("iptables", sizes[i] ?? 0, p50)),
    ...ipvs.map((p50, i) => exactly("ipvs", sizes[i] ?? 0, p50)),
  ];
}

describe("analysis", () => {
  it("sizes ascend whatever the order", () => {
    expect(sizesOf([...SERIES.rows].reverse())).toEqual(SIZES);
  });

  it("costs differ where ranges do not touch; they are the same only where all rounds are close", () => {
    const between = (low: number, high: number) =>
      ({ p50: (low + high) / 2, p99: 1, spread: [low, high] }) as const;
    expect(standingOf(between(661, 670), between(771, 795))).toBe("differ");
    expect(standingOf(between(99, 101), between(102, 104))).toBe("differ");
    expect(standingOf(between(95, 105), between(104, 112))).toBe("same");
    expect(standingOf(between(90, 110), between(109, 130))).toBe("unknown");
    expect(standingOf(between(1000, 4000), between(1100, 3000))).toBe("unknown");
    // A disturbed range that begins where the other ends.
    expect(standingOf(between(99, 101), between(102, 200))).toBe("unknown");
    expect(standingOf({ p50: 100, p99: 1 }, { p50: 104, p99: 1 })).toBe("same");
    expect(standingOf({ p50: 100, p99: 1 }, { p50: 110, p99: 1 })).toBe("differ");
    expect([between(100, 149), between(100, 150)].map((cost) => areDisturbed([cost]))).toEqual([false, true]);
  });

  it("a ratio is what the spreads leave open", () => {
    const [low, high] = ratioRange(
      { p50: 1000, p99: 1, spread: [900, 1200] },
      { p50: 100, p99: 1, spread: [90, 120] },
    );
    expect([low, high]).toEqual([7.5, 1200 / 90]);
    expect(ratioRange({ p50: 10, p99: 1 }, { p50: 5, p99: 1 })).toEqual([2, 2]);
  });

  it("two rounds are too few, unknown ones are not", () => {
    const rounds = (count: number) => ({ ...rowAt("ipvs", 1), rounds: count });
    expect(areTooFew([rounds(5), rounds(2)])).toBe(true);
    expect(areTooFew([rounds(3)])).toBe(false);
    expect(areTooFew([])).toBe(false);
  });

  it("a cost is level where its rounds are close, open where they are too far apart", () => {
    const loose = { p50: 300, p99: 1, spread: [90, 400] } as const;
    expect(courseOf(costAt(100), costAt(105))).toBe("level");
    expect(courseOf(costAt(100), costAt(108))).toBe("grows");
    expect(courseOf(costAt(108), costAt(100))).toBe("falls");
    expect(courseOf(costAt(100), loose)).toBe("open");
  });

  it("finds where the curves cross, on straight lines in log-log", () => {
    const crossing = crossoverOf(against([10, 100, 1000], [100, 100, 100]), "iptables", "ipvs");
    expect(crossing?.kind).toBe("crosses");
    expect(crossing?.services).toBeCloseTo(1000, 6);
    const between = crossoverOf(against([50, 200, 800], [100, 100, 100]), "iptables", "ipvs");
    expect(between?.services).toBeCloseTo(100, 6);
  });

  it("knows always, never and cannot say", () => {
    expect(crossoverOf(against([200, 300], [100, 100]), "iptables", "ipvs")?.kind).toBe("dearer");
    expect(crossoverOf(against([90, 95], [100, 100]), "iptables", "ipvs")?.kind).toBe("never");
    expect(crossoverOf(against([200], [100]), "iptables", "ipvs")).toBeUndefined();
    expect(crossoverOf(against([200, 300], []), "iptables", "ipvs")).toBeUndefined();
  });

  it("takes the last crossing when the curves cross more than once", () => {
    const found = crossoverOf(against([200, 50, 200], [100, 100, 100]), "iptables", "ipvs");
    expect(found).toMatchObject({ kind: "crosses" });
    expect(found?.services).toBeGreaterThan(1000);
  });

  it("growth and the cost of a rule", () => {
    const rows = [10, 1000].map((walked) =>
      rowAt("iptables", walked, { walked, newConnection: { p50: 60 + 2 * walked, p99: 1 } }),
    );
    expect(growthOf(rows, (row) => row.newConnection)[0]?.factor).toBeCloseTo(2060 / 80, 9);
    expect(ruleCost(rows, "iptables")).toBeCloseTo(2, 9);
    expect(ruleCost(rows, "ipvs")).toBeUndefined();
  });
});
