import type { TraceRecord } from "../trace/record.js";
import type { Weight } from "./draw.js";
import type { Fate } from "./fate.js";
import { compareFractions, plus } from "./fraction.js";
import type { Taped } from "./tape.js";
import { choicesOf, type Way } from "./ways.js";

/** One thing that may become of a packet; records and choices are those of its likeliest way. */
export interface Outcome extends Fate {
  readonly records: readonly TraceRecord[];
  /** Exactly, of all choices on the way; null where turns, connections or draws of a scheduler decide. */
  readonly probability: Weight;
  /** What comes next by the schedulers' state; true where none is asked. */
  readonly isNext: boolean;
  /** So many ways lead here. */
  readonly ways: number;
  /** What its choices came to: `engine.follow` takes that way again. */
  readonly choices: readonly number[];
}

/** What became of a packet in one run, and its records. */
export interface Told extends Fate {
  readonly taped: Taped;
}

/** Ways that lead to one end. */
interface Tally {
  /** The likeliest of them. */
  readonly told: Way<Told>;
  readonly probability: Weight;
  readonly isNext: boolean;
  readonly ways: number;
}

function keyOf({ verdict, reason, destination, masquerade }: Fate): string {
  return `${verdict} ${reason} ${destination?.address} ${destination?.port} ${masquerade}`;
}

function isLikelier(a: Weight, b: Weight): boolean {
  return a !== null && b !== null && compareFractions(a, b) > 0;
}

/** Two ways to the same end: the probabilities are added up, and the likelier way is told, or the next one. */
function joined({ told, probability, isNext, ways }: Tally, way: Way<Told>): Tally {
  const isBetter = isLikelier(way.weight, told.weight) || (way.isNext && !told.isNext);
  return {
    told: isBetter ? way : told,
    probability: probability === null || way.weight === null ? null : plus(probability, way.weight),
    isNext: isNext || way.isNext,
    ways: ways + 1,
  };
}

/** What is asked for seldom is read when it is. */
class TalliedOutcome implements Outcome {
  readonly verdict: Outcome["verdict"];
  readonly reason: Outcome["reason"];
  readonly destination: Outcome["destination"];
  readonly masquerade: boolean;
  readonly probability: Weight;
  readonly isNext: boolean;
  readonly ways: number;
  readonly #told: Way<Told>;

  constructor({ told, probability, isNext, ways }: Tally) {
    const { verdict, reason, destination, masquerade } = told.result;
    this.verdict = verdict;
    this.reason = reason;
    this.destination = destination;
    this.masquerade = masquerade;
    this.probability = probability;
    this.isNext = isNext;
    this.ways = ways;
    this.#told = told;
  }

  get records(): readonly TraceRecord[] {
    return this.#told.result.taped.read();
  }

  get choices(): readonly number[] {
    return choicesOf(this.#told.choices);
  }
}

/** Collects what may become of a packet, way by way: those with an equal end are one outcome. */
export class Outcomes {
  readonly #tallies = new Map<string, Tally>();

  add(way: Way<Told>): void {
    const key = keyOf(way.result);
    const known = this.#tallies.get(key);
    const { weight: probability, isNext } = way;
    const tally = known === undefined ? { told: way, probability, isNext, ways: 1 } : joined(known, way);
    this.#tallies.set(key, tally);
  }

  /** In the order in which each was met first. */
  get all(): readonly Outcome[] {
    return [...this.#tallies.values()].map((tally) => new TalliedOutcome(tally));
  }
}

/** Whether a should be told before b: what is next by the schedulers' turns, and else what is likelier. */
function isBefore(a: Outcome, b: Outcome): boolean {
  return isLikelier(a.probability, b.probability) || (a.isNext && !b.isNext);
}

/** The likeliest of a packet's outcomes, or the next by the schedulers' turns; of equals the first. */
export function likeliest(outcomes: readonly Outcome[]): Outcome | undefined {
  return outcomes.reduce<Outcome | undefined>(
    (best, one) => (best === undefined || isBefore(one, best) ? one : best),
    undefined,
  );
}
