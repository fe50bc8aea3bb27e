import { printIp } from "../net/ip.js";
import {
  type NftFamily,
  printProtocol,
  printVerdict,
  readFamilyIp,
  readList,
  readPort,
  readProtocol,
  readText,
  readVerdict,
} from "./nft-terms.js";
import type { NftMapElement, NftSet, NftVerdictMap } from "./nftables.js";
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
  comment: string | undefined,
  elements: readonly string[],
): readonly string[] {
  const comments = comment === undefined ? [] : [`\t\tcomment "${comment}"`];
  const list = elements.length === 0 ? [] : [`\t\telements = { ${elements.join(",\n\t\t\t     ")} }`];
  return [`\t\ttype ${type}`, ...comments, ...list];
}

/** The lines of a set's block; nft lists two addresses on a line. */
export function printSet(set: NftSet, family: NftFamily): readonly string[] {
  const elements = set.addresses.map(({ address, comment }) => `${printIp(address)}${printComment(comment)}`);
  const pairs: string[] = [];
  for (let index = 0; index < elements.length; index += 2) {
    pairs.push(elements.slice(index, index + 2).join(", "));
  }
  return printLines(ADDRESS_TYPE[family], set.comment, pairs);
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
    map.comment,
    map.elements.map(printMapElement),
  );
}

function readComment(words: Words): { readonly comment?: string } {
  return words.take("comment") ? { comment: readText(words) } : {};
}

function readAddress(words: Words, family: NftFamily): NftSet["addresses"][number] {
  const address = readFamilyIp(words, family);
  return { address, ...readComment(words) };
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
    `«${words.peek()}» is not modelled in a set or map; only its type, comment and elements are.`,
  );
}

export function readSetLine(set: SetDraft, words: Words, family: NftFamily): void {
  if (words.take("comment")) set.comment = readText(words);
  else if (words.take("type")) words.expect(ADDRESS_TYPE[family]);
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
