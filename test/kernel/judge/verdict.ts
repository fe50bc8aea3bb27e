import type { DifferenceGroup } from "./tally.js";
import type { Trial } from "./trial.js";

/** Chance alone makes the kernel's draws look less even than this once in a million runs. */
const IMPROBABLE = 1e-6;

/** One row of the result: a trial in numbers. */
interface Row {
  readonly mode: string;
  readonly packets: number;
  readonly flows: number;
  /** Packets that were not the first of their conversation. */
  readonly later: number;
  readonly madeOnNode: number;
  readonly forwarded: number;
  readonly delivered: number;
  readonly dropped: number;
  readonly answered: number;
  /** Packets that the machine does not judge. */
  readonly punted: number;
  readonly differences: number;
}

export function rowOf({ mode, tally }: Trial): Row {
  const { packets, flows, later, made, forwarded, delivered, dropped, answered } = tally;
  const punted = [...tally.punted.values()].reduce((sum, count) => sum + count, 0);
  const fates = { forwarded, delivered, dropped, answered, punted };
  return { mode, packets, flows, later, madeOnNode: made, ...fates, differences: tally.differing };
}

const TITLES: Readonly<Record<keyof Row, string>> = {
  mode: "mode",
  packets: "packets",
  flows: "flows",
  later: "not first",
  madeOnNode: "made on the node",
  forwarded: "forwarded",
  delivered: "delivered",
  dropped: "dropped",
  answered: "answered by ICMP",
  punted: "not judged",
  differences: "differences",
};

/** The result as a Markdown table, as it stands in the README. */
export function printTable(trials: readonly Trial[]): string {
  const names = Object.keys(TITLES) as (keyof Row)[];
  const cell = (value: string | number) =>
    typeof value === "number" ? value.toLocaleString("en-GB") : value;
  const lines = [
    names.map((name) => TITLES[name]),
    names.map((name) => (name === "mode" ? "---" : "---:")),
    ...trials.map(rowOf).map((row) => names.map((name) => cell(row[name]))),
  ];
  return lines.map((line) => `| ${line.join(" | ")} |\n`).join("");
}

/** What was not as it should be, a sentence each. */
export function faultsOf({ mode, tally, missed, draws }: Trial): string[] {
  const faults: string[] = [];
  if (tally.differing > 0) faults.push(`${mode}: kernel and machine differ in ${tally.differing} packets.`);
  if (missed > 0)
    faults.push(`${mode}: captures had no room for ${missed} packets; run it on a quieter machine.`);
  if (draws.probability < IMPROBABLE) {
    faults.push(
      `${mode}: endpoints are not drawn evenly: ${draws.counts.join(", ")} (χ² ${draws.chiSquare.toFixed(1)}).`,
    );
  }
  if (tally.later * 5 < tally.packets)
    faults.push(`${mode}: less than a fifth are later packets of a conversation.`);
  return faults;
}

/** Kinds of differences, each with its first packet. */
export function printDifferences(groups: readonly DifferenceGroup[], most: number): string {
  const shown = groups.slice(0, most).map(({ what, count, example }) => {
    return [`${count} × ${what}`, ...example.map((line) => `    ${line}`), ""].join("\n");
  });
  const rest = groups.length - shown.length;
  return [...shown, ...(rest > 0 ? [`and ${rest} more kinds of differences\n`] : [])].join("");
}
