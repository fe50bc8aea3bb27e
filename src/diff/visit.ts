import { type Protocol, printHostPort } from "../net/port.js";
import type { Answer } from "./answer.js";
import type { Earlier, FlowDifference } from "./difference.js";
import { ask, choicesByEndpoint, ifaceOf, type Respondent } from "./inquiry.js";
import { TALK } from "./packet.js";
import type { Question } from "./question.js";
import { keepInUse, openConnection } from "./talk.js";
import type { Topic } from "./topic.js";

type Pair = readonly [Respondent, Respondent];
export type Answers = readonly [Answer, Answer];

/** A client that asked before asks again. */
export interface Return {
  readonly first: Question;
  readonly second: Question;
  readonly protocol: Protocol;
  /** Between the two. */
  readonly seconds: number;
  /** The first connection is in use until the second begins; else its first packet is all there is of it. */
  readonly isInUse: boolean;
  /** From one such client to the next, in seconds, that the earlier one is forgotten. */
  readonly apart: number;
  readonly topic: Topic;
}

const MS = 1000;

/** Of a Service's endpoints so many are tried as those that a client had first. */
const TRIED = 64;

/** How a client comes to an endpoint, on both sides. */
export interface Visit {
  readonly endpoint: string;
  /** Undefined where a side cannot be led there: it chooses for itself. */
  readonly choices: readonly [readonly number[] | undefined, readonly number[] | undefined];
}

/** Each endpoint that a client may have had first, on either side. */
export function visitsOf({ first }: Return, [a, b]: Pair, now: number): readonly Visit[] {
  const [ofA, ofB] = [choicesByEndpoint(first, a, now), choicesByEndpoint(first, b, now)];
  const endpoints = [...new Set([...ofA.keys(), ...ofB.keys()])].slice(0, TRIED);
  return endpoints.map((endpoint) => ({ endpoint, choices: [ofA.get(endpoint), ofB.get(endpoint)] }));
}

/** Whether both sides can be led to the endpoint. */
export const isCommon = ({ choices }: Visit): boolean => !choices.includes(undefined);

/** Has a client come to an endpoint, and stay connected where that is asked for. */
function come(
  { first, seconds, isInUse, protocol }: Return,
  side: Respondent,
  { choices }: Visit,
  now: number,
) {
  const own = choices[side.index];
  const options = own === undefined ? { now } : { now, choices: own };
  if (!isInUse) {
    side.engine.follow(first.sent[side.index].frame, options);
    return;
  }
  const talk = TALK[protocol];
  const connection = openConnection(first, talk, side, options);
  if (connection !== undefined) keepInUse(first, talk, side, connection, [now, now + seconds * MS]);
}

/** What a client meets that comes again from an endpoint; both sides forget its connections then, but not always itself. */
export function answersTo(one: Return, pair: Pair, visit: Visit, now: number): Answers {
  for (const side of pair) come(one, side, visit, now);
  const later = now + one.seconds * MS;
  const answers = [ask(one.second, pair[0], later), ask(one.second, pair[1], later)] as const;
  for (const { engine } of pair) engine.clearConnections();
  return answers;
}

function earlierOf({ first, seconds, isInUse }: Return, { endpoint }: Visit): Earlier {
  const { target, sent } = first;
  const [{ from }] = sent;
  const to = printHostPort(target.address, target.port);
  return { from: printHostPort(from.address, from.port), to, seconds, wentTo: endpoint, isInUse };
}

/** What both sides make of a client that comes again, as a difference. */
export function returnDifference(one: Return, visit: Visit, answers: Answers, [a, b]: Pair): FlowDifference {
  return {
    node: a.ruleset.node,
    topic: one.topic,
    change: one.topic === "choice" ? "choice" : "endpoints",
    question: one.second,
    iface: ifaceOf(one.second, a),
    answers,
    names: [a.ruleset.names, b.ruleset.names],
    earlier: earlierOf(one, visit),
  };
}

/** So far apart that the earlier client is forgotten. */
export function pauseAfter({ apart }: Return): number {
  return apart * MS;
}
