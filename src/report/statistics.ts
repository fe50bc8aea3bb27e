import { max, min, median as orderedMedian, quantile as orderedQuantile } from "d3-array";
import type { Cost } from "./comparison.js";

/** The value below which a share `p` (0 to 1) of `values` lies, interpolated linearly. Throws on none. */
export function quantile(values: readonly number[], p: number): number {
  return known(orderedQuantile(values, p));
}

/** The middle of `values`. Throws on none. */
export function median(values: readonly number[]): number {
  return known(orderedMedian(values));
}

/** The lowest and the highest of `values`. Throws on none. */
export function spreadOf(values: readonly number[]): readonly [number, number] {
  return [known(min(values)), known(max(values))];
}

/**
 * The cost that rounds of batches show: medians over the rounds of each round's p50 and p99, with the spread
 * of the p50s. `rounds` holds ns per packet, a number a batch. Throws if there is no round or an empty one.
 */
export function costOf(rounds: readonly (readonly number[])[]): Cost {
  const medians = rounds.map(median);
  const tails = rounds.map((batches) => quantile(batches, 0.99));
  return { p50: median(medians), p99: median(tails), spread: spreadOf(medians) };
}

/** The slope of the least-squares line through the points; undefined unless two of them differ in x. */
export function slopeOf(points: readonly { readonly x: number; readonly y: number }[]): number | undefined {
  const meanX = points.reduce((sum, point) => sum + point.x, 0) / points.length;
  const meanY = points.reduce((sum, point) => sum + point.y, 0) / points.length;
  const xx = points.reduce((sum, point) => sum + (point.x - meanX) ** 2, 0);
  const xy = points.reduce((sum, point) => sum + (point.x - meanX) * (point.y - meanY), 0);
  return xx > 0 ? xy / xx : undefined;
}

function known(value: number | undefined): number {
  if (value === undefined) throw new RangeError("Statistics of no values: measure at least one batch.");
  return value;
}
