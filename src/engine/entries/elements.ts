import { PROTOCOL_NUMBER, type Protocol } from "../../net/port.js";
import type { IpSet, IpSetEntry } from "../../ruleset/ipset.js";
import type { RealServer, VirtualServer } from "../../ruleset/ipvs.js";
import type { NftMapElement } from "../../ruleset/nftables.js";
import { type Words, wordsOf6 } from "./words.js";

/** Elements of exact-match tables as rows of address, protocol << 16 | port, value. */

/** The value of an element that is only there or not. */
const PRESENT = 1;

function protoPort(protocol: Protocol, port: number): number {
  return ((PROTOCOL_NUMBER[protocol] << 16) | port) >>> 0;
}

/** IPv6 entries, and pairs of two addresses, make no row: what a rule asks for is never they. */
export function pushIpSetEntry(rows: Words, type: IpSet["type"], entry: IpSetEntry): void {
  const { ip, protocol = "TCP", port = 0, ip2 = ip } = entry;
  if (type === "bitmap:port") {
    // The set knows no protocol; the rules that ask it do.
    rows.push3(0, protoPort("TCP", port), PRESENT);
    rows.push3(0, protoPort("UDP", port), PRESENT);
    return;
  }
  if (typeof ip !== "number" || (type === "hash:ip,port,ip" && ip2 !== ip)) return;
  rows.push3(ip, type === "hash:ip" ? 0 : protoPort(protocol, port), PRESENT);
}

export function pushAddress(rows: Words, { address }: { readonly address: unknown }): void {
  if (typeof address === "number") rows.push3(address, 0, PRESENT);
}

/** An element of a verdict map; IPv6 ones make no row. */
export function pushElement(rows: Words, { address = 0, protocol, port }: NftMapElement, word: number): void {
  if (typeof address === "number") rows.push3(address, protoPort(protocol, port), word);
}

/** A virtual server's row in the table of services: its number plus one. */
export function pushService(rows: Words, { address, protocol, port }: VirtualServer, number: number): void {
  if (typeof address === "number") rows.push3(address, protoPort(protocol, port), number + 1);
}

/** Rows of real servers (SERVER_…). */
export function pushReals(rows: Words, servers: readonly RealServer[]): void {
  for (const { address, port, weight, lastWeight = 0 } of servers) {
    const [first, second, third, last] = wordsOf6(BigInt(address));
    rows.push(last, port, weight, lastWeight, first, second, third, 0);
  }
}
