import type { Ip6 } from "../../net/ip.js";
import type { Words } from "./words.js";

/** Adds a row of ROUTE6_…; where a route is removed its next hop does not count. */
export function pushRoute6(rows: Words, address: Ip6, length: number, hop = 0): void {
  rows.pushHalves(address);
  rows.push(length, hop);
}
