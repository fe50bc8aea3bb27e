import type { ComparisonRow, Cost } from "./comparison.js";

/** Fewer rounds than this have no spread worth the name: one bad round would pass for a difference. */
export const ROUNDS_MIN = 3;

/** Costs closer than this factor are the same. */
const SAME = 1.05;

/** Lowest and highest round, ns; the median for both where the rounds are not known. */
export function rangeOf(cost: Cost): readonly [number, number] {
  return cost.spread ?? [cost.p50, cost.p50];
}

/** Whether two costs cannot be told apart: their spreads touch, or medians or lowest rounds differ by less than 5 %. */
export function alike(a: Cost, b: Cost): boolean {
  const [[aLow, aHigh], [bLow, bHigh]] = [rangeOf(a), rangeOf(b)];
  return (aLow <= bHigh && bLow <= aHigh) || near(a.p50, b.p50) || near(aLow, bLow);
}

/** The range of one cost divided by another that the spreads leave open, ends ascending. */
export function ratioRange(dividend: Cost, divisor: Cost): readonly [number, number] {
  const [[low, high], [least, most]] = [rangeOf(dividend), rangeOf(divisor)];
  return [low / most, high / least];
}

/** The rounds of the row with the fewest; undefined where none says. */
export function fewestRounds(rows: readonly Pick<ComparisonRow, "rounds">[]): number | undefined {
  const known = rows.flatMap(({ rounds }) => (rounds === undefined ? [] : [rounds]));
  return known.length === 0 ? undefined : Math.min(...known);
}

/** Whether the rows had too few rounds for any ratio between them to be claimed. */
export function areTooFew(rows: readonly Pick<ComparisonRow, "rounds">[]): boolean {
  return (fewestRounds(rows) ?? ROUNDS_MIN) < ROUNDS_MIN;
}

function near(a: number, b: number): boolean {
  return Math.max(a, b) < SAME * Math.min(a, b);
}
