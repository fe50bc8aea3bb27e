/** Width of the numbers that are scattered: the host part of 10.96.0.0/12. */
export const SCATTER_BITS = 20;

const MASK = 2 ** SCATTER_BITS - 1;

/**
 * A permutation of the 20-bit numbers that the seed chooses. Every step can be undone (odd factors, xor with
 * higher bits), so no two indices meet.
 */
export function scatter(index: number, seed: number): number {
  let value = (index + seed) & MASK;
  value = Math.imul(value, 0x9e375) & MASK;
  value ^= value >>> 11;
  value = (Math.imul(value, 0x5bd1d) + (seed >>> 12)) & MASK;
  return value ^ (value >>> 9);
}
