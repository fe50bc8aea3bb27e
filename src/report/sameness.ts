import type { ComparisonRow, Cost } from "./comparison.js";

/** Fewer rounds than this have no spread worth the name: one bad round would pass for a difference. */
export const ROUNDS_MIN = 3;

/** Costs of which no round is known are the same within this factor. */
const SAME = 1.05;

/** Costs are the same where no two of their rounds are further apart than this factor. */
export const SLIGHT = 1.25;

/** Rounds of the same packets that are so many times apart were disturbed: nothing in the packets does that. */
const DISTURBED = 1.5;

/** Of two costs: `unknown` where their rounds neither part them nor are close enough to call them the same. */
export type Standing = "differ" | "same" | "unknown";

/** Lowest and highest round, ns; the median for both where the rounds are not known. */
export function rangeOf(cost: Cost): readonly [number, number] {
  return cost.spread ?? [cost.p50, cost.p50];
}

/**
 * What the rounds tell of two costs. Ranges that do not touch are a difference, unless the lowest rounds are the same
 * and a range was disturbed: a disturbance only ever adds.
 */
export function standingOf(a: Cost, b: Cost): Standing {
  if (a.spread === undefined && b.spread === undefined) return near(a.p50, b.p50) ? "same" : "differ";
  const [[aLow, aHigh], [bLow, bHigh]] = [rangeOf(a), rangeOf(b)];
  const isApart = aLow > bHigh || bLow > aHigh;
  if (isApart) return near(aLow, bLow) && areDisturbed([a, b]) ? "unknown" : "differ";
  const [low, high] = ratioRange(a, b);
  return high <= SLIGHT && low >= 1 / SLIGHT ? "same" : "unknown";
}

/** How many times the slowest round took what the fastest took, at most; 1 for no costs. */
export function disturbanceOf(costs: readonly Cost[]): number {
  const factors = costs.map(rangeOf).map(([low, high]) => (low > 0 ? high / low : 1));
  return Math.max(1, ...factors);
}

/** Whether rounds of one of the costs are so far apart that the machine must have been busy with something else. */
export function areDisturbed(costs: readonly Cost[]): boolean {
  return disturbanceOf(costs) >= DISTURBED;
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
