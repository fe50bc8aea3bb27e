import { alike, crossoverOf, type Growth, growthOf, largestRows, modesOf, rowsOf } from "./analysis.js";
import type { ComparisonRow, Cost } from "./comparison.js";
import { modeName } from "./mode.js";
import { printBytes, printCount, printMean, printRatio, printTime } from "./quantity.js";

type Rows = readonly ComparisonRow[];

/** A cost that changes by less than this factor, up or down, is said to stay level. */
const LEVEL = 1.25;

/** The one sentence on top: the dearest mode against the cheapest at the largest size. */
export function headline(rows: Rows): string {
  const rising = byCost(largestRows(rows));
  const [cheapest, dearest] = [rising.at(0), rising.at(-1)];
  if (cheapest === undefined || dearest === undefined) return "Nothing was measured";
  const where = `At ${services(dearest.services)} a new connection`;
  if (cheapest === dearest)
    return `${where} costs ${printTime(dearest.newConnection.p50)} in ${modeName(dearest.mode)} mode`;
  if (alike(dearest.newConnection, cheapest.newConnection)) return `${where} costs the same in every mode`;
  return `${where} costs ${excess(dearest, cheapest)} in ${modeName(dearest.mode)} mode as in ${modeName(cheapest.mode)} mode`;
}

/** What the rows of one input say, in sentences, the most telling first. Says so where the usual is not so. */
export function findings(rows: Rows): readonly string[] {
  return [
    costFinding(rows),
    growthFinding(rows),
    ...crossoverFindings(rows),
    placeFinding(rows),
    establishedFinding(rows),
    resourceFinding(rows),
  ].filter((sentence) => sentence !== undefined);
}

function costFinding(rows: Rows): string | undefined {
  const largest = largestRows(rows);
  const falling = byCost(largest).reverse();
  const [dearest, ...others] = falling;
  if (dearest === undefined) return undefined;
  const costs = listed(largest.map((row) => `${printTime(row.newConnection.p50)} in ${inMode(row)}`));
  const sentence = `At ${services(dearest.services)} a new connection costs ${costs}`;
  if (others.length === 0) return `${sentence}.`;
  const isSame = (other: ComparisonRow) => alike(dearest.newConnection, other.newConnection);
  const same = others.filter(isSame).map((other) => modeName(other.mode));
  const ratios = others
    .filter((other) => !isSame(other))
    .map((other) => `${excess(dearest, other)} as ${modeName(other.mode)}`);
  if (ratios.length === 0) return `${sentence}: the same, as far as the spreads can tell.`;
  const rest = same.length === 0 ? "" : `, the same as ${listed(same)} as far as the spreads can tell`;
  return `${sentence}: ${modeName(dearest.mode)} costs ${listed(ratios)}${rest}.`;
}

function growthFinding(rows: Rows): string | undefined {
  const growths = growthOf(rows, (row) => row.newConnection);
  const [first] = growths;
  if (first === undefined) return undefined;
  const { from, to } = first;
  const span = `From ${printCount(from.services)} to ${services(to.services)} (${printRatio(to.services / from.services)} as many)`;
  const unbent = growths.find(({ mode, factor }) => mode === "iptables" && factor < LEVEL);
  const end = unbent === undefined ? "" : unbentSentence(unbent);
  return `${span} the cost of a new connection ${listed(growthClauses(growths))}.${end}`;
}

function growthClauses(growths: readonly Growth[]): readonly string[] {
  const grown = growths.filter(({ factor }) => factor >= LEVEL).sort((a, b) => b.factor - a.factor);
  const level = growths.filter(({ factor }) => factor > 1 / LEVEL && factor < LEVEL);
  const fallen = growths.filter(({ factor }) => factor <= 1 / LEVEL);
  const where = (those: readonly Growth[]) =>
    listed(those.map(({ mode, factor }) => `${modeName(mode)} mode (${printRatio(factor)})`));
  return [
    ...grown.map(({ mode, factor }) => `grows ${printRatio(factor)} in ${modeName(mode)} mode`),
    ...(level.length === 0 ? [] : [`stays level in ${where(level)}`]),
    ...(fallen.length === 0 ? [] : [`falls in ${where(fallen)}`]),
  ];
}

