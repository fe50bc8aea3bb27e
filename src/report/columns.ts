import type { Comparison, ComparisonRow } from "./comparison.js";
import { printAmount, printCount, printMean } from "./quantity.js";

/** A column of the comparison's table, as every output prints it. */
export interface Column {
  /** Its name in CSV: stable. */
  readonly name: string;
  /** The header it shares with its neighbours, with their unit. */
  readonly group?: string;
  readonly title: string;
  readonly unit?: string;
  /** The width that is short takes the highest away first; columns without a number always stay. */
  readonly dispensable?: number;
  readonly value: (row: ComparisonRow) => string | number | undefined;
  readonly print: (value: number) => string;
}

const NEW = "new connection, ns";
const KNOWN = "established, ns";

const COLUMNS: readonly Column[] = [
  { name: "mode", title: "mode", value: (row) => row.mode, print: String },
  { name: "services", title: "Services", value: (row) => row.services, print: printCount },
  {
    name: "endpoints",
    title: "endpoints",
    dispensable: 3,
    value: (row) => row.endpoints,
    print: printCount,
  },
  cost("new_connection_p50_ns", NEW, "p50", (row) => row.newConnection.p50),
  cost("new_connection_p99_ns", NEW, "p99", (row) => row.newConnection.p99, 2),
  cost("new_connection_low_ns", NEW, "low", (row) => row.newConnection.spread?.[0], 6),
  cost("new_connection_high_ns", NEW, "high", (row) => row.newConnection.spread?.[1], 6),
  cost("new_connection_first_p50_ns", NEW, "first", (row) => row.newConnectionFirst?.p50, 4),
  cost("new_connection_last_p50_ns", NEW, "last", (row) => row.newConnectionLast?.p50, 4),
  cost("established_p50_ns", KNOWN, "p50", (row) => row.established.p50),
  cost("established_p99_ns", KNOWN, "p99", (row) => row.established.p99, 2),
  cost("established_low_ns", KNOWN, "low", (row) => row.established.spread?.[0], 7),
  cost("established_high_ns", KNOWN, "high", (row) => row.established.spread?.[1], 7),
  { name: "mpps", title: "Mpps", dispensable: 5, value: (row) => row.mpps, print: printAmount },
  { name: "walked", title: "walked", unit: "per new", value: (row) => row.walked, print: printMean },
  {
    name: "walked_established",
    title: "walked",
    unit: "per est.",
    dispensable: 8,
    value: (row) => row.walkedEstablished,
    print: printMean,
  },
  {
    name: "table_bytes",
    title: "tables",
    unit: "KB",
    dispensable: 1,
    value: (row) => row.tableBytes,
    print: (bytes) => printAmount(bytes / 1000),
  },
  {
    name: "compile_ms",
    title: "compile",
    unit: "ms",
    dispensable: 1,
    value: (row) => row.compileMs,
    print: printAmount,
  },
  {
    name: "rounds",
    title: "rounds",
    dispensable: 9,
    value: (row) => row.rounds,
    print: printCount,
  },
];

/** The columns that hold something in this comparison; the input stands over its rows, in no column. */
export function columnsOf(comparison: Comparison): readonly Column[] {
  return COLUMNS.filter((column) => comparison.rows.some((row) => column.value(row) !== undefined));
}

/** Every column there is, for outputs whose shape must not depend on the data. */
export function everyColumn(comparison: Comparison): readonly Column[] {
  return [inputColumn(comparison), ...COLUMNS];
}

function inputColumn(comparison: Comparison): Column {
  const value = (row: ComparisonRow) => (row.input ?? comparison.input).name;
  return { name: "input", title: "input", value, print: String };
}

function cost(
  name: string,
  group: string,
  title: string,
  value: Column["value"],
  dispensable?: number,
): Column {
  const column = { name, group, title, value, print: printAmount };
  return dispensable === undefined ? column : { ...column, dispensable };
}
