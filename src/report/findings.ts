import { type Growth, growthOf, largestRows, rowsOf } from "./analysis.js";
import type { ComparisonRow, Cost } from "./comparison.js";
import { crossoverFindings } from "./crossovers.js";
import { memoryFindings } from "./memory.js";
import { inMode, modeName } from "./mode.js";
import { printBytes, printCount, printMean, printRatio, printTime } from "./quantity.js";
import {
  areDisturbed,
  areTooFew,
  disturbanceOf,
  ROUNDS_MIN,
  rangeOf,
  type Standing,
  standingOf,
} from "./sameness.js";
import { clusterIPShare, listed, ratio, rounds, services } from "./wording.js";

type Rows = readonly ComparisonRow[];

/** The one sentence on top: the dearest mode against the cheapest at the largest size, if the rounds can tell. */
export function headline(rows: Rows): string {
  const largest = largestRows(rows);
  const rising = byCost(largest);
  const [cheapest, dearest] = [rising.at(0), rising.at(-1)];
  if (cheapest === undefined || dearest === undefined) return "Nothing was measured";
  const at = `At ${services(dearest.services)}`;
  const where = `${at} a new connection`;
  if (cheapest === dearest)
    return `${where} costs ${printTime(dearest.newConnection.p50)} in ${inMode(dearest.mode)}`;
  if (areTooFew(largest)) return `${at} ${rounds(largest)} cannot tell what a new connection costs by mode`;
  const costs = largest.map(({ newConnection }) => newConnection);
  if (costs.every((a) => costs.every((b) => standingOf(a, b) === "same")))
    return `${where} costs the same in every mode, as far as ${rounds(largest)} can tell`;
  if (standingOf(dearest.newConnection, cheapest.newConnection) !== "differ")
    return `${at} ${farApart(largest, costs)} what a new connection costs by mode`;
  return `${where} costs ${excess(dearest, cheapest)} in ${inMode(dearest.mode)} as in ${inMode(cheapest.mode)}`;
}

/**
 * What the rows of one input say, in sentences, the most telling first. Says so where the usual is not so; makes no
 * claim about differences where there were too few rounds.
 */
export function findings(rows: Rows): readonly string[] {
  const differences = areTooFew(rows)
    ? []
    : [growthFinding(rows), ...memoryFindings(rows), ...crossoverFindings(rows), placeFinding(rows)];
  return [
    costFinding(rows),
    busyFinding(rows),
    ...differences,
    establishedFinding(rows),
    resourceFinding(rows),
    shareFinding(rows),
  ].filter((sentence) => sentence !== undefined);
}

function costFinding(rows: Rows): string | undefined {
  const largest = largestRows(rows);
  const [dearest, ...others] = byCost(largest).reverse();
  if (dearest === undefined) return undefined;
  const costs = listed(largest.map((row) => `${printTime(row.newConnection.p50)} in ${inMode(row.mode)}`));
  const sentence = `At ${services(dearest.services)} a new connection costs ${costs}`;
  if (others.length === 0) return `${sentence}.`;
  if (areTooFew(largest))
    return `${sentence}. But ${rounds(largest)} cannot tell a difference from a disturbance: measure with ${ROUNDS_MIN} or more.`;
  return `${sentence}: ${standingWords(dearest, others)}.`;
}

/** What the dearest costs, measured by each of the others. */
function standingWords(dearest: ComparisonRow, others: Rows): string {
  const all = [dearest, ...others];
  const those = (standing: Standing) =>
    others.filter((other) => standingOf(dearest.newConnection, other.newConnection) === standing);
  const names = (rows: Rows) => listed(rows.map(({ mode }) => modeName(mode)));
  const [more, same, unknown] = [those("differ"), those("same"), those("unknown")];
  const limit = `as far as ${rounds(all)} can tell`;
  if (same.length === others.length) return `the same, ${limit}`;
  const ratios = more.map((other) => `${excess(dearest, other)} as ${modeName(other.mode)}`);
  const known = [
    ...(more.length === 0 ? [] : [listed(ratios)]),
    ...(same.length === 0 ? [] : [`the same as ${names(same)} ${limit}`]),
  ];
  const costs = [dearest, ...unknown].map(({ newConnection }) => newConnection);
  return [
    ...(known.length === 0 ? [] : [`${modeName(dearest.mode)} costs ${known.join(", ")}`]),
    ...(unknown.length === 0
      ? []
      : [`${farApart(all, costs)} whether ${modeName(dearest.mode)} costs more than ${names(unknown)}`]),
  ].join("; ");
}

/** `5 rounds are too far apart (the machine was busy) to tell`: no difference is claimed, and no sameness. */
function farApart(rows: Rows, costs: readonly Cost[]): string {
  return `${rounds(rows)} are too far apart${areDisturbed(costs) ? " (the machine was busy)" : ""} to tell`;
}

function busyFinding(rows: Rows): string | undefined {
  const costs = rows.flatMap(({ newConnection, established }) => [newConnection, established]);
  if (!areDisturbed(costs)) return undefined;
  return `The machine was busy with something else: the slowest of ${rounds(rows)} took up to ${printRatio(disturbanceOf(costs))} as long as the fastest. Measure again when it is idle.`;
}

