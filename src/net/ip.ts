/**
 * IP addresses as plain values in host order: an IPv4 address is a `number` (0 … 2^32-1), an IPv6 address a
 * `bigint` (0 … 2^128-1), so the type of the value is its family.
 */
export type Ip4 = number;
export type Ip6 = bigint;
export type Ip = Ip4 | Ip6;
export type Family = 4 | 6;

export function familyOf(ip: Ip): Family {
  return typeof ip === "number" ? 4 : 6;
}

/**
 * `10.96.0.1` → 0x0a600001; undefined for anything else. Leading zeros are decimal, as Kubernetes reads them
 * (k8s.io/utils/net ParseIPSloppy).
 */
export function parseIp4(text: string): Ip4 | undefined {
  const octets = text.split(".");
  if (octets.length !== 4) return undefined;
  let value = 0;
  for (const octet of octets) {
    if (!/^[0-9]{1,10}$/.test(octet)) return undefined;
    const number = Number(octet);
    if (number > 255) return undefined;
    value = value * 256 + number;
  }
  return value;
}

/** Groups of one side of `::`, undefined where one is not a group. A dotted quad at the very end counts as two. */
function parseGroups(text: string, isEnd: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (part.includes(".") && isEnd && index === parts.length - 1) {
      const quad = parseIp4(part);
      if (quad === undefined) return undefined;
      groups.push(quad >>> 16, quad & 0xffff);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

/** An IPv6 address in any form of RFC 4291 §2.2 (no zone); undefined for anything else. */
export function parseIp6(text: string): Ip6 | undefined {
  const halves = text.split("::");
  if (halves.length > 2 || !text.includes(":")) return undefined;
  const head = parseGroups(halves[0] ?? "", halves.length === 1);
  const tail = parseGroups(halves[1] ?? "", true);
  if (head === undefined || tail === undefined) return undefined;
  const gap = 8 - head.length - tail.length;
  if (halves.length === 1 ? gap !== 0 : gap < 1) return undefined;
  const groups = [...head, ...new Array<number>(gap).fill(0), ...tail];
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/** An address of either family; undefined if the text is none. */
export function parseIp(text: string): Ip | undefined {
  return text.includes(":") ? parseIp6(text) : parseIp4(text);
}

export function printIp4(ip: Ip4): string {
  return `${ip >>> 24}.${(ip >>> 16) & 255}.${(ip >>> 8) & 255}.${ip & 255}`;
}

/** The longest run of at least two zero groups, [start, length]; the first of equals (RFC 5952 §4.2). */
function longestZeroRun(groups: readonly number[]): readonly [number, number] {
  let best: [number, number] = [0, 1];
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best[1]) best = [start, index + 1 - start];
  }
  return best;
}

/** RFC 5952: lower case, no leading zeros, the longest zero run as `::`. */
export function printIp6(ip: Ip6): string {
  const groups = Array.from({ length: 8 }, (_, index) => Number((ip >> BigInt(112 - 16 * index)) & 0xffffn));
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  const [start, length] = longestZeroRun(groups);
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

export function printIp(ip: Ip): string {
  return typeof ip === "number" ? printIp4(ip) : printIp6(ip);
}

/** fe80::/10: of one link, never forwarded (RFC 4291 §2.5.6). */
export function isLinkLocal(ip: Ip6): boolean {
  return ip >> 118n === 0x3fan;
}

/** Orders IPv4 before IPv6, then by value. */
export function compareIp(a: Ip, b: Ip): number {
  if (familyOf(a) !== familyOf(b)) return familyOf(a) - familyOf(b);
  return a < b ? -1 : a > b ? 1 : 0;
}
