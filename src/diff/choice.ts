import { changeOf } from "./answer.js";
import type { Clock } from "./clock.js";
import { type FlowDifference, summariesOf } from "./difference.js";
import type { Respondent } from "./inquiry.js";
import { questionOf } from "./question.js";
import { answersTo, isCommon, pauseAfter, type Return, returnDifference, visitsOf } from "./visit.js";

type Pair = readonly [Respondent, Respondent];

/** A day: sessionAffinity remembers no client longer. */
const DAY = 86_400;

/** Whether a hash chose on one side what the other drew. */
function isHashed({ change, answers }: FlowDifference): boolean {
  return change === "choice" && answers.some(({ ends }) => ends.length === 1);
}

/** Those of one kind to one target: the first of them, which is the plainest, stands for all. */
function kindOf(difference: FlowDifference): string {
  const { address, port, kind } = difference.question.target;
  return [address, port, kind.protocol, ...summariesOf(difference)].join("\n");
}

/** A client's next connection, which is asked about in the place of its first; undefined where it shows no difference. */
function shownByReturn(difference: FlowDifference, pair: Pair, clock: Clock): FlowDifference | undefined {
  const { question: first, topic } = difference;
  const { source, target, sent } = first;
  const { protocol } = target.kind;
  // What the two sides are sent from other addresses may be hashed apart.
  if (protocol === "ICMP" || sent[0] !== sent[1]) return undefined;
  const second = questionOf(source, target, true);
  const one: Return = { first, second, protocol, seconds: 1, isInUse: false, apart: DAY, topic };
  const visit = visitsOf(one, pair, clock.now).find(isCommon);
  if (visit === undefined) return undefined;
  const answers = answersTo(one, pair, visit, clock.now);
  clock.pass(pauseAfter(one));
  const isShown = changeOf(...answers, [pair[0].hashes, pair[1].hashes]) === "choice";
  return isShown ? returnDifference(one, visit, answers, pair) : undefined;
}

/** Where a hash chooses, a client that comes again shows it: one of each kind to each target is asked about so. */
export function shownByReturns(
  differences: readonly FlowDifference[],
  pair: Pair,
  clock: Clock,
): readonly FlowDifference[] {
  const shown = new Set<string>();
  return differences.map((one) => {
    if (!isHashed(one)) return one;
    const kind = kindOf(one);
    if (shown.has(kind)) return one;
    shown.add(kind);
    return shownByReturn(one, pair, clock) ?? one;
  });
}
