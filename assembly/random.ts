import { BATCH_DRAWS, BATCH_DRAWS_COUNT, BATCH_DRAWS_TAKEN } from "./abi/packet";
import { DRAW_BELOW, DRAW_CHANCE, EVENT_DRAW } from "./abi/trace";
import { Packet } from "./packet";
import { State } from "./state";
import { record } from "./trace";

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

/** Whether something happens whose chance is threshold / 2^31 (xt_statistic.c). */
export function chance(packet: Packet, threshold: u32): bool {
  const happens = (draw(packet.state) & 0x7fffffff) < threshold;
  return TRACE ? replayed(packet, DRAW_CHANCE, threshold, u32(happens)) != 0 : happens;
}

/** A draw in 0 … n - 1, as the kernel scales one: floor(draw * n / 2^32) (reciprocal_scale). */
export function drawBelow(packet: Packet, n: u32): u32 {
  const drawn = untoldBelow(packet.state, n);
  return TRACE ? min<u32>(replayed(packet, DRAW_BELOW, n, drawn), n - 1) : drawn;
}

/** The same where no list tells it: of a port, one of its class is as good as another; of twos, its turn is told (table/ring/turns). */
export function untoldBelow(state: State, n: u32): u32 {
  return <u32>((<u64>draw(state) * n) >> 32);
}

/** The outcome that is tried before all others: a rule's hit, if it can happen, and else the first of so many. */
function firstOf(kind: u32, range: u32): u32 {
  return u32(kind == DRAW_CHANCE && range != 0);
}

/**
 * The outcome of a choice in the trace build: the next of the batch's list, or behind its end the first there is, which is
 * recorded beside the machine's own. `kind` is a DRAW code.
 */
export function replayed(packet: Packet, kind: u32, range: u32, own: u32): u32 {
  const batch = <usize>packet.batch;
  const list = load<u32>(batch, BATCH_DRAWS);
  if (list == 0) return own;
  const taken = load<u32>(batch, BATCH_DRAWS_TAKEN);
  if (taken >= load<u32>(batch, BATCH_DRAWS_COUNT)) {
    const first = firstOf(kind, range);
    record(packet, EVENT_DRAW, kind, range, first, own, 0);
    return first;
  }
  store<u32>(batch, taken + 1, BATCH_DRAWS_TAKEN);
  return load<u32>(batch + list + (taken << 2));
}

export function seed(state: State, low: u32, high: u32): void {
  state.random0 = low;
  state.random1 = high;
  state.random2 = 0x9e3779b9;
  state.random3 = 1;
  for (let round = 0; round < 15; round++) draw(state);
}
