import { SERVER_ENTRY_LEN, SERVER_LAST_WEIGHT, SERVER_WEIGHT } from "../../abi/server";

/** The weight by which Maglev fills slots: the last that was not 0. */
export function lastWeight(row: usize): u32 {
  const weight = load<u32>(row, SERVER_WEIGHT);
  return weight == 0 ? load<u32>(row, SERVER_LAST_WEIGHT) : weight;
}

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

  /** From rows in the order of their addition, since the kernel adjusts the first round with every one (ip_vs_wrr.c). */
  measure(rows: usize, count: u32): void {
    let divisor: u32 = 0;
    this.max = this.top = this.start = 0;
    this.step = 1;
    for (let i: u32 = 0; i < count; i++) {
      const weight = load<u32>(rows + i * SERVER_ENTRY_LEN, SERVER_WEIGHT);
      divisor = gcd(divisor, weight);
      this.max = max<u32>(this.max, weight);
      this.step = max<u32>(divisor, 1);
      this.top = this.max == 0 ? 0 : this.max - (this.step - 1);
      this.start = requiredWeight(this.start, this.top, this.step);
    }
  }
}
