import { printHostPort } from "../net/port.js";
import type { Answer } from "./answer.js";
import type { Clock } from "./clock.js";
import type { FlowDifference } from "./difference.js";
import type { Ground } from "./ground.js";
import { ask, choicesByEndpoint, ifaceOf, type Respondent } from "./inquiry.js";
import { FIRST } from "./packet.js";
import { type Question, questionOf } from "./question.js";
import { type AffinePort, affinePorts, type Return, returnsTo } from "./returns.js";

type Pair = readonly [Respondent, Respondent];

/** Whether a client that had a choice has none any more. */
function sticks(before: Answer, after: Answer): boolean {
  return before.ends.length > 1 && after.ends.length === 1;
}

const MS = 1000;

/** Of a Service's endpoints so many are tried as those that a client had first. */
const TRIED = 64;

/** Each endpoint's choices on both sides: a rule may remember the clients of one, and not those of another. */
function firstChoices(
  { first }: Return,
  [a, b]: Pair,
  now: number,
): readonly (readonly [Choices, Choices])[] {
  const [ofA, ofB] = [choicesByEndpoint(first, a, now), choicesByEndpoint(first, b, now)];
  const endpoints = [...new Set([...ofA.keys(), ...ofB.keys()])].slice(0, TRIED);
  return endpoints.map((endpoint) => [ofA.get(endpoint), ofB.get(endpoint)]);
}

/** Undefined where a side may choose for itself. */
type Choices = readonly number[] | undefined;

/** What a client meets that comes again from an endpoint. */
function answersTo({ first, second, seconds }: Return, pair: Pair, choices: readonly Choices[], now: number) {
  for (const { index, engine } of pair) {
    const own = choices[index];
    engine.follow(first.sent[index].frame, own === undefined ? { now } : { now, choices: own });
  }
  const later = now + seconds * MS;
  const answers = [ask(second, pair[0], later), ask(second, pair[1], later)] as const;
  for (const { engine } of pair) engine.clearConnections();
  return answers;
}

/** The endpoints are tried one after the other, so far apart that no client is remembered from one to the next. */
function differenceOf(one: Return, pair: Pair, clock: Clock): FlowDifference | undefined {
  const { first, seconds, topic, apart } = one;
  const before = [ask(first, pair[0], clock.now), ask(first, pair[1], clock.now)] as const;
  for (const choices of firstChoices(one, pair, clock.now)) {
    const answers = answersTo(one, pair, choices, clock.now);
    clock.pass(apart * MS);
    if (sticks(before[0], answers[0]) === sticks(before[1], answers[1])) continue;
    const to = printHostPort(first.target.address, first.target.port);
    return { ...shared(one.second, pair), topic, change: "endpoints", answers, earlier: { to, seconds } };
  }
  return undefined;
}

function shared(
  question: Question,
  pair: Pair,
): Pick<FlowDifference, "node" | "question" | "iface" | "names"> {
  const [a, b] = pair;
  const { node, names } = a.ruleset;
  return { node, question, iface: ifaceOf(question, a), names: [names, b.ruleset.names] };
}

/** What each mode does to a client's time: IPVS' connections make it longer. */
function termWords(isIpvs: boolean, seconds: number | undefined, netmask: string | undefined): string {
  if (seconds === undefined) return "is not remembered: each of the client's connections chooses anew";
  const whole = netmask === undefined ? "" : ` with all of its network (netmask ${netmask})`;
  const begins = `is remembered${whole} for ${seconds} s from the client's latest new connection`;
  return isIpvs ? `${begins}, and while one of its connections lives` : begins;
}

/** One mode's clients are remembered as long as they are connected; or by one alone, or with others. */
function refresh(
  { frontends: [frontend], seconds, netmasks }: AffinePort,
  ground: Ground,
  pair: Pair,
  { now }: Clock,
): FlowDifference | undefined {
  const client = ground.outside[0];
  if (client === undefined) return undefined;
  const { protocol, name: service, clusterIP: address, port: number } = frontend;
  const target = { place: "ClusterIP", address, port: number, kind: FIRST[protocol], service } as const;
  const question = questionOf({ asker: "outside", address: client }, { ...target, isUnknownPort: false });
  const answers = [ask(question, pair[0], now), ask(question, pair[1], now)] as const;
  if (answers.every(({ ends }) => ends.length < 2)) return undefined;
  const [isA, isB] = pair.map(isIpvs);
  const stated = [
    termWords(isA === true, seconds[0], netmasks[0]),
    termWords(isB === true, seconds[1], netmasks[1]),
  ] as const;
  const earlier = {
    to: printHostPort(address, number),
    seconds: Math.max(seconds[0] ?? 0, seconds[1] ?? 0) + 1,
  };
  const isBoth = seconds[0] !== undefined && seconds[1] !== undefined;
  return {
    ...shared(question, pair),
    topic: isBoth ? "affinity-refresh" : "affinity",
    change: "endpoints",
    answers,
    earlier,
    stated,
  };
}

const isIpvs = ({ ruleset }: Respondent) => ruleset.proxy === "ipvs";

/**
 * What becomes of clients that come again. Between IPVS and rules the terms are stated, for one client's packets do not
 * show them: how long IPVS remembers it depends on how long it is connected.
 */
export function affinityDifferences(ground: Ground, pair: Pair, clock: Clock): readonly FlowDifference[] {
  const ports = affinePorts(ground);
  const [isA, isB] = pair.map(isIpvs);
  const terms = isA !== isB ? "stated" : isA === true ? "ipvs" : "rules";
  const asked = ports.flatMap((port) => returnsTo(port, ground, terms));
  const found = asked.map((one) => differenceOf(one, pair, clock));
  const stated = terms === "stated" ? ports.map((port) => refresh(port, ground, pair, clock)) : [];
  return [...found, ...stated].filter((one) => one !== undefined);
}
