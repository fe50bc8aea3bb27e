import { type Chooser, choosersOf, destinationsOf, slopeIfGrowing } from "./choosers.js";
import type { SchedulerRow } from "./comparison.js";
import { printable } from "./markup.js";
import { printAmount, printCount } from "./quantity.js";
import type { TableOptions } from "./table.js";

type Rows = readonly SchedulerRow[];

const TITLE = "new connection to one Service, ns, by its endpoints (destinations)";
const EACH = "each more";

/** What a way of choosing costs at a number of destinations, ns; `-` where that was not measured. */
export function costCell({ rows }: Chooser, destinations: number): string {
  const cost = rows.find((row) => row.destinations === destinations)?.newConnection;
  return cost === undefined ? "-" : printAmount(cost.p50);
}

/** What a destination more adds, ns; `-` where the cost does not grow with them. */
export function slopeCell(chooser: Chooser): string {
  const slope = slopeIfGrowing(chooser);
  return slope === undefined ? "-" : printAmount(slope);
}

/** A line a way of choosing, a column a number of destinations. Ends with a line end; "" for no rows. */
export function printSchedulerTable(rows: Rows, { paint = (text) => text }: TableOptions = {}): string {
  if (rows.length === 0) return "";
  const sizes = destinationsOf(rows);
  const lines = choosersOf(rows).map((chooser) => [
    printable(chooser.name),
    ...sizes.map((size) => costCell(chooser, size)),
    ...(sizes.length > 1 ? [slopeCell(chooser)] : []),
  ]);
  const head = ["mode", ...sizes.map(printCount), ...(sizes.length > 1 ? [EACH] : [])];
  const widths = head.map((_, column) =>
    Math.max(...[head, ...lines].map((cells) => cells[column]?.length ?? 0)),
  );
  const [first = 0] = widths;
  const aligned = (cells: readonly string[]) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(first) : cell.padStart(widths[i] ?? 0))).join("  ");
  return [paint(TITLE, "header"), paint(aligned(head), "header"), ...lines.map(aligned), ""].join("\n");
}
