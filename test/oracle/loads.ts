import type { Real } from "./schedulers.js";

/** IPVS' schedulers that go by connections, one function each, over the kernel's list, newest first. */
type Pick = (list: readonly Real[]) => Real | undefined;

/** What the machine draws next: a number from 0 on below n. */
export type Draws = (n: number) => number;

/** ip_vs_dest_conn_overhead */
export const overheadOf = ({ active, inactive }: Real): number => active * 256 + inactive;

const open = (list: readonly Real[]) => list.filter(({ isOverloaded }) => !isOverloaded);
const weighty = (list: readonly Real[]) => open(list).filter(({ weight }) => weight > 0);

/** The first of those than which none is better. */
function best(list: readonly Real[], isBetter: (one: Real, than: Real) => boolean): Real | undefined {
  return list.find((one) => !list.some((other) => isBetter(other, one)));
}

const byWeight = (cost: (real: Real) => number) => (one: Real, than: Real) =>
  BigInt(cost(one)) * BigInt(than.weight) < BigInt(cost(than)) * BigInt(one.weight);

export const leastConnections: Pick = (list) =>
  best(weighty(list), (one, than) => overheadOf(one) < overheadOf(than));

export const leastWeighted: Pick = (list) => best(weighty(list), byWeight(overheadOf));

export const shortestDelay: Pick = (list) =>
  best(
    weighty(list),
    byWeight(({ active }) => active + 1),
  );

export const idleFirst: Pick = (list) =>
  weighty(list).find(({ active }) => active === 0) ?? shortestDelay(list);

export const heaviest: Pick = (list) => best(weighty(list), (one, than) => one.weight > than.weight);

export const notFull: Pick = (list) => heaviest(list.filter(({ active, weight }) => active <= weight));

export function drawnOfTwo(list: readonly Real[], draws: Draws): Real | undefined {
  const candidates = weighty(list);
  if (candidates.length === 0) return undefined;
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
  const [one, two] = [draws(total + 1), draws(total + 1)].map((draw) =>
    candidates.find(
      (_, at) => draw <= candidates.slice(0, at + 1).reduce((sum, { weight }) => sum + weight, 0),
    ),
  );
  if (one === undefined || two === undefined) throw new Error("a draw beyond all weights");
  const isBetter = Math.imul(two.weight, overheadOf(one)) > Math.imul(one.weight, overheadOf(two));
  return isBetter ? two : one;
}
