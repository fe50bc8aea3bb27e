import type { ComparisonRow, Cost, SchedulerRow } from "./comparison.js";

/** The row with what its digits can mean: ns to 0.01, ms, Mpps and walked to 0.001. */
export function roundRow(row: ComparisonRow): ComparisonRow {
  const { newConnectionFirst: first, newConnectionLast: last, walkedEstablished } = row;
  return {
    ...row,
    newConnection: roundCost(row.newConnection),
    ...(first === undefined ? {} : { newConnectionFirst: roundCost(first) }),
    ...(last === undefined ? {} : { newConnectionLast: roundCost(last) }),
    established: roundCost(row.established),
    mpps: roundTo(row.mpps, 3),
    walked: roundTo(row.walked, 3),
    ...(walkedEstablished === undefined ? {} : { walkedEstablished: roundTo(walkedEstablished, 3) }),
    compileMs: roundTo(row.compileMs, 3),
  };
}

/** As `roundRow`. */
export function roundSchedulerRow(row: SchedulerRow): SchedulerRow {
  return { ...row, newConnection: roundCost(row.newConnection), walked: roundTo(row.walked, 3) };
}

function roundCost({ p50, p99, spread }: Cost): Cost {
  const cost = { p50: roundTo(p50, 2), p99: roundTo(p99, 2) };
  return spread === undefined ? cost : { ...cost, spread: [roundTo(spread[0], 2), roundTo(spread[1], 2)] };
}

function roundTo(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}
