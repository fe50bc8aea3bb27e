import { familyOf, type Ip, parseIp, printIp } from "../net/ip.js";
import type { Protocol } from "../net/port.js";
import { hostLength, hostPrefix, type Prefix, parsePrefix, printPrefix } from "../net/prefix.js";
import { intervalsOf, rangePrefixes } from "./nft-intervals.js";
import type { NftTable, NftVerdict } from "./nftables.js";
import type { Words } from "./words.js";

/** The terms that statements and map elements of nft are made of: printed here, and read from Words. */
export type NftFamily = NftTable["family"];

export function printProtocol(protocol: Protocol): string {
  return protocol.toLowerCase();
}

export function printVerdict(verdict: NftVerdict): string {
  return verdict.kind === "jump" || verdict.kind === "goto"
    ? `${verdict.kind} ${verdict.chain}`
    : verdict.kind;
}

/** A prefix where the interval is one, or else its ends. */
function printInterval(first: Ip, last: Ip): string {
  const [prefix, ...more] = rangePrefixes(first, last);
  if (prefix === undefined || more.length > 0) return `${printIp(first)}-${printIp(last)}`;
  return prefix.length === hostLength(first) ? printIp(first) : printPrefix(prefix);
}

/** `10.0.0.0/8`, or `{ … }` in the order of addresses for several intervals. */
export function printAddresses(prefixes: readonly Prefix[], braced = false): string {
  const texts = intervalsOf(prefixes).map(([first, last]) => printInterval(first, last));
  return texts.length === 1 && !braced ? String(texts[0]) : `{ ${texts.join(", ")} }`;
}

/** nft's word for a transport protocol; undefined for any other word. */
export function parseProtocol(word: string): Protocol | undefined {
  return word === "tcp" ? "TCP" : word === "udp" ? "UDP" : word === "sctp" ? "SCTP" : undefined;
}

export function readProtocol(words: Words): Protocol {
  return words.read("tcp, udp or sctp", parseProtocol);
}

export function readPort(words: Words): number {
  return words.read("a port", (word) =>
    /^[0-9]{1,5}$/.test(word) && Number(word) <= 65535 ? Number(word) : undefined,
  );
}

export function readText(words: Words): string {
  return words.read('a text in "…"', (word) => /^"(.*)"$/.exec(word)?.[1]);
}

export function readFamilyIp(words: Words, family: NftFamily): Ip {
  return words.read(`an address of family ${family}`, (word) => ofFamily(parseIp(word), family));
}

/** The address itself if the family is its own. */
export function ofFamily(ip: Ip | undefined, family: NftFamily): Ip | undefined {
  return ip !== undefined && familyOf(ip) === (family === "ip" ? 4 : 6) ? ip : undefined;
}

export function readNumber(words: Words): number {
  return words.read("a 32-bit number", (word) => {
    const value = /^(0x[0-9a-f]+|[0-9]+)$/.test(word) ? Number(word) : Number.NaN;
    return value <= 0xffffffff ? value : undefined;
  });
}

/** An address, a prefix, or a range `first-last`, as prefixes. */
export function readInterval(words: Words, family: NftFamily): readonly Prefix[] {
  return words.read(`an address, prefix or range of family ${family}`, (word) => {
    const [first, last, ...more] = word.split("-").map((end) => ofFamily(parseIp(end), family));
    if (more.length > 0) return undefined;
    if (first !== undefined) {
      if (!word.includes("-")) return [hostPrefix(first)];
      return last === undefined || last < first ? undefined : rangePrefixes(first, last);
    }
    const prefix = parsePrefix(word);
    return prefix === undefined || ofFamily(prefix.address, family) === undefined ? undefined : [prefix];
  });
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
] as const;

/** Milliseconds as nft writes a time: `1d2h3m4s5ms`. */
export function printTime(milliseconds: number): string {
  let rest = milliseconds;
  let text = "";
  for (const [unit, length] of UNITS) {
    const count = Math.floor(rest / length);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * length;
  }
  return text === "" ? "0s" : text;
}

export function readTime(words: Words): number {
  return words.read("a time such as 3h or 1m30s", (word) => {
    const parts = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(word);
    if (parts === null || word === "") return undefined;
    const time = UNITS.reduce((sum, [, length], index) => sum + Number(parts[index + 1] ?? 0) * length, 0);
    return Number.isSafeInteger(time) ? time : undefined;
  });
}

/** Items separated by commas up to a closing brace; the opening one is read already. */
export function readList<T>(words: Words, read: () => T): T[] {
  const items: T[] = [read()];
  while (words.take(",")) items.push(read());
  words.expect("}");
  return items;
}

/** The verdict that a word begins; undefined where it begins none. */
export function readVerdict(word: string, words: Words): NftVerdict | undefined {
  switch (word) {
    case "accept":
    case "drop":
    case "return":
    case "continue":
      return { kind: word };
    case "jump":
    case "goto":
      return { kind: word, chain: words.next("a chain") };
  }
  return undefined;
}
