import { changeOf } from "./answer.js";
import type { Clock } from "./clock.js";
import type { FlowDifference } from "./difference.js";
import type { Respondent } from "./inquiry.js";
import { questionOf } from "./question.js";
import { answersTo, isCommon, pauseAfter, type Return, returnDifference, visitsOf } from "./visit.js";

/** A day: sessionAffinity remembers no client longer. */
const DAY = 86_400;

/** Whether a hash chose on one side what the other drew. */
function isHashed({ change, answers }: FlowDifference): boolean {
  return change === "choice" && answers.some(({ ends }) => ends.length === 1);
}

/**
 * Where a hash chooses, a client that comes again shows it: its next connection is asked about in the place of its first. The
 * difference stays as it is where that shows none, and where the two sides are not sent the same.
 */
export function shownByReturn(
  difference: FlowDifference,
  pair: readonly [Respondent, Respondent],
  clock: Clock,
): FlowDifference {
  const { question: first, topic } = difference;
  const { source, target, sent } = first;
  const { protocol } = target.kind;
  if (!isHashed(difference) || protocol === "ICMP" || sent[0] !== sent[1]) return difference;
  const second = questionOf(source, target, true);
  const one: Return = { first, second, protocol, seconds: 1, isInUse: false, apart: DAY, topic };
  const visit = visitsOf(one, pair, clock.now).find(isCommon);
  if (visit === undefined) return difference;
  const answers = answersTo(one, pair, visit, clock.now);
  clock.pass(pauseAfter(one));
  const isShown = changeOf(...answers, [pair[0].hashes, pair[1].hashes]) === "choice";
  return isShown ? returnDifference(one, visit, answers, pair) : difference;
}
