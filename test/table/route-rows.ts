import { ROUTE6_ENTRY_LEN } from "../../assembly/abi/entry.js";
import type { Route } from "../oracle/fib4.js";
import type { Route6 } from "../oracle/fib6.js";

const LOW = (1n << 64n) - 1n;

/** Columns of routes as the machine takes them: rows of ROUTE_…. */
export function rows4(routes: readonly Route[]): Uint32Array {
  const rows = new Uint32Array(routes.length * 3);
  for (const [index, { address, length, hop }] of routes.entries())
    rows.set([address, length, hop], index * 3);
  return rows;
}

/** Rows of ROUTE6_…. */
export function rows6(routes: readonly Route6[]): Uint32Array {
  const rows = new Uint32Array((routes.length * ROUTE6_ENTRY_LEN) / 4);
  const halves = new BigUint64Array(rows.buffer);
  for (const [index, { address, length, hop }] of routes.entries()) {
    halves.set([address >> 64n, address & LOW], index * 3);
    rows.set([length, hop], index * 6 + 4);
  }
  return rows;
}

export function keys6(addresses: readonly bigint[]): Uint32Array {
  const halves = new BigUint64Array(addresses.length * 2);
  for (const [index, address] of addresses.entries()) halves.set([address >> 64n, address & LOW], index * 2);
  return new Uint32Array(halves.buffer);
}
