import { DRAW_BELOW, DRAW_CHANCE } from "../../assembly/abi/trace.js";
import { type Fraction, ZERO } from "./fraction.js";
import { Pairs } from "./pairs.js";

/** What one outcome of a draw is worth: its probability, or null where a scheduler's state decides. */
export type Weight = Fraction | null;

/** A choice behind the end of the list of those that were told (abi/trace.ts, EVENT_DRAW). */
export interface Draw {
  readonly kind: number;
  /** A threshold out of 2^31, or how many outcomes there are. */
  readonly range: number;
  /** The outcome that the run took: the first there is. */
  readonly taken: number;
  /** The one that the machine's own state says. */
  readonly own: number;
}

const CHANCE_BITS = 31;
const BELOW_BITS = 32;

/** How many outcomes a draw may have: 0 … n - 1. */
export function outcomeCount({ kind, range }: Draw): number {
  return kind === DRAW_CHANCE ? 2 : range;
}

/** Draws of 32 bits that reciprocal_scale makes less than k of n: those below k * 2^32 / n. */
function drawsBelow(k: number, n: number): bigint {
  const [scaled, range] = [BigInt(k) << BigInt(BELOW_BITS), BigInt(n)];
  return (scaled + range - 1n) / range;
}

function chanceWeight(range: number, outcome: number): Fraction {
  const [hit, all] = [BigInt(range), 1n << BigInt(CHANCE_BITS)];
  const happens = hit < all ? hit : all;
  return { numerator: outcome === 0 ? all - happens : happens, bits: CHANCE_BITS };
}

function belowWeight(range: number, outcome: number): Fraction {
  const numerator = drawsBelow(outcome + 1, range) - drawsBelow(outcome, range);
  return numerator === 0n ? ZERO : { numerator, bits: BELOW_BITS };
}

/** Weights that were asked for, by range and then outcome: packets meet the same draws again and again. */
const CHANCES = new Pairs<number, Fraction>(() => new Map());
const BELOWS = new Pairs<number, Fraction>(() => new Map());

/** The probability that a draw has an outcome, exactly as the kernel's arithmetic gives it: one and the same object each time. */
export function weightOf({ kind, range }: Draw, outcome: number): Weight {
  if (kind === DRAW_CHANCE) return CHANCES.of(range, outcome, chanceWeight);
  return kind === DRAW_BELOW ? BELOWS.of(range, outcome, belowWeight) : null;
}

export function isImpossible(weight: Weight): boolean {
  return weight?.numerator === 0n;
}