function growthFinding(rows: Rows): string | undefined {
  const growths = growthOf(rows, (row) => row.newConnection);
  const [first] = growths;
  if (first === undefined) return undefined;
  const { from, to } = first;
  const span = `From ${printCount(from.services)} to ${services(to.services)} (${printRatio(to.services / from.services)} as many)`;
  const unbent = growths.find(
    ({ mode, course }) => mode === "iptables" && (course === "level" || course === "falls"),
  );
  const end = unbent === undefined ? "" : unbentSentence(unbent);
  return `${span} the cost of a new connection ${growthClauses(growths)}.${end}`;
}

function growthClauses(growths: readonly Growth[]): string {
  const times = ({ from, to }: Growth) => ratio(to.newConnection, from.newConnection);
  const those = (course: Growth["course"]) => growths.filter((growth) => growth.course === course);
  const grown = [...those("grows")].sort((a, b) => b.factor - a.factor);
  const where = (some: readonly Growth[]) =>
    listed(some.map((growth) => `${inMode(growth.mode)} (${times(growth)})`));
  const clauses = [
    ...(grown.length === 0
      ? []
      : [`grows ${listed(grown.map((one) => `${times(one)} in ${inMode(one.mode)}`))}`]),
    ...(those("level").length === 0 ? [] : [`stays level in ${where(those("level"))}`]),
    ...(those("open").length === 0 ? [] : [`may have changed or not in ${where(those("open"))}`]),
    ...(those("falls").length === 0 ? [] : [`falls in ${where(those("falls"))}`]),
  ];
  return clauses.join("; it ");
}

function unbentSentence({ from, to }: Growth): string {
  const walked =
    to.walked > 1.2 * from.walked
      ? `, though it walks ${printMean(to.walked)} rules instead of ${printMean(from.walked)}`
      : "";
  return ` So iptables mode does not bend here: as far as ${rounds([from, to])} can tell its cost does not follow the number of Services over these sizes${walked}.`;
}

function placeFinding(rows: Rows): string | undefined {
  const row = rowsOf(rows, "iptables").at(-1);
  const [first, last] = [row?.newConnectionFirst, row?.newConnectionLast];
  if (row === undefined || first === undefined || last === undefined) return undefined;
  const where = `In iptables mode the last of ${services(row.services)} costs`;
  const standing = standingOf(first, last);
  if (standing === "differ")
    return `${where} ${printTime(last.p50)}, the first ${printTime(first.p50)}: the place in the list makes it ${ratio(last, first)} as much.`;
  const ranged = (cost: typeof first) =>
    `${printTime(cost.p50)} (${rangeOf(cost).map(printTime).join(" to ")})`;
  const verdict =
    standing === "same"
      ? `the same, as far as ${rounds([row])} can tell`
      : `${farApart([row], [first, last])} whether the place in the list matters`;
  return `${where} ${ranged(last)}, the first ${ranged(first)}: ${verdict}.`;
}

function establishedFinding(rows: Rows): string | undefined {
  const largest = largestRows(rows);
  if (largest.length === 0) return undefined;
  const costs = listed(largest.map((row) => `${printTime(row.established.p50)} in ${inMode(row.mode)}`));
  const sentence = `A packet of a connection that is already known costs ${costs}`;
  const growths = growthOf(rows, (row) => row.established);
  const [first] = growths;
  if (first === undefined || areTooFew(rows)) return `${sentence}.`;
  const then = `at ${services(first.from.services)}`;
  if (growths.every(({ course }) => course === "level"))
    return `${sentence}, the same as ${then} as far as ${rounds(rows)} can tell.`;
  const clauses = growths.map((growth) => `${establishedWords(growth)} in ${inMode(growth.mode)}`);
  return `${sentence}; measured by its cost ${then} that is ${listed(clauses)}.`;
}

function establishedWords({ from, to, course }: Growth): string {
  if (course === "level") return "the same";
  const times = ratio(to.established, from.established);
  return course === "open" ? `${times} (too far apart to tell)` : times;
}

function resourceFinding(rows: Rows): string | undefined {
  const largest = largestRows(rows);
  const [first] = largest;
  if (first === undefined) return undefined;
  const bytes = listed(largest.map((row) => `${printBytes(row.tableBytes)} in ${inMode(row.mode)}`));
  const times = listed(largest.map((row) => `${printTime(row.compileMs * 1e6)} in ${inMode(row.mode)}`));
  return `The tables of ${services(first.services)} take ${bytes}; compiling them takes ${times}.`;
}

function shareFinding(rows: Rows): string | undefined {
  const share = clusterIPShare(rows);
  return share === undefined ? undefined : `${share}: only to these were packets sent.`;
}

function excess(dearer: ComparisonRow, cheaper: ComparisonRow): string {
  return `${ratio(dearer.newConnection, cheaper.newConnection)} as much`;
}

function byCost(rows: Rows): ComparisonRow[] {
  return [...rows].sort((a, b) => a.newConnection.p50 - b.newConnection.p50);
}
