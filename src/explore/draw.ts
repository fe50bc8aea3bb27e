import { DRAW_BELOW, DRAW_CHANCE } from "../../assembly/abi/trace.js";
import { type Fraction, ZERO } from "./fraction.js";

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

/** The probability that a draw has an outcome, exactly as the kernel's arithmetic gives it. */
export function weightOf({ kind, range }: Draw, outcome: number): Weight {
  if (kind === DRAW_CHANCE) {
    const [hit, all] = [BigInt(range), 1n << BigInt(CHANCE_BITS)];
    const happens = hit < all ? hit : all;
    return { numerator: outcome === 0 ? all - happens : happens, bits: CHANCE_BITS };
  }
  if (kind !== DRAW_BELOW) return null;
  const numerator = drawsBelow(outcome + 1, range) - drawsBelow(outcome, range);
  return numerator === 0n ? ZERO : { numerator, bits: BELOW_BITS };
}

export function isImpossible(weight: Weight): boolean {
  return weight?.numerator === 0n;
}
