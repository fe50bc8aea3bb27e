import { EXACT_SERVICES } from "../../../assembly/abi/entry.js";
import { PROTOCOL_NUMBER, type Protocol } from "../../net/port.js";
import type { IpSet, IpSetEntry } from "../../ruleset/ipset.js";
import type { Ipvs } from "../../ruleset/ipvs.js";
import type { NftTable } from "../../ruleset/nftables.js";
import { verdictWord } from "./nftables.js";
import type { Numbers } from "./numbers.js";
import { Words } from "./words.js";

/** The elements of one exact-match table: rows of address, protocol << 16 | port, value. */
export interface TableEntries {
  readonly number: number;
  readonly name: string;
  readonly rows: Uint32Array;
}

/** The value of an element that is only there or not. */
const PRESENT = 1;

function protoPort(protocol: Protocol, port: number): number {
  return ((PROTOCOL_NUMBER[protocol] << 16) | port) >>> 0;
}

function ip4(address: unknown): number {
  return typeof address === "number" ? address : 0;
}

function pushIpSet(rows: Words, type: IpSet["type"], entry: IpSetEntry): void {
  const { ip, protocol = "TCP", port = 0 } = entry;
  if (type === "bitmap:port") {
    // The set knows no protocol; the rules that ask it do.
    rows.push(0, protoPort("TCP", port), PRESENT, 0, protoPort("UDP", port), PRESENT);
    return;
  }
  if (typeof ip !== "number") return;
  rows.push(ip, type === "hash:ip" ? 0 : protoPort(protocol, port), PRESENT);
}

export function ipSetEntries(sets: readonly IpSet[], numbers: Numbers, first: number): TableEntries[] {
  return sets.map((set, index) => {
    const rows = new Words();
    numbers.addSet(set.name, first + index, set.type);
    for (const entry of set.entries) pushIpSet(rows, set.type, entry);
    return { number: first + index, name: set.name, rows: rows.words };
  });
}

/** Sets, then verdict maps; chains must be numbered before. */
export function nftEntries(table: NftTable, numbers: Numbers, first: number): TableEntries[] {
  const sets = table.sets.map(({ name, addresses }) => {
    const rows = new Words();
    for (const { address } of addresses) if (typeof address === "number") rows.push(address, 0, PRESENT);
    return { name, rows };
  });
  const maps = table.maps.map(({ name, elements }) => {
    const rows = new Words();
    for (const { address, protocol, port, verdict } of elements) {
      rows.push(ip4(address), protoPort(protocol, port), verdictWord(verdict, table.name, numbers));
    }
    return { name, rows };
  });
  return [...sets, ...maps].map(({ name, rows }, index) => {
    numbers.addSet(name, first + index, "nft");
    return { number: first + index, name, rows: rows.words };
  });
}

/** The IPVS service table: each IPv4 virtual server's number plus one. */
export function serviceEntries(ipvs: Ipvs): TableEntries {
  const rows = new Words();
  for (const [index, { address, protocol, port }] of ipvs.servers.entries()) {
    if (typeof address === "number") rows.push(address, protoPort(protocol, port), index + 1);
  }
  return { number: EXACT_SERVICES, name: "services", rows: rows.words };
}
