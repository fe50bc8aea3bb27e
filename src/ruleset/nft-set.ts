import { printIp } from "../net/ip.js";
import {
  type NftFamily,
  printProtocol,
  printTime,
  printVerdict,
  readFamilyIp,
  readList,
  readPort,
  readProtocol,
  readText,
  readTime,
  readVerdict,
} from "./nft-terms.js";
import type { NftAddress, NftMapElement, NftSet, NftVerdictMap } from "./nftables.js";
import type { Words } from "./words.js";

const ADDRESS_TYPE = { ip: "ipv4_addr", ip6: "ipv6_addr" } as const;

function printKeyType(key: NftVerdictMap["key"], family: NftFamily): string {
  const service = "inet_proto . inet_service";
  return key === "proto-dport" ? service : `${ADDRESS_TYPE[family]} . ${service}`;
}

function printComment(comment: string | undefined): string {
  return comment === undefined ? "" : ` comment "${comment}"`;
}

function printLines(
  type: string,
  bounds: readonly string[],
  comment: string | undefined,
  elements: readonly string[],
): readonly string[] {
  const comments = comment === undefined ? [] : [`comment "${comment}"`];
  const list = elements.length === 0 ? [] : [`elements = { ${elements.join(",\n\t\t\t     ")} }`];
  return [`type ${type}`, ...bounds, ...comments, ...list].map((line) => `\t\t${line}`);
}

/** How long, and how many, addresses stay in a set that rules fill. */
function printBounds({ dynamic }: NftSet): readonly string[] {
  if (dynamic === undefined) return [];
  const { timeout, size } = dynamic;
  const sizes = size === undefined ? [] : [`size ${size}`];
  return [...sizes, "flags dynamic,timeout", `timeout ${printTime(timeout * 1000)}`];
}

function printAddress({ address, comment, expires }: NftAddress): string {
  const left = expires === undefined ? "" : ` expires ${printTime(expires)}`;
  return `${printIp(address)}${left}${printComment(comment)}`;
}

/** nft lists two IPv4 addresses on a line, and one IPv6 address. */
const PER_LINE = { ip: 2, ip6: 1 } as const;

/** The lines of a set's block. */
export function printSet(set: NftSet, family: NftFamily): readonly string[] {
  const elements = set.addresses.map(printAddress);
  const lines: string[] = [];
  for (let index = 0; index < elements.length; index += PER_LINE[family]) {
    lines.push(elements.slice(index, index + PER_LINE[family]).join(", "));
  }
  return printLines(ADDRESS_TYPE[family], printBounds(set), set.comment, lines);
}

function printMapElement(element: NftMapElement): string {
  const address = element.address === undefined ? "" : `${printIp(element.address)} . `;
  const key = `${address}${printProtocol(element.protocol)} . ${element.port}`;
  return `${key}${printComment(element.comment)} : ${printVerdict(element.verdict)}`;
}

/** The lines of a verdict map's block; nft lists one element on a line. */
export function printMap(map: NftVerdictMap, family: NftFamily): readonly string[] {
  return printLines(
    `${printKeyType(map.key, family)} : verdict`,
    [],
    map.comment,
    map.elements.map(printMapElement),
  );
}

function readComment(words: Words): { readonly comment?: string } {
  return words.take("comment") ? { comment: readText(words) } : {};
}

function readAddress(words: Words, family: NftFamily): NftAddress {
  const address = readFamilyIp(words, family);
  const left = words.take("expires") ? { expires: readTime(words) } : {};
  return { address, ...left, ...readComment(words) };
}

function readMapElement(key: NftVerdictMap["key"], words: Words, family: NftFamily): NftMapElement {
  const address = key === "proto-dport" ? {} : { address: readFamilyIp(words, family) };
  if (key !== "proto-dport") words.expect(".");
  const protocol = readProtocol(words);
  words.expect(".");
  const port = readPort(words);
  const comment = readComment(words);
  words.expect(":");
  const verdict = words.read("a verdict", (word) => readVerdict(word, words));
  return { ...address, protocol, port, verdict, ...comment };
}

type Draft<T> = { -readonly [K in keyof T]: T[K] };
export type SetDraft = Draft<NftSet>;
export type MapDraft = Draft<NftVerdictMap>;

function readElementsHead(words: Words): void {
  if (words.take("elements", "=", "{")) return;
  throw words.refusal(
    `«${words.peek()}» is not modelled in a set or map; only its type, bounds (size, flags dynamic,timeout, timeout), comment and elements are.`,
  );
}

function readSeconds(words: Words): number {
  const time = readTime(words);
  if (time === 0 || time % 1000 !== 0) throw words.refusal("the timeout of a set must be of whole seconds.");
  return time / 1000;
}

export function readSetLine(set: SetDraft, words: Words, family: NftFamily): void {
  if (words.take("comment")) set.comment = readText(words);
  else if (words.take("type")) words.expect(ADDRESS_TYPE[family]);
  else if (words.take("size")) set.dynamic = { timeout: 0, size: words.readCount("a number of addresses") };
  else if (words.take("flags", "dynamic,timeout")) set.dynamic = { timeout: 0, ...set.dynamic };
  else if (words.take("timeout")) set.dynamic = { ...set.dynamic, timeout: readSeconds(words) };
  else {
    readElementsHead(words);
    set.addresses = readList(words, () => readAddress(words, family));
  }
}

export function readMapLine(map: MapDraft, words: Words, family: NftFamily): void {
  if (words.take("comment")) map.comment = readText(words);
  else if (words.take("type")) {
    map.key = words.peek() === ADDRESS_TYPE[family] ? "daddr-proto-dport" : "proto-dport";
    words.expect(...printKeyType(map.key, family).split(" "), ":", "verdict");
  } else {
    readElementsHead(words);
    map.elements = readList(words, () => readMapElement(map.key, words, family));
  }
}