function unbentSentence({ from, to }: Growth): string {
  const walked =
    to.walked > LEVEL * from.walked
      ? `, though it walks ${printMean(to.walked)} rules instead of ${printMean(from.walked)}`
      : "";
  return ` So iptables mode does not bend here: its cost does not follow the number of Services over these sizes${walked}.`;
}

function crossoverFindings(rows: Rows): readonly string[] {
  return modesOf(rows)
    .filter((mode) => mode !== "iptables")
    .flatMap((mode) => {
      const found = crossoverOf(rows, "iptables", mode);
      if (found === undefined) return [];
      const [left, right] = found.smallest;
      const small = `${printTime(left.newConnection.p50)} against ${printTime(right.newConnection.p50)}`;
      const other = `${modeName(mode)} mode`;
      if (found.kind === "dearer")
        return [
          `iptables mode is dearer than ${other} at every size measured, from ${services(left.services)} on (${small}).`,
        ];
      if (found.kind === "never")
        return [
          `iptables mode is nowhere clearly dearer than ${other} between ${printCount(left.services)} and ${services(found.largest[0].services)}.`,
        ];
      const about = printCount(Number((found.services ?? 0).toPrecision(2)));
      return [
        `Up to about ${about} Services iptables mode is no dearer than ${other} (at ${printCount(left.services)}: ${small}); beyond, it is.`,
      ];
    });
}

function placeFinding(rows: Rows): string | undefined {
  const row = rowsOf(rows, "iptables").at(-1);
  const [first, last] = [row?.newConnectionFirst, row?.newConnectionLast];
  if (row === undefined || first === undefined || last === undefined) return undefined;
  const costs = `In iptables mode the last of ${services(row.services)} costs ${printTime(last.p50)}, the first ${printTime(first.p50)}`;
  if (alike(first, last)) return `${costs}: the place in the list does not matter.`;
  return `${costs}: the place in the list makes it ${printRatio(last.p50 / first.p50)} as much.`;
}

function establishedFinding(rows: Rows): string | undefined {
  const largest = largestRows(rows);
  if (largest.length === 0) return undefined;
  const costs = listed(largest.map((row) => `${printTime(row.established.p50)} in ${inMode(row)}`));
  const sentence = `A packet of a connection that is already known costs ${costs}`;
  const growths = growthOf(rows, (row) => row.established);
  const [first] = growths;
  if (first === undefined) return `${sentence}.`;
  const then = `at ${services(first.from.services)}`;
  if (growths.every(({ from, to }) => alike(from.established, to.established)))
    return `${sentence}, the same as ${then} as far as the spreads can tell.`;
  const clauses = growths.map(({ mode, factor }) => `${printRatio(factor)} in ${modeName(mode)} mode`);
  return `${sentence}; measured by its cost ${then} that is ${listed(clauses)}.`;
}

function resourceFinding(rows: Rows): string | undefined {
  const largest = largestRows(rows);
  const [first] = largest;
  if (first === undefined) return undefined;
  const bytes = listed(largest.map((row) => `${printBytes(row.tableBytes)} in ${inMode(row)}`));
  const times = listed(largest.map((row) => `${printTime(row.compileMs * 1e6)} in ${inMode(row)}`));
  return `The tables of ${services(first.services)} take ${bytes}; compiling them takes ${times}.`;
}

function excess(dearer: ComparisonRow, cheaper: ComparisonRow): string {
  return `${printRatio(dearer.newConnection.p50 / cheaper.newConnection.p50)} as much`;
}

function byCost(rows: Rows): ComparisonRow[] {
  const cost = (row: ComparisonRow): Cost => row.newConnection;
  return [...rows].sort((a, b) => cost(a).p50 - cost(b).p50);
}

function inMode(row: ComparisonRow): string {
  return `${modeName(row.mode)} mode`;
}

function services(count: number): string {
  return `${printCount(count)} ${count === 1 ? "Service" : "Services"}`;
}

/** `a`, `a and b`, `a, b and c`. */
function listed(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join("");
  return `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}
