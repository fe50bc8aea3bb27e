import { type Ip, type Ip6, parseIp, printIp, printIp4 } from "../net/ip.js";
import { hostLength, type Prefix, prefixOf } from "../net/prefix.js";
import type { Range } from "./iptables.js";
import type { Words } from "./words.js";

/** A mask that compares every bit; the tools leave it away. */
export const FULL_MASK = 0xffffffff;

export function printHex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** Octets are listed with two digits. */
export function printHexOctet(value: number): string {
  return `0x${value.toString(16).padStart(2, "0")}`;
}

/** `0x4000` or `16384` → 16384; undefined for what is no number up to `most`. */
export function parseNumber(word: string, most: number): number | undefined {
  const value = /^(0x[0-9a-fA-F]{1,8}|[0-9]{1,10})$/.test(word) ? Number(word) : undefined;
  return value !== undefined && value <= most ? value : undefined;
}

/** A mark of 32 bits. */
export const parseMark = (word: string) => parseNumber(word, FULL_MASK);

export const printMasked = (value: number, mask: number) => `${printHex(value)}/${printHex(mask)}`;

/** `0x4000/0x4000`, or a value alone with the full mask. */
export function readMasked(words: Words, what: string, most = FULL_MASK): readonly [number, number] {
  const parse = (part: string) => parseNumber(part, most);
  return words.read(what, (word) => parsePair(word, "/", parse, () => most));
}

/**
 * threshold / 2^31 with eleven decimals, exact halves to even as printf rounds them: toFixed rounds them up, and
 * prints 1/4096 otherwise than the tools.
 */
export function printProbability(threshold: number): string {
  const scaled = BigInt(threshold) * 10n ** 11n;
  const half = 1n << 30n;
  const whole = scaled >> 31n;
  const rest = scaled & 0x7fffffffn;
  const units = rest > half || (rest === half && (whole & 1n) === 1n) ? whole + 1n : whole;
  const digits = units.toString().padStart(12, "0");
  return `${digits.slice(0, -11)}.${digits.slice(-11)}`;
}

/** `0.33333333349` → 715827883; undefined if it is no number in 0 … 1. */
export function parseProbability(word: string): number | undefined {
  const probability = /^([01](\.[0-9]*)?|\.[0-9]+)$/.test(word) ? Number(word) : 2;
  return probability <= 1 ? Math.round(probability * 2 ** 31) : undefined;
}

/** Bare if it is one plain word, or else quoted, as the tools save strings. */
export function printString(text: string): string {
  return /^[\w-]+$/.test(text) ? text : `"${text.replace(/["'\\]/g, "\\$&")}"`;
}

const unquote = (word: string) =>
  !word.includes('"')
    ? word
    : word.replace(/"((?:[^"\\]|\\.)*)"/g, (_, inner: string) => inner.replace(/\\(.)/g, "$1"));

/**
 * The words of a rule's line as they are spelled, and what they say. Quotes hold spaces together, and inside of
 * them a backslash takes the next character as it is; undefined if a quote is not closed.
 */
export function splitRule(
  line: string,
): { readonly words: readonly string[]; readonly spelled: readonly string[] } | undefined {
  if (!line.includes('"')) {
    const words = line.split(/\s+/);
    return { words, spelled: words };
  }
  const spelled: string[] = [];
  let rest = line;
  while (rest !== "") {
    const word = /^(?:[^\s"]|"(?:[^"\\]|\\.)*")+/.exec(rest)?.[0];
    if (word === undefined) return undefined;
    spelled.push(word);
    rest = rest.slice(word.length).trimStart();
  }
  return { words: spelled.map(unquote), spelled };
}

/** `a<separator>b` read by one function; the second part is the first where it is absent. */
export function parsePair<T>(
  word: string,
  separator: string,
  parse: (part: string) => T | undefined,
  absent: (first: T) => T,
) {
  const [head = "", tail, ...more] = word.split(separator);
  const first = parse(head);
  if (first === undefined || more.length > 0) return undefined;
  const second = tail === undefined ? absent(first) : parse(tail);
  return second === undefined ? undefined : ([first, second] as const);
}

/**
 * `1024:2048`, `:80`, `80:` or one number, none above `most`; undefined for anything else. `2048:1024` too, which some of the
 * tools' modules let through: the kernel finds nothing within.
 */
export function parseBounds(word: string, most: number, separator = ":"): Range | undefined {
  const [first = "", last = first, ...more] = word.split(separator);
  if (first === last && first === "") return undefined;
  const from = first === "" ? 0 : parseNumber(first, most);
  const to = last === "" ? most : parseNumber(last, most);
  return from === undefined || to === undefined || more.length > 0 ? undefined : [from, to];
}

/** The same for modules that refuse the greater bound before the lesser. */
export function parseRange(word: string, most: number, separator = ":"): Range | undefined {
  const range = parseBounds(word, most, separator);
  return range === undefined || range[0] > range[1] ? undefined : range;
}

export function printRange([from, to]: Range, separator = ":"): string {
  return from === to ? `${from}` : `${from}${separator}${to}`;
}

/** As inet_ntop prints it: IPv4 addresses inside of IPv6 ones are dotted, which RFC 5952 leaves open. */
export function printAddress(ip: Ip): string {
  return typeof ip === "bigint" && holdsIp4(ip)
    ? `${ip >> 32n === 0n ? "::" : "::ffff:"}${printIp4(Number(ip & 0xffffffffn))}`
    : printIp(ip);
}

function holdsIp4(ip: Ip6): boolean {
  return ip >> 32n === 0xffffn || (ip >> 32n === 0n && ip >> 16n !== 0n);
}

export function printNetwork({ address, length }: Prefix): string {
  return `${printAddress(address)}/${length}`;
}

/** How many leading bits a mask such as `255.255.0.0` has; undefined where others follow a zero. */
function maskLength(word: string, width: number): number | undefined {
  if (/^[0-9]{1,3}$/.test(word)) return Number(word) <= width ? Number(word) : undefined;
  const mask = parseIp(word);
  if (mask === undefined) return undefined;
  const zeros = /^1*(0*)$/.exec(BigInt(mask).toString(2).padStart(width, "0"))?.[1];
  return zeros === undefined ? undefined : width - zeros.length;
}

/** `10.0.0.0/8`, `10.0.0.0/255.0.0.0` or one address; host bits are cleared, as the tools do. */
export function parseNetwork(word: string): Prefix | undefined {
  const [head = "", tail, ...more] = word.split("/");
  const address = parseIp(head);
  if (address === undefined || more.length > 0) return undefined;
  const width = hostLength(address);
  const length = tail === undefined ? width : maskLength(tail, width);
  return length === undefined ? undefined : prefixOf(address, length);
}

/** A list with commas, each part one of `allowed`. */
export function parseList<T extends string>(word: string, allowed: readonly T[]): readonly T[] | undefined {
  const parts = word.split(",").map((part) => allowed.find((one) => one === part));
  return parts.every((part) => part !== undefined) ? parts : undefined;
}

/** The `invert` of a match, absent where there is no `!`. */
export type Invert = { readonly invert?: true };

export const readInvert = (words: Words): Invert => (words.take("!") ? { invert: true } : {});

export const bang = (match: object) => ("invert" in match && match.invert === true ? "! " : "");
