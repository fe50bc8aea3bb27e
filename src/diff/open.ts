import type { Outcome } from "../explore/outcome.js";
import type { Connection } from "../ruleset/connections.js";
import type { Answer } from "./answer.js";
import { changeOf } from "./answer.js";
import type { Clock } from "./clock.js";
import type { FlowDifference } from "./difference.js";
import type { Ground } from "./ground.js";
import { ask, ifaceOf, type Respondent, wayToEndpoint } from "./inquiry.js";
import { type PacketKind, TALK } from "./packet.js";
import { type Question, questionOf } from "./question.js";
import { commonSources, type Source } from "./source.js";
import { type Target, targetsOf } from "./target.js";

type Pair = readonly [Respondent, Respondent];

const SECOND = 1000;

const PLACES: readonly Target["place"][] = ["ClusterIP", "external IP", "load balancer address", "nodePort"];

/** Where connections of Services are opened: at every address of theirs, but for SCTP's, which take more to be open. */
function places(ground: Ground): readonly Target[] {
  return targetsOf(ground, false).filter(({ place, kind: { isFirst, protocol }, isUnknownPort }) => {
    return PLACES.includes(place) && isFirst && !isUnknownPort && TALK[protocol] !== undefined;
  });
}

/** Pods ask ClusterIPs, and who is outside the other addresses. */
function askerOf({ place }: Target, sources: readonly Source[]): Source | undefined {
  const asker = place === "ClusterIP" ? "a Pod" : "outside";
  return sources.find((source) => source.asker === asker) ?? sources[0];
}

/** What the endpoint of a connection answers at first. */
function replyTo({ reply }: Connection, kind: PacketKind): Uint8Array {
  const end = (address: Connection["reply"]["src"], port = 0) => ({ address, port });
  return kind.build(end(reply.src, reply.srcPort), end(reply.dst, reply.dstPort));
}

/** Opens a connection on one side, by one of the ways to an endpoint; undefined where there is none. */
function open(question: Question, answer: PacketKind, side: Respondent, now: number): Outcome | undefined {
  const way = wayToEndpoint(question, side, now);
  if (way === undefined) return undefined;
  side.engine.follow(question.sent[side.index].frame, { now, choices: way.choices });
  const [connection] = side.engine.listConnections(now);
  if (connection !== undefined) side.engine.follow(replyTo(connection, answer), { now });
  return way;
}

/** To masquerade a connection anew takes another port. */
const isMasqueraded = ({ ends }: Answer) => ends.some(({ masquerade }) => masquerade);

function differenceOf(target: Target, ground: Ground, pair: Pair, clock: Clock): FlowDifference | undefined {
  const source = askerOf(target, commonSources(ground));
  const talk = TALK[target.kind.protocol];
  if (source === undefined || talk === undefined) return undefined;
  const [a, b] = pair;
  const way = open(questionOf(source, target), talk.answer, a, clock.now);
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
export function openDifferences(ground: Ground, pair: Pair, clock: Clock): readonly FlowDifference[] {
  return places(ground)
    .map((target) => differenceOf(target, ground, pair, clock))
    .filter((one) => one !== undefined);
}
