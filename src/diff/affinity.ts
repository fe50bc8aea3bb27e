import type { Answer } from "./answer.js";
import type { Clock } from "./clock.js";
import type { FlowDifference } from "./difference.js";
import type { Ground } from "./ground.js";
import { ask, type Respondent } from "./inquiry.js";
import { type AffinePort, affinePorts, returnsTo, type Terms } from "./returns.js";
import {
  type Answers,
  answersTo,
  isCommon,
  pauseAfter,
  type Return,
  returnDifference,
  visitsOf,
} from "./visit.js";

type Pair = readonly [Respondent, Respondent];

/** Whether a client that had a choice has none any more. */
function sticks(before: Answer, after: Answer): boolean {
  return before.ends.length > 1 && after.ends.length === 1;
}

/** Whether one side alone leaves a client that comes again no choice. */
function isTold(terms: Terms, before: Answers, after: Answers): boolean {
  if (terms !== "mixed") return sticks(before[0], after[0]) !== sticks(before[1], after[1]);
  // A scheduler that hashes leaves a client no choice from the first on.
  return (after[0].ends.length === 1) !== (after[1].ends.length === 1);
}

/** The endpoints are tried one after the other, so far apart that no client is remembered from one to the next. */
function differenceOf(one: Return, pair: Pair, clock: Clock, terms: Terms): FlowDifference | undefined {
  const { first } = one;
  const before = [ask(first, pair[0], clock.now), ask(first, pair[1], clock.now)] as const;
  for (const visit of visitsOf(one, pair, clock.now)) {
    // What one side alone may choose says nothing of how long the other remembers it.
    if (terms === "mixed" && !isCommon(visit)) continue;
    const answers = answersTo(one, pair, visit, clock.now);
    clock.pass(pauseAfter(one));
    if (isTold(terms, before, answers)) return returnDifference(one, visit, answers, pair);
  }
  return undefined;
}

/** What each mode does to a client's time: IPVS' connections make it longer. */
function termWords(isIpvs: boolean, seconds: number | undefined, netmask: string | undefined): string {
  if (seconds === undefined) return "; the client is not remembered";
  const whole = netmask === undefined ? "" : ` with all of its network (netmask ${netmask})`;
  const begins = `; the client is remembered${whole} for ${seconds} s from its latest new connection`;
  return isIpvs ? `${begins}, and while one of its connections lives` : begins;
}

const isIpvs = ({ ruleset }: Respondent) => ruleset.proxy === "ipvs";

/** What each side's terms are, behind what becomes of a packet that shows them. */
function termsOf({ seconds, netmasks }: AffinePort, [a, b]: Pair): readonly [string, string] {
  return [termWords(isIpvs(a), seconds[0], netmasks[0]), termWords(isIpvs(b), seconds[1], netmasks[1])];
}

/**
 * What becomes of clients that come again. Between IPVS and rules the terms are told, too, since a packet shows but one end of
 * them.
 */
export function affinityDifferences(
  ground: Ground,
  pair: Pair,
  clock: Clock,
  onAsked: () => void,
): readonly FlowDifference[] {
  const [isA, isB] = pair.map(isIpvs);
  const terms = isA !== isB ? "mixed" : isA === true ? "ipvs" : "rules";
  return affinePorts(ground).flatMap((port) => {
    const beside = terms === "mixed" ? { beside: termsOf(port, pair) } : {};
    return returnsTo(port, ground, terms).flatMap((one) => {
      onAsked();
      const found = differenceOf(one, pair, clock, terms);
      return found === undefined ? [] : [{ ...found, ...(one.topic === "affinity-scope" ? {} : beside) }];
    });
  });
}
