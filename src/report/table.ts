import type { Column } from "./columns.js";
import { columnsOf, everyColumn } from "./columns.js";
import { type Comparison, type ComparisonRow, groupRows } from "./comparison.js";
import { wrapText } from "./labels.js";
import { printable } from "./markup.js";
import { roundRow } from "./rounding.js";
import { areTooFew, standingOf } from "./sameness.js";
import { groupTitle } from "./wording.js";

/** What a piece of the table is, for a caller that emphasises: `best` is the cheapest new connection of a size. */
export type Emphasis = "header" | "best";

export interface TableOptions {
  /** Columns of the terminal; where they do not suffice, the less telling columns are left out. */
  readonly width?: number;
  /** Emphasis that takes no room, ANSI colours for instance; the table reads the same without. */
  readonly paint?: (text: string, emphasis: Emphasis) => string;
}

const GAP = "  ";

/**
 * The comparison as an aligned text table, a line a row, as measured; rows of several inputs stand under their input's
 * name. Ends with a line end.
 */
export function printComparisonTable(comparison: Comparison, options: TableOptions = {}): string {
  const paint = options.paint ?? ((text: string) => text);
  const columns = fitColumns(columnsOf(comparison), comparison.rows, options.width);
  const widths = widthsOf(columns, comparison.rows);
  const header = headerLines(columns, widths).map((line) => paint(line, "header"));
  const best = cheapestRows(comparison);
  const drawRow = (row: ComparisonRow) => {
    const line = columns.map((column, i) => align(cellText(column, row), column, widths[i] ?? 0));
    const cheapest = columns.findIndex((column) => column.name === "new_connection_p50_ns");
    if (best.has(row)) line[cheapest] = paint(line[cheapest] ?? "", "best");
    return line.join(GAP).trimEnd();
  };
  const lines = groupRows(comparison).flatMap((group, _, groups) => {
    const title = groupTitle(group, groups.length);
    const heading = title === undefined ? [] : wrapText(printable(title), options.width ?? Infinity, 1);
    return [...heading.map((line) => paint(line, "header")), ...group.rows.map(drawRow)];
  });
  return [...header, ...lines, ""].join("\n");
}

/** The comparison as CSV (RFC 4180, but lines end in LF): a header of stable names, numbers as in JSON. */
export function printComparisonCsv(comparison: Comparison): string {
  const columns = everyColumn(comparison);
  const header = columns.map((column) => column.name).join(",");
  const rows = comparison.rows.map(roundRow);
  const lines = rows.map((row) => columns.map((column) => csvField(column.value(row))).join(","));
  return [header, ...lines, ""].join("\n");
}

/** A cell as people read it; `-` where nothing was measured. */
export function cellText(column: Column, row: ComparisonRow): string {
  const value = column.value(row);
  if (value === undefined) return "-";
  return typeof value === "number" ? column.print(value) : printable(value);
}

/**
 * The rows whose new connection is the cheapest of their input and size; none where there is but one mode, or where
 * the rounds cannot tell the cheapest from the next.
 */
export function cheapestRows(comparison: Comparison): ReadonlySet<ComparisonRow> {
  const peersOf = (row: ComparisonRow) =>
    comparison.rows.filter((peer) => peer.services === row.services && peer.input?.name === row.input?.name);
  return new Set(
    comparison.rows.filter((row) => {
      const peers = peersOf(row);
      const others = peers.filter((peer) => peer !== row);
      const isDearer = ({ newConnection: cost }: ComparisonRow) =>
        row.newConnection.p50 < cost.p50 && standingOf(row.newConnection, cost) === "differ";
      return others.length > 0 && !areTooFew(peers) && others.every(isDearer);
    }),
  );
}

function fitColumns(
  columns: readonly Column[],
  rows: readonly ComparisonRow[],
  width: number | undefined,
): readonly Column[] {
  const needed = widthsOf(columns, rows).reduce((sum, each) => sum + each + GAP.length, -GAP.length);
  const first = Math.max(...columns.map((column) => column.dispensable ?? 0));
  if (width === undefined || needed <= width || first === 0) return columns;
  return fitColumns(
    columns.filter((column) => column.dispensable !== first),
    rows,
    width,
  );
}

function widthsOf(columns: readonly Column[], rows: readonly ComparisonRow[]): readonly number[] {
  const widths = columns.map((column) =>
    Math.max(
      column.title.length,
      (column.unit ?? "").length,
      ...rows.map((row) => cellText(column, row).length),
    ),
  );
  for (const group of groupsOf(columns)) {
    const span = widths.slice(group.start, group.end).reduce((sum, each) => sum + each + GAP.length, 0);
    const missing = group.title.length + GAP.length - span;
    if (missing > 0) widths[group.start] = (widths[group.start] ?? 0) + missing;
  }
  return widths;
}

function headerLines(columns: readonly Column[], widths: readonly number[]): readonly string[] {
  const groups = groupsOf(columns);
  const upper = columns.map((column, i) => {
    const width = widths[i] ?? 0;
    const group = groups.find(({ start, end }) => start <= i && i < end);
    if (group === undefined) return align(column.title, column, width) + GAP;
    if (group.start !== i) return "";
    const span = widths.slice(group.start, group.end).reduce((sum, each) => sum + each + GAP.length, 0);
    return group.title.padStart(span - GAP.length) + GAP;
  });
  const lower = columns.map((column, i) =>
    align(column.group === undefined ? (column.unit ?? "") : column.title, column, widths[i] ?? 0),
  );
  return [upper.join("").trimEnd(), lower.join(GAP).trimEnd()];
}

/** Runs of columns under one header: [start, end). */
export function groupsOf(
  columns: readonly Column[],
): readonly { title: string; start: number; end: number }[] {
  const groups: { title: string; start: number; end: number }[] = [];
  columns.forEach((column, i) => {
    const last = groups.at(-1);
    if (column.group === undefined) return;
    if (last?.title === column.group && last.end === i) last.end = i + 1;
    else groups.push({ title: column.group, start: i, end: i + 1 });
  });
  return groups;
}

function align(text: string, column: Column, width: number): string {
  return column.name === "mode" ? text.padEnd(width) : text.padStart(width);
}

function csvField(value: string | number | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "number") return String(value);
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
