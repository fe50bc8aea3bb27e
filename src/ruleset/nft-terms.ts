import { compareIp, familyOf, type Ip, parseIp, printIp } from "../net/ip.js";
import type { Protocol } from "../net/port.js";
import { type Prefix, parsePrefix, printPrefix } from "../net/prefix.js";
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

/** `10.0.0.0/8`, or `{ … }` in the order of addresses where there are several. */
export function printAddresses(prefixes: readonly Prefix[]): string {
  const texts = [...prefixes]
    .sort((a, b) => compareIp(a.address, b.address))
    .map((prefix) =>
      prefix.length === bits(prefix.address) ? printIp(prefix.address) : printPrefix(prefix),
    );
  return texts.length === 1 ? String(texts[0]) : `{ ${texts.join(", ")} }`;
}

function bits(address: Ip): number {
  return familyOf(address) === 4 ? 32 : 128;
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

export function readPrefix(words: Words, family: NftFamily): Prefix {
  return words.read(`an address or prefix of family ${family}`, (word) => {
    const address = ofFamily(parseIp(word), family);
    if (address !== undefined) return { address, length: bits(address) };
    const prefix = parsePrefix(word);
    return ofFamily(prefix?.address, family) === undefined ? undefined : prefix;
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
