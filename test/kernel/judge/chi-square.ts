/** How often each of several outcomes came. */
export interface Draws {
  readonly counts: readonly number[];
  /** The sum of squared deviations from equal shares, in units of them. */
  readonly chiSquare: number;
  /** How likely chance alone gives as much or more. */
  readonly probability: number;
}

/** The share of the normal distribution beyond z (Abramowitz and Stegun 26.2.17, to 7.5e-8). */
function tail(z: number): number {
  if (z < 0) return 1 - tail(-z);
  const t = 1 / (1 + 0.2316419 * z);
  const poly = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const sum = poly.reduceRight((rest, factor) => t * (factor + rest), 0);
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum;
}

/** Asks whether outcomes are as likely as one another; by Wilson and Hilferty's approximation, for four and more. */
export function evenness(counts: readonly number[]): Draws {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const degrees = counts.length - 1;
  const spread = 2 / (9 * degrees);
  const z = (Math.cbrt(chiSquare / degrees) - (1 - spread)) / Math.sqrt(spread);
  return { counts, chiSquare, probability: tail(z) };
}
