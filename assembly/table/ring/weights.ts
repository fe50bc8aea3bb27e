import { REAL_LEN, REAL_WEIGHT } from "./layout";

/** gcd(0, b) is b. */
export function gcd(a: u32, b: u32): u32 {
  while (a != 0) {
    const rest = b % a;
    b = a;
    a = rest;
  }
  return b;
}

/** The weight that wrr requires after its servers changed (ip_vs_wrr_dest_changed). */
export function requiredWeight(weight: u32, top: u32, step: u32): u32 {
  if (weight == 0 || weight > top) return top;
  return step > 1 ? (weight / step) * step + 1 : weight;
}

/** What wrr goes by: largest weight, step, and the weights that its rounds begin with. */
@unmanaged
@final
export class Rounds {
  max: u32;
  step: u32;
  top: u32;
  start: u32;

  @inline
  static at(address: usize): Rounds {
    return changetype<Rounds>(address);
  }

  /**
   * Of real servers in the order of their addition. Where they are changed, the first round is that of before, adjusted;
   * else it is adjusted with every one that is added (ip_vs_wrr.c).
   */
  measure(reals: usize, count: u32, changed: bool): void {
    const before = this.start;
    let divisor: u32 = 0;
    this.max = this.top = this.start = 0;
    this.step = 1;
    for (let i: u32 = 0; i < count; i++) {
      const weight = load<u32>(reals + i * REAL_LEN, REAL_WEIGHT);
      divisor = gcd(divisor, weight);
      this.max = max<u32>(this.max, weight);
      this.step = max<u32>(divisor, 1);
      this.top = this.max == 0 ? 0 : this.max - (this.step - 1);
      this.start = requiredWeight(this.start, this.top, this.step);
    }
    if (changed) this.start = requiredWeight(before, this.top, this.step);
  }

  /** A scheduler that comes to servers which are there begins with the largest (ip_vs_wrr_init_svc). */
  begin(): void {
    this.start = this.top;
  }
}
