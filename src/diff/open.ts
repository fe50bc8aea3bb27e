import type { Outcome } from "../explore/outcome.js";
import type { Answer } from "./answer.js";
import { changeOf } from "./answer.js";
import type { Clock } from "./clock.js";
import type { FlowDifference } from "./difference.js";
import type { Ground } from "./ground.js";
import { ask, ifaceOf, type Respondent, wayToEndpoint } from "./inquiry.js";
import { TALK, type Talk } from "./packet.js";
import { type Question, questionOf } from "./question.js";
import { commonSources, type Source } from "./source.js";
import { openConnection } from "./talk.js";
import { type Target, targetsOf } from "./target.js";

type Pair = readonly [Respondent, Respondent];

const SECOND = 1000;

const PLACES: readonly Target["place"][] = ["ClusterIP", "external IP", "load balancer address", "nodePort"];

/** Where connections of Services are opened: at every address of theirs. */
function places(ground: Ground): readonly Target[] {
  return targetsOf(ground, false).filter(({ place, kind: { isFirst, protocol }, isUnknownPort }) => {
    return PLACES.includes(place) && isFirst && !isUnknownPort && protocol !== "ICMP";
  });
}

/** Pods ask ClusterIPs, and who is outside the other addresses. */
function askerOf({ place }: Target, sources: readonly Source[]): Source | undefined {
  const asker = place === "ClusterIP" ? "a Pod" : "outside";
  return sources.find((source) => source.asker === asker) ?? sources[0];
}

/** Opens a connection on one side, by one of the ways to an endpoint; undefined where there is none. */
function open(question: Question, talk: Talk, side: Respondent, now: number): Outcome | undefined {
  const way = wayToEndpoint(question, side, now);
  if (way !== undefined) openConnection(question, talk, side, { now, choices: way.choices });
  return way;
}

/** To masquerade a connection anew takes another port. */
const isMasqueraded = ({ ends }: Answer) => ends.some(({ masquerade }) => masquerade);

function differenceOf(target: Target, ground: Ground, pair: Pair, clock: Clock): FlowDifference | undefined {
  const source = askerOf(target, commonSources(ground));
  const { protocol } = target.kind;
  if (source === undefined || protocol === "ICMP") return undefined;
  const talk = TALK[protocol];
  const [a, b] = pair;
  const way = open(questionOf(source, target), talk, a, clock.now);
  const question = questionOf(source, { ...target, kind: talk.next });
  const answers = [ask(question, a, clock.now), ask(question, b, clock.now)] as const;
  a.engine.clearConnections();
  clock.pass(SECOND);
  if (way === undefined) return undefined;
  const isOtherPort = way.masquerade && isMasqueraded(answers[1]);
  const change = changeOf(...answers, [false, false]) ?? (isOtherPort ? "masquerade" : undefined);
  if (change === undefined) return undefined;
  return {
    node: a.ruleset.node,
    topic: "open-connection",
    change,
    question,
    iface: ifaceOf(question, a),
    answers,
    names: [a.ruleset.names, b.ruleset.names],
    ...(isOtherPort ? { beside: ["", ", from another port than before"] as const } : {}),
  };
}

/**
 * What becomes of connections that are open on the one side where the other takes over and knows none of them: of each
 * address of each Service one is opened and answered, and its next packet is asked about. One that goes on to its only
 * endpoint, by the port it had, is no difference.
 */
export function openDifferences(
  ground: Ground,
  pair: Pair,
  clock: Clock,
  onAsked: () => void,
): readonly FlowDifference[] {
  const found = places(ground).map((target) => {
    onAsked();
    return differenceOf(target, ground, pair, clock);
  });
  return found.filter((one) => one !== undefined);
}
