import type { NativeReport, Row } from "./rows.js";

/** Said with every result: what the numbers are not. */
export const NO_IO =
  "Nothing here includes input or output: packets, keys and tables lie in memory before the clock starts, on both sides.";

const ns = (value: number) => value.toFixed(value < 10 ? 2 : 1);
const ratio = (value: number) => value.toFixed(2);

const HEAD = ["work", "keys", "ours, ns", "best peer", "peer, ns", "ratio", "low – high", "goal"] as const;
const LEFT = new Set([0, 1, 3]);

function cells(row: Row): readonly string[] {
  const [low, high] = row.spread;
  return [
    row.work,
    row.keys,
    ns(row.ours_ns),
    row.peer,
    ns(row.peer_ns),
    ratio(row.ratio),
    `${ratio(low)} – ${ratio(high)}`,
    row.goal === undefined ? "" : `≤ ${row.goal}`,
  ];
}

/** Lines that are equal in these columns to the line before are easier to read without them. */
function withoutRepetition(rows: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return rows.map((row, index) =>
    row.map((cell, column) => (column === 0 && rows[index - 1]?.[0] === cell ? "" : cell)),
  );
}

/** Of the whole way, in millions of packets a second: what is aimed at, by how the keys' names begin. */
const MPPS_GOALS: Readonly<Record<string, number>> = { "10k flows": 40, "1M flows": 25 };

function throughput(rows: readonly Row[]): readonly string[] {
  const whole = rows.filter(({ work }) => work.startsWith("whole way"));
  const said = Object.entries(MPPS_GOALS).flatMap(([flows, goal]) => {
    const best = Math.min(...whole.filter(({ keys }) => keys.startsWith(flows)).map((row) => row.ours_ns));
    return Number.isFinite(best) ? [`${(1000 / best).toFixed(1)} at ${flows} (goal ${goal})`] : [];
  });
  return said.length === 0
    ? []
    : [`The whole way, in millions of packets a second of one core: ${said.join(", ")}.`];
}

function remarks({ rows, missing, skipped }: NativeReport): readonly string[] {
  return [
    ...throughput(rows),
    ...missing.map(
      ({ work, keys, lacks }) => `${work}, ${keys}: not there yet (the machine has no ${lacks}).`,
    ),
    ...skipped,
  ];
}

/** The table for a terminal, what is missing, and what the numbers are not. */
export function printReport(report: NativeReport): string {
  const table = [HEAD, ...withoutRepetition(report.rows.map(cells))];
  const widths = HEAD.map((_, column) => Math.max(...table.map((row) => [...(row[column] ?? "")].length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return LEFT.has(column) ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd(),
  );
  return [report.machine, "", ...lines, "", ...remarks(report), NO_IO, ""].join("\n");
}

const METHOD =
  "Both sides read the same files of tables and keys and agree on every result before anything is timed; then they " +
  "take turns on one core. A turn's time is the lowest decile of its passes, a time in the table the median of the " +
  "rounds, for one key or packet; the ratio is ours to the best native variant's, with the rounds' lowest and highest.";

/** The README's section: machine, method, table. */
export function printMarkdown(report: NativeReport): string {
  const rounds = Math.min(...report.rows.map((row) => row.rounds));
  const line = (row: readonly string[]) => `| ${row.join(" | ")} |`;
  return [
    `${report.machine}; ${rounds} rounds.`,
    METHOD,
    NO_IO,
    "",
    line(HEAD),
    line(HEAD.map((_, column) => (LEFT.has(column) ? "---" : "--:"))),
    ...withoutRepetition(report.rows.map(cells)).map(line),
    ...remarks(report).flatMap((remark) => ["", remark]),
  ].join("\n");
}
