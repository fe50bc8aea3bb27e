import { courseOf, type Growth, growthOf } from "./analysis.js";
import type { ComparisonRow, Cost } from "./comparison.js";
import { inMode } from "./mode.js";
import { printMean, printTime } from "./quantity.js";
import { SLIGHT } from "./sameness.js";
import { listed, services } from "./wording.js";

/** Walked less than this factor more is walked as much. */
const FLAT = 1.2;

/**
 * Why a cost grows where the work does not: one finding on the modes whose packets to a single Service stay level
 * (so it is the memory touched), one on those whose packets do not or were not measured so.
 */
export function memoryFindings(rows: readonly ComparisonRow[]): readonly string[] {
  const growths = growthOf(rows, (row) => row.newConnection).filter(
    ({ from, to, course, factor }) =>
      course === "grows" && factor >= SLIGHT && to.walked < FLAT * from.walked,
  );
  const explained = growths.filter(isLevelAlone);
  const open = growths.filter((growth) => !isLevelAlone(growth));
  return [
    ...(explained.length === 0
      ? []
      : [
          `${workOf(explained)} So what grows is not the work but the memory that packets to many Services touch: cache misses of this machine's processor. With every packet to one Service the cost stays level: ${listed(explained.map(aloneOf))}.`,
        ]),
    ...(open.length === 0 ? [] : [`${workOf(open)} What else makes it grow these numbers do not tell.`]),
  ];
}

function workOf(growths: readonly Growth[]): string {
  const walks = growths.map(
    ({ mode, from, to }) => `${printMean(to.walked)} against ${printMean(from.walked)} in ${inMode(mode)}`,
  );
  return `A new connection walks about as many rules or probes at the largest size as at the smallest (${listed(walks)}), though its cost grows.`;
}

function aloneOf({ mode, from, to }: Growth): string {
  const time = (cost: Cost | undefined) => (cost === undefined ? "-" : printTime(cost.p50));
  return `to the first of ${services(to.services)} ${time(to.newConnectionFirst)} in ${inMode(mode)} (of ${services(from.services)}: ${time(from.newConnectionFirst)})`;
}

function isLevelAlone({ from, to }: Growth): boolean {
  return [
    [from.newConnectionFirst, to.newConnectionFirst],
    [from.newConnectionLast, to.newConnectionLast],
  ].every(
    ([before, after]) =>
      before !== undefined && after !== undefined && ["level", "falls"].includes(courseOf(before, after)),
  );
}
