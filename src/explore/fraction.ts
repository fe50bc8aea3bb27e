import { Pairs } from "./pairs.js";

/** A number from 0 to 1, exactly: numerator / 2^bits. Draws of a kernel are of whole bits, and so are their products. */
export interface Fraction {
  readonly numerator: bigint;
  readonly bits: number;
}

export const ZERO: Fraction = { numerator: 0n, bits: 0 };
export const ONE: Fraction = { numerator: 1n, bits: 0 };

const DOUBLE_BITS = 64;

/** Without the factors of two that both sides have. */
function reduced({ numerator, bits }: Fraction): Fraction {
  if (numerator === 0n) return ZERO;
  let [rest, left] = [numerator, bits];
  for (const step of [DOUBLE_BITS, 8, 1]) {
    while (left >= step && BigInt.asUintN(step, rest) === 0n) {
      rest >>= BigInt(step);
      left -= step;
    }
  }
  return { numerator: rest, bits: left };
}

function product(a: Fraction, b: Fraction): Fraction {
  return reduced({ numerator: a.numerator * b.numerator, bits: a.bits + b.bits });
}

/** Chances of many packets are products of the same draws: of the same two objects it is the same one each time. */
const PRODUCTS = new Pairs<Fraction, Fraction>(() => new WeakMap());

export function times(a: Fraction, b: Fraction): Fraction {
  return PRODUCTS.of(a, b, product);
}

/** The numerator over 2^bits, which are no fewer than its own. */
function scaled({ numerator, bits: own }: Fraction, bits: number): bigint {
  return numerator << BigInt(bits - own);
}

export function plus(a: Fraction, b: Fraction): Fraction {
  const bits = Math.max(a.bits, b.bits);
  return reduced({ numerator: scaled(a, bits) + scaled(b, bits), bits });
}

/** Below 0 where a is less than b, above where it is more. */
export function compareFractions(a: Fraction, b: Fraction): number {
  const bits = Math.max(a.bits, b.bits);
  const [one, other] = [scaled(a, bits), scaled(b, bits)];
  return one < other ? -1 : Number(one > other);
}

function toNumber({ numerator, bits }: Fraction): number {
  const length = numerator.toString(16).length * 4;
  const cut = Math.max(0, length - DOUBLE_BITS);
  return Number(numerator >> BigInt(cut)) * 2 ** (cut - bits);
}

function print({ numerator, bits }: Fraction): string {
  return bits === 0 ? `${numerator}` : `${numerator}/${1n << BigInt(bits)}`;
}

const NUMBERS = new WeakMap<Fraction, number>();
const TEXTS = new WeakMap<Fraction, string>();

/** What is made of an object, once. */
function once<T>(known: WeakMap<Fraction, T>, fraction: Fraction, make: (fraction: Fraction) => T): T {
  const found = known.get(fraction);
  if (found !== undefined) return found;
  const made = make(fraction);
  known.set(fraction, made);
  return made;
}

/** The nearest number that a double holds, but for its last bits. */
export function fractionToNumber(fraction: Fraction): number {
  return once(NUMBERS, fraction, toNumber);
}

/** `715827883/2147483648`; `1` and `0` alone. */
export function printFraction(fraction: Fraction): string {
  return once(TEXTS, fraction, print);
}
