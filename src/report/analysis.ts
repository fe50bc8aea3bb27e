import type { ComparisonRow, Cost } from "./comparison.js";
import { standingOf } from "./sameness.js";
import { slopeOf } from "./statistics.js";

type Rows = readonly ComparisonRow[];

/** The modes of the rows, in order of first appearance. */
export function modesOf(rows: Rows): readonly string[] {
  return [...new Set(rows.map((row) => row.mode))];
}

/** The numbers of Services measured, ascending. */
export function sizesOf(rows: Rows): readonly number[] {
  return [...new Set(rows.map((row) => row.services))].sort((a, b) => a - b);
}

/** One mode's rows, sizes ascending. */
export function rowsOf(rows: Rows, mode: string): Rows {
  return rows.filter((row) => row.mode === mode).sort((a, b) => a.services - b.services);
}

/** The rows of the largest size. */
export function largestRows(rows: Rows): Rows {
  const largest = sizesOf(rows).at(-1);
  return rows.filter((row) => row.services === largest);
}

/** From one size to another; `open`: the rounds are too far apart to tell. */
export type Course = "grows" | "level" | "falls" | "open";

export interface Growth {
  readonly mode: string;
  readonly from: ComparisonRow;
  readonly to: ComparisonRow;
  /** The later cost divided by the earlier. */
  readonly factor: number;
  readonly course: Course;
}

/** How a cost goes from an earlier to a later size. */
export function courseOf(from: Cost, to: Cost): Course {
  const standing = standingOf(from, to);
  if (standing === "same") return "level";
  if (standing === "unknown") return "open";
  return to.p50 > from.p50 ? "grows" : "falls";
}

/** How each mode's median cost grows from its smallest to its largest size; modes of one size are left out. */
export function growthOf(rows: Rows, cost: (row: ComparisonRow) => Cost): readonly Growth[] {
  return modesOf(rows).flatMap((mode) => {
    const [from, to] = [rowsOf(rows, mode).at(0), rowsOf(rows, mode).at(-1)];
    if (from === undefined || to === undefined || from === to) return [];
    const [before, after] = [cost(from), cost(to)];
    return [{ mode, from, to, factor: after.p50 / before.p50, course: courseOf(before, after) }];
  });
}

export interface Crossover {
  /** `dearer`: at every size; `crosses`: from `services` on; `never`: not even at the largest size. */
  readonly kind: "dearer" | "crosses" | "never";
  readonly services?: number;
  /** Both modes at the smallest and at the largest common size. */
  readonly smallest: readonly [ComparisonRow, ComparisonRow];
  readonly largest: readonly [ComparisonRow, ComparisonRow];
}

/** From which size on a new connection is dearer in mode `a` than in mode `b`; undefined below two common sizes. */
export function crossoverOf(rows: Rows, a: string, b: string): Crossover | undefined {
  const pairs = rowsOf(rows, a).flatMap((left) => {
    const right = rowsOf(rows, b).find((row) => row.services === left.services);
    return right === undefined ? [] : [[left, right] as const];
  });
  const [smallest, largest] = [pairs.at(0), pairs.at(-1)];
  if (smallest === undefined || largest === undefined || pairs.length < 2) return undefined;
  const last = pairs.findLastIndex(([left, right]) => !isDearer(left, right));
  const [before, after] = [pairs[last], pairs[last + 1]];
  if (before === undefined) return { kind: "dearer", smallest, largest };
  if (after === undefined) return { kind: "never", smallest, largest };
  return { kind: "crosses", services: crossingBetween(before, after), smallest, largest };
}

function isDearer(left: ComparisonRow, right: ComparisonRow): boolean {
  const [a, b] = [left.newConnection, right.newConnection];
  return a.p50 > b.p50 && standingOf(a, b) === "differ";
}

/** Where the ratio passes one, on the straight line between two sizes in log-log. */
function crossingBetween(
  before: readonly [ComparisonRow, ComparisonRow],
  after: readonly [ComparisonRow, ComparisonRow],
): number {
  const ratio = (pair: readonly [ComparisonRow, ComparisonRow]) =>
    Math.log(pair[0].newConnection.p50 / pair[1].newConnection.p50);
  const [low, high] = [ratio(before), ratio(after)];
  if (low >= 0) return before[0].services;
  const share = -low / (high - low);
  return before[0].services * (after[0].services / before[0].services) ** share;
}

/** What a rule walked adds to a new connection, ns: the slope over all sizes; undefined if `walked` never changes. */
export function ruleCost(rows: Rows, mode: string): number | undefined {
  return slopeOf(rowsOf(rows, mode).map((row) => ({ x: row.walked, y: row.newConnection.p50 })));
}
