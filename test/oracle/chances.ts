/** How likely each endpoint of a Service is, by hand: what kube-proxy writes, and what the kernel makes of it. */
import type { Ratio } from "./outcomes.js";

const BITS_31 = 2n ** 31n;
const BITS_32 = 2n ** 32n;

/** kube-proxy writes 1/n with ten digits (%0.10f); iptables rounds that to a threshold (lround(p * 0x80000000)). */
function thresholdOf(remaining: number): bigint {
  return BigInt(Math.round(Number((1 / remaining).toFixed(10)) * 2 ** 31));
}

/** Of statistic rules in their order, each asked where those before it missed; the last endpoint has none. */
export function statisticChances(endpoints: number): readonly Ratio[] {
  const chances: Ratio[] = [];
  let left: Ratio = [1n, 1n];
  for (let remaining = endpoints; remaining > 0; remaining--) {
    const hit = remaining === 1 ? BITS_31 : thresholdOf(remaining);
    chances.push([left[0] * hit, left[1] * BITS_31]);
    left = [left[0] * (BITS_31 - hit), left[1] * BITS_31];
  }
  return chances;
}

/** The least of 32 bits that reciprocal_scale, floor(x * n / 2^32), makes at least k: found by halving. */
function firstOf(k: bigint, n: bigint): bigint {
  let [low, high] = [0n, BITS_32];
  while (low < high) {
    const middle = (low + high) / 2n;
    if ((middle * n) / BITS_32 >= k) high = middle;
    else low = middle + 1n;
  }
  return low;
}

/** Of `numgen random mod n`. */
export function numgenChances(endpoints: number): readonly Ratio[] {
  const n = BigInt(endpoints);
  return Array.from({ length: endpoints }, (_, index) => {
    const k = BigInt(index);
    return [firstOf(k + 1n, n) - firstOf(k, n), BITS_32];
  });
}
