import { State } from "./state";

/**
 * Every random choice of the machine: sfc32 (Doty-Humphrey, PractRand), its four words of state in the state, so
 * that equal states draw equally.
 */
export function draw(state: State): u32 {
  const a = state.random0;
  const b = state.random1;
  const c = state.random2;
  const sum = a + b + state.random3++;
  state.random0 = b ^ (b >> 9);
  state.random1 = c + (c << 3);
  state.random2 = rotl<u32>(c, 21) + sum;
  return sum;
}

/** A draw in 0 … n - 1, as the kernel scales one: floor(draw * n / 2^32) (reciprocal_scale). */
export function drawBelow(state: State, n: u32): u32 {
  return <u32>((<u64>draw(state) * n) >> 32);
}

export function seed(state: State, low: u32, high: u32): void {
  state.random0 = low;
  state.random1 = high;
  state.random2 = 0x9e3779b9;
  state.random3 = 1;
  for (let round = 0; round < 15; round++) draw(state);
}
