import { type Draw, isImpossible, outcomeCount, type Weight, weightOf } from "./draw.js";
import { ONE, times } from "./fraction.js";

/** One run of a packet: all of its choices were told or recorded. */
export interface Way<T> {
  /** null where a scheduler's state had a say. */
  readonly weight: Weight;
  /** Every scheduler chose what its state says. */
  readonly isNext: boolean;
  readonly result: T;
}

/** A run that began with the first `told` outcomes of the list: what came of it, and the draws behind those. */
export interface Run<T> {
  readonly draws: readonly Draw[];
  readonly result: T;
}

/** An outcome still to be tried: the list's entry `at`, behind those that stand before it. */
interface Branch {
  readonly at: number;
  readonly outcome: number;
  readonly weight: Weight;
  readonly isNext: boolean;
}

function product(a: Weight, b: Weight): Weight {
  return a === null || b === null ? null : times(a, b);
}

/** The other outcomes that a draw may have. */
function branches(draw: Draw, at: number, { weight, isNext }: Omit<Way<unknown>, "result">): Branch[] {
  const found: Branch[] = [];
  for (let outcome = outcomeCount(draw) - 1; outcome >= 0; outcome--) {
    const own = weightOf(draw, outcome);
    if (outcome === draw.outcome || isImpossible(own)) continue;
    found.push({ at, outcome, weight: product(weight, own), isNext: isNext && own !== null });
  }
  return found;
}

/**
 * All ways of a packet, depth first: each is run once, and each draw is recorded once, by the first way that meets it.
 * Branches wait with the deepest last, so what stands in the list before a branch is what led to it. RangeError where
 * the list does not hold a way's choices, or for more ways than `limit`.
 */
export function allWays<T>(run: (told: number) => Run<T>, list: Uint32Array, limit: number): Way<T>[] {
  const ways: Way<T>[] = [];
  const waiting: Branch[] = [];
  const take = (told: number, first: Omit<Way<T>, "result">) => {
    const { draws, result } = run(told);
    if (told + draws.length > list.length)
      throw new RangeError(
        `The packet meets more than ${list.length} choices on one way: too many to explore.`,
      );
    let weight = first.weight;
    for (const [index, draw] of draws.entries()) {
      list[told + index] = draw.outcome;
      for (const branch of branches(draw, told + index, { weight, isNext: first.isNext }))
        waiting.push(branch);
      weight = product(weight, weightOf(draw, draw.outcome));
    }
    ways.push({ weight, isNext: first.isNext, result });
    if (ways.length + waiting.length > limit)
      throw new RangeError(
        `The packet has more than ${limit} ways: state a higher limit to explore them all.`,
      );
  };
  take(0, { weight: ONE, isNext: true });
  for (let branch = waiting.pop(); branch !== undefined; branch = waiting.pop()) {
    list[branch.at] = branch.outcome;
    take(branch.at + 1, branch);
  }
  return ways;
}
