import type { Words } from "./words.js";

/** A mask that compares every bit; the tools leave it away. */
export const FULL_MASK = 0xffffffff;

export function printHex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** `0x4000` or `16384` → 16384; undefined past 32 bits. */
export function parseMark(word: string): number | undefined {
  const value = /^(0x[0-9a-fA-F]{1,8}|[0-9]{1,10})$/.test(word) ? Number(word) : undefined;
  return value !== undefined && value <= FULL_MASK ? value : undefined;
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
  const probability = /^[01](\.[0-9]+)?$/.test(word) ? Number(word) : 2;
  return probability <= 1 ? Math.round(probability * 2 ** 31) : undefined;
}

/** Bare if it is one plain word, or else quoted, as the tools save strings. */
export function printString(text: string): string {
  return /^[\w-]+$/.test(text) ? text : `"${text.replace(/["'\\]/g, "\\$&")}"`;
}

/**
 * The words of a rule's line. Quotes hold spaces together, and inside of them a backslash takes the next
 * character as it is; undefined if a quote is not closed.
 */
export function splitRule(line: string): string[] | undefined {
  if (!line.includes('"')) return line.split(/\s+/);
  const words: string[] = [];
  let rest = line;
  while (rest !== "") {
    const word = /^(?:[^\s"]|"(?:[^"\\]|\\.)*")+/.exec(rest)?.[0];
    if (word === undefined) return undefined;
    const unquote = (_: string, inner: string) => inner.replace(/\\(.)/g, "$1");
    words.push(word.replace(/"((?:[^"\\]|\\.)*)"/g, unquote));
    rest = rest.slice(word.length).trimStart();
  }
  return words;
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

/** The `invert` of a match, absent where there is no `!`. */
export type Invert = { readonly invert?: true };

export const readInvert = (words: Words): Invert => (words.take("!") ? { invert: true } : {});

export const bang = (match: { readonly invert?: boolean }) => (match.invert ? "! " : "");
