import type { Ip } from "../net/ip.js";
import { printHostPort } from "../net/port.js";
import type { Frontend } from "../proxy/frontends.js";
import type { Answer } from "./answer.js";
import type { FlowDifference } from "./difference.js";
import type { Ground } from "./ground.js";
import { ask, ifaceOf, type Respondent } from "./inquiry.js";
import { FIRST } from "./packet.js";
import { type Question, questionOf } from "./question.js";
import type { Target } from "./target.js";
import type { Topic } from "./topic.js";

type Pair = readonly [Respondent, Respondent];

/** A port on both sides, of which one at least remembers its clients. */
interface AffinePort {
  readonly frontends: readonly [Frontend, Frontend];
  /** How long on each side, in seconds; undefined where it does not. */
  readonly seconds: readonly [number | undefined, number | undefined];
}

/** A client that asked before asks again. */
interface Return {
  readonly first: Question;
  readonly second: Question;
  /** Between the two. */
  readonly seconds: number;
  readonly topic: Topic;
}

/** Ports that both sides serve in the same way, and that remember their clients on one of them at least. */
function affinePorts({ sides: [a, b] }: Ground): readonly AffinePort[] {
  const others = new Map(b.served.map(({ frontend }) => [`${frontend.name} ${frontend.protocol}`, frontend]));
  return a.served.flatMap(({ frontend }) => {
    const other = others.get(`${frontend.name} ${frontend.protocol}`);
    const seconds = [frontend.affinitySeconds, other?.affinitySeconds] as const;
    const isTold = seconds.some((one) => one !== undefined);
    if (!isTold || other?.clusterIP !== frontend.clusterIP) return [];
    return [{ frontends: [frontend, other] as const, seconds }];
  });
}

type Way = Pick<Target, "place" | "address" | "port">;

/** Addresses that lead to a port beside its ClusterIP, for everybody. */
function waysTo(frontend: Frontend, primary: Ip | undefined): readonly Way[] {
  const { vips, externalIPs, nodePort, port, sourceRanges, externalPolicyLocal } = frontend;
  if (externalPolicyLocal) return [];
  const open = sourceRanges.length === 0 ? vips : [];
  return [
    ...externalIPs.map((address) => ({ place: "external IP" as const, address, port })),
    ...(nodePort === 0 || primary === undefined
      ? []
      : [{ place: "nodePort" as const, address: primary, port: nodePort }]),
    ...open.map((address) => ({ place: "load balancer address" as const, address, port })),
  ];
}

/** The first that both sides have. */
function otherWay({ frontends: [a, b] }: AffinePort, { sides }: Ground): Way | undefined {
  const known = waysTo(b, sides[1].ownAddresses[0]);
  return waysTo(a, sides[0].ownAddresses[0]).find((way) =>
    known.some(({ address, port }) => way.address === address && way.port === port),
  );
}

function returnsTo(port: AffinePort, ground: Ground, isIpvs: boolean): readonly Return[] {
  const client = ground.outside[0];
  if (client === undefined) return [];
  const { protocol, name: service, clusterIP, port: number } = port.frontends[0];
  const source = { asker: "outside", address: client } as const;
  const target = { kind: FIRST[protocol], service, isUnknownPort: false };
  const plain = { ...target, place: "ClusterIP", address: clusterIP, port: number } as const;
  const other = otherWay(port, ground);
  const first = questionOf(source, plain);
  const again = (to: Target, after: number, topic: Topic) => {
    return { first, second: questionOf(source, to, true), seconds: after, topic };
  };
  const [a, b] = port.seconds;
  if (a === undefined || b === undefined) return isIpvs ? [] : [again(plain, 1, "affinity")];
  return [
    ...(isIpvs || a === b ? [] : [again(plain, Math.min(a, b) + 1, "affinity")]),
    ...(other === undefined ? [] : [again({ ...target, ...other }, 1, "affinity-scope")]),
  ];
}

/** Whether a client that had a choice has none any more. */
function sticks(before: Answer, after: Answer): boolean {
  return before.ends.length > 1 && after.ends.length === 1;
}

const MS = 1000;

function differenceOf({ first, second, seconds, topic }: Return, pair: Pair): FlowDifference | undefined {
  const before = [ask(first, pair[0]), ask(first, pair[1])] as const;
  for (const { engine } of pair) engine.follow(first.frame);
  const answers = [ask(second, pair[0], seconds * MS), ask(second, pair[1], seconds * MS)] as const;
  for (const { engine } of pair) engine.clearConnections();
  if (sticks(before[0], answers[0]) === sticks(before[1], answers[1])) return undefined;
  const to = printHostPort(first.target.address, first.target.port);
  return { ...shared(second, pair), topic, change: "endpoints", answers, earlier: { to, seconds } };
}

function shared(
  question: Question,
  pair: Pair,
): Pick<FlowDifference, "node" | "question" | "iface" | "names"> {
  const [a, b] = pair;
  const { node, names } = a.ruleset;
  return { node, question, iface: ifaceOf(question, a), names: [names, b.ruleset.names] };
}

/** What each mode does to a client's time; IPVS' persistence is not run, but known. */
function termWords(isIpvs: boolean, seconds: number): string {
  const begins = `is remembered for ${seconds} s from the client's latest new connection`;
  return isIpvs ? `${begins}, and while one of its connections lives` : begins;
}

/** One mode's clients are remembered as long as they are connected. */
function refresh(
  { frontends: [frontend], seconds }: AffinePort,
  ground: Ground,
  pair: Pair,
): FlowDifference | undefined {
  const client = ground.outside[0];
  const [a, b] = seconds;
  if (client === undefined || a === undefined || b === undefined) return undefined;
  const { protocol, name: service, clusterIP: address, port: number } = frontend;
  const target = { place: "ClusterIP", address, port: number, kind: FIRST[protocol], service } as const;
  const question = questionOf({ asker: "outside", address: client }, { ...target, isUnknownPort: false });
  const answers = [ask(question, pair[0]), ask(question, pair[1])] as const;
  if (answers.every(({ ends }) => ends.length < 2)) return undefined;
  const [isA, isB] = pair.map(isIpvs);
  const stated = [termWords(isA === true, a), termWords(isB === true, b)] as const;
  const earlier = { to: printHostPort(address, number), seconds: Math.max(a, b) + 1 };
  return {
    ...shared(question, pair),
    topic: "affinity-refresh",
    change: "endpoints",
    answers,
    earlier,
    stated,
  };
}

const isIpvs = ({ ruleset }: Respondent) => ruleset.proxy === "ipvs";

/**
 * What becomes of clients that come again. The machine does not follow the persistence of IPVS: what it does to one address
 * is not asked, and what is known of it is stated.
 */
export function affinityDifferences(ground: Ground, pair: Pair): readonly FlowDifference[] {
  const ports = affinePorts(ground);
  const [isA, isB] = pair.map(isIpvs);
  const asked = ports.flatMap((port) => returnsTo(port, ground, isA === true || isB === true));
  const found = asked.map((one) => differenceOf(one, pair));
  const stated = isA === isB ? [] : ports.map((port) => refresh(port, ground, pair));
  return [...found, ...stated].filter((one) => one !== undefined);
}
