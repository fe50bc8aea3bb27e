import { familyOf, type Ip, parseIp, printIp } from "./ip.js";

/** An IP prefix; `address` has no bit set past `length` (0 … 32 for IPv4, 0 … 128 for IPv6). */
export interface Prefix {
  readonly address: Ip;
  readonly length: number;
}

/** The IPv4 netmask of a length: 24 → 0xffffff00. */
export function maskOf(length: number): number {
  return length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
}

/** The length of a prefix that holds one address: 32, or 128. */
export function hostLength(address: Ip): number {
  return typeof address === "number" ? 32 : 128;
}

/** The prefix of one address alone. */
export function hostPrefix(address: Ip): Prefix {
  return { address, length: hostLength(address) };
}

/** The prefix of that length that holds the address: host bits are cleared. */
export function prefixOf(address: Ip, length: number): Prefix {
  if (typeof address === "number") return { address: (address & maskOf(length)) >>> 0, length };
  const host = BigInt(128 - length);
  return { address: (address >> host) << host, length };
}

/** `10.244.1.7/24` → 10.244.1.0/24; undefined if the text is no prefix. A length is required. */
export function parsePrefixLoose(text: string): Prefix | undefined {
  const parts = text.split("/");
  if (parts.length !== 2 || !/^[0-9]{1,3}$/.test(parts[1] ?? "")) return undefined;
  const address = parseIp(parts[0] ?? "");
  const length = Number(parts[1]);
  if (address === undefined || length > (familyOf(address) === 4 ? 32 : 128)) return undefined;
  return prefixOf(address, length);
}

/** As parsePrefixLoose, but undefined also when a host bit is set. */
export function parsePrefix(text: string): Prefix | undefined {
  const prefix = parsePrefixLoose(text);
  return prefix !== undefined && parseIp(text.split("/")[0] ?? "") === prefix.address ? prefix : undefined;
}

export function printPrefix(prefix: Prefix): string {
  return `${printIp(prefix.address)}/${prefix.length}`;
}

/** False for an address of the other family. */
export function prefixContains(prefix: Prefix, ip: Ip): boolean {
  if (typeof prefix.address === "number" && typeof ip === "number") {
    return (ip & maskOf(prefix.length)) >>> 0 === prefix.address;
  }
  return familyOf(prefix.address) === familyOf(ip) && prefixOf(ip, prefix.length).address === prefix.address;
}

export function prefixOverlaps(a: Prefix, b: Prefix): boolean {
  return a.length < b.length ? prefixContains(a, b.address) : prefixContains(b, a.address);
}
