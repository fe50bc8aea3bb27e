import { type Family, familyOf, type Ip } from "../../net/ip.js";
import { PROTOCOL_NUMBER, type Protocol } from "../../net/port.js";
import type { VirtualServer } from "../../ruleset/ipvs.js";
import type { NftMapElement } from "../../ruleset/nftables.js";
import type { Words } from "./words.js";

/** Elements of exact-match tables as rows (EXACT_…, and EXACT6_… in tables of IPv6 keys). */

/** The value of an element that is only there or not. */
export const PRESENT = 1;

export function protoPort(protocol: Protocol, port: number): number {
  return ((PROTOCOL_NUMBER[protocol] << 16) | port) >>> 0;
}

/** A row of the address's family. */
export function pushKey(rows: Words, address: Ip, protoPort: number, value: number): void {
  if (typeof address === "number") rows.push3(address, protoPort, value);
  else {
    rows.pushHalves(address);
    rows.push(protoPort, value);
  }
}

export function pushAddress(rows: Words, family: Family, { address }: { readonly address: Ip }): void {
  if (familyOf(address) === family) pushKey(rows, address, 0, PRESENT);
}

/** An element of a verdict map whose keys have an address of that family, or (family 4) none. */
export function pushElement(
  rows: Words,
  family: Family,
  { address = 0, protocol, port }: NftMapElement,
  word: number,
): void {
  if (familyOf(address) === family) pushKey(rows, address, protoPort(protocol, port), word);
}

/** A virtual server's row in the table of services of its family: its number plus one. */
export function pushService(rows: Words, service: VirtualServer, number: number): void {
  if (service.mark !== undefined) {
    const { mark, family } = service;
    pushKey(rows, family === 4 ? mark : BigInt(mark), 0, number + 1);
  } else pushKey(rows, service.address, protoPort(service.protocol, service.port), number + 1);
}
