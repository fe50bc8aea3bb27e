import type { DifferenceGroup } from "./tally.js";
import type { Trial } from "./trial.js";

/** Chance alone makes the kernel's draws look less even than this once in a million runs. */
const IMPROBABLE = 1e-6;

const sumOf = (counts: Readonly<Record<string, number>>) =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/** Columns of the result. */
const COLUMNS: readonly (readonly [string, (trial: Trial) => string | number])[] = [
  ["mode", ({ mode }) => mode],
  ["IP", ({ families }) => families.map((family) => `v${family}`).join(" and ")],
  ["Linux", ({ kernel }) => kernel],
  ["packets", ({ packets }) => packets],
  ["flows", ({ flows }) => flows],
  ["not first", ({ later }) => later],
  ["made on the node", ({ madeOnNode }) => madeOnNode],
  ["forwarded", ({ forwarded }) => forwarded],
  ["delivered", ({ delivered }) => delivered],
  ["dropped", ({ dropped }) => dropped],
  ["answered by ICMP", ({ answered }) => answered],
  ["not judged", ({ punted }) => sumOf(punted)],
  ["known gaps", ({ known }) => sumOf(known)],
  ["differences", ({ differing }) => differing],
];

/** The result as a Markdown table, as it stands in the README. */
export function printTable(trials: readonly Trial[]): string {
  const cell = (value: string | number) =>
    typeof value === "number" ? value.toLocaleString("en-GB") : value;
  const isText = ([title]: (typeof COLUMNS)[number]) => ["mode", "IP", "Linux"].includes(title);
  const lines = [
    COLUMNS.map(([title]) => title),
    COLUMNS.map((column) => (isText(column) ? "---" : "---:")),
    ...trials.map((trial) => COLUMNS.map(([, value]) => cell(value(trial)))),
  ];
  return lines.map((line) => `| ${line.join(" | ")} |\n`).join("");
}

/** What was not as it should be, a sentence each. */
export function faultsOf({ mode, packets, later, differing, missed, draws }: Trial): string[] {
  const faults: string[] = [];
  if (differing > 0) faults.push(`${mode}: kernel and machine differ in ${differing} packets.`);
  if (missed > 0)
    faults.push(`${mode}: captures had no room for ${missed} packets; run it on a quieter machine.`);
  if (draws !== undefined && draws.probability < IMPROBABLE) {
    faults.push(
      `${mode}: endpoints are not drawn evenly: ${draws.counts.join(", ")} (χ² ${draws.chiSquare.toFixed(1)}).`,
    );
  }
  if (later * 5 < packets) faults.push(`${mode}: less than a fifth are later packets of a conversation.`);
  return faults;
}

/** What is not judged, and known gaps, with their reasons. */
export function printReasons(trials: readonly Trial[]): string {
  const lines = trials.flatMap(({ mode, punted, known }) => [
    ...Object.entries(punted).map(([reason, count]) => `${mode}: ${count} not judged (${reason})\n`),
    ...Object.entries(known).map(([why, count]) => `${mode}: ${count} known gaps: ${why}\n`),
  ]);
  return lines.join("");
}

/** Kinds of differences, each with its first packet. */
export function printDifferences(groups: readonly DifferenceGroup[], most: number): string {
  const shown = groups.slice(0, most).map(({ what, count, example }) => {
    return [`${count} × ${what}`, ...example.map((line) => `    ${line}`), ""].join("\n");
  });
  const rest = groups.length - shown.length;
  return [...shown, ...(rest > 0 ? [`and ${rest} more kinds of differences\n`] : [])].join("");
}
