import { type Draw, isImpossible, outcomeCount, type Weight, weightOf } from "./draw.js";
import { ONE, times } from "./fraction.js";

/** Choices of a way, the last first: ways share how they began. */
export interface Choices {
  readonly outcome: number;
  readonly before: Choices | undefined;
}

/** One run of a packet: all of its choices were told or recorded. */
export interface Way<T> {
  /** null where a scheduler's state had a say. */
  readonly weight: Weight;
  /** Every scheduler chose what its state says. */
  readonly isNext: boolean;
  readonly choices: Choices | undefined;
  readonly result: T;
}

/** A run that began with the first `told` outcomes of the list: what came of it, and the draws behind those. */
export interface Run<T> {
  readonly draws: readonly Draw[];
  readonly result: T;
}

/** How a way begins: so many choices of it are made. */
interface Beginning extends Omit<Way<unknown>, "result"> {
  readonly made: number;
}

const NOTHING_MADE: Beginning = { made: 0, weight: ONE, isNext: true, choices: undefined };

function product(a: Weight, b: Weight): Weight {
  return a === null || b === null ? null : times(a, b);
}

/** A beginning, and one choice more. */
function after(before: Beginning, draw: Draw, outcome: number, weight: Weight): Beginning {
  return {
    made: before.made + 1,
    weight: product(before.weight, weight),
    isNext: before.isNext && (weight !== null || outcome === draw.own),
    choices: { outcome, before: before.choices },
  };
}

/** The other outcomes that a draw may have, the last first. */
function others(before: Beginning, draw: Draw): Beginning[] {
  const found: Beginning[] = [];
  for (let outcome = outcomeCount(draw) - 1; outcome >= 0; outcome--) {
    const weight = weightOf(draw, outcome);
    if (outcome !== draw.taken && !isImpossible(weight)) found.push(after(before, draw, outcome, weight));
  }
  return found;
}

function expectRoom(choices: number, most: number): void {
  if (choices > most)
    throw new RangeError(`The packet meets more than ${most} choices on one way: too many to explore.`);
}

function expectWithin(ways: number, limit: number): void {
  if (ways > limit)
    throw new RangeError(`The packet has more than ${limit} ways: state a higher limit to explore them all.`);
}

/**
 * Takes all ways of a packet in the order of the rules, a rule's hit before its miss: each is run once, and each draw is
 * recorded once, by the first way that meets it. The beginnings of others wait with the longest last, so what stands in the
 * list before the last choice of one is what led to it. RangeError where the list does not hold a way's choices, or for
 * more ways than `limit`.
 */
export function forEachWay<T>(
  run: (told: number) => Run<T>,
  list: Uint32Array,
  limit: number,
  take: (way: Way<T>) => void,
): void {
  const waiting: Beginning[] = [NOTHING_MADE];
  let taken = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    let way = next;
    if (way.choices !== undefined) list[way.made - 1] = way.choices.outcome;
    const { draws, result } = run(way.made);
    expectRoom(way.made + draws.length, list.length);
    for (const draw of draws) {
      list[way.made] = draw.taken;
      for (const other of others(way, draw)) waiting.push(other);
      way = after(way, draw, draw.taken, weightOf(draw, draw.taken));
    }
    const { weight, isNext, choices } = way;
    take({ weight, isNext, choices, result });
    taken++;
    expectWithin(taken + waiting.length, limit);
  }
}

/** A way's choices, the first first. */
export function choicesOf(last: Choices | undefined): readonly number[] {
  const choices: number[] = [];
  for (let one = last; one !== undefined; one = one.before) choices.push(one.outcome);
  return choices.reverse();
}
