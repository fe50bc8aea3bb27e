import type { Ip } from "../net/ip.js";
import { prefixContains } from "../net/prefix.js";
import { LOOPBACK } from "../proxy/local-traffic.js";
import { ownSource } from "../ruleset/own-source.js";
import type { Ground } from "./ground.js";
import type { PacketEnd } from "./packet.js";
import { type Facts, frontendKey, type ServedPort } from "./side.js";
import { ASKERS, commonSources, distinct, edges, hairpins, isAdmitted, type Source } from "./source.js";
import { type Target, targetsOf } from "./target.js";

/** A packet as one side's node meets it. */
export interface Sent {
  readonly from: PacketEnd;
  readonly frame: Uint8Array;
}

/** One packet that is asked about on both sides. */
export interface Question {
  readonly source: Source;
  readonly target: Target;
  /** One and the same, but for sources that a node's kernel chooses by what addresses it has. */
  readonly sent: readonly [Sent, Sent];
}

const SOURCE_PORT = 41_000;

const isLoopback = (address: Ip) => typeof address === "number" && prefixContains(LOOPBACK[4], address);

/** Who answers at a target on one side. */
export function servedAt(
  { byFrontend }: Facts,
  { place, address, port, kind }: Target,
): ServedPort | undefined {
  const { protocol } = kind;
  if (protocol === "ICMP") return undefined;
  return byFrontend.get(frontendKey(protocol, place === "nodePort" ? "" : address, port));
}

function sourcesTo(target: Target, ground: Ground, common: readonly Source[]): readonly Source[] {
  const { place, address } = target;
  if (isLoopback(address)) {
    const itself = { asker: "127.0.0.1", address } as const;
    return place === "nodePort" ? [itself] : [...common, itself];
  }
  const serving = ground.sides.flatMap((facts) => {
    const port = servedAt(facts, target);
    return port === undefined ? [] : [{ port, node: facts.ruleset.node }];
  });
  const ranges = serving.flatMap(({ port }) => port.frontend.sourceRanges);
  const own = place === "load balancer address" ? edges(ranges) : [];
  return distinct([...common, ...hairpins(serving), ...own]);
}

/** A packet to its own sender tells nothing. */
function isAsked({ address }: Source, target: Target): boolean {
  return address !== target.address || isLoopback(address);
}

function sentFrom(address: Ip, { address: to, port, kind }: Target, isAgain: boolean): Sent {
  const from = { address, port: kind.protocol === "ICMP" ? 0 : SOURCE_PORT + Number(isAgain) };
  return { from, frame: kind.build(from, { address: to, port }) };
}

/** `isAgain`: from another port of the source, as its next connection. */
export function questionOf(source: Source, target: Target, isAgain = false): Question {
  const sent = sentFrom(source.address, target, isAgain);
  return { source, target, sent: [sent, sent] };
}

/** The node's own packets to one of its addresses, as those of mode ipvs are, come from there. */
function ownQuestionOf(source: Source, target: Target, { sides: [a, b] }: Ground): Question {
  const [ofA, ofB] = [a, b].map(({ ruleset }) => ownSource(ruleset, target.address) ?? source.address);
  const sent = sentFrom(ofA ?? source.address, target, false);
  const other = ofB === ofA ? sent : sentFrom(ofB ?? source.address, target, false);
  return { source, target, sent: [sent, other] };
}

/** Every packet that is worth asking about, the plainest first. */
export function* questionsOf(ground: Ground, allPackets: boolean): Generator<Question> {
  const common = commonSources(ground);
  for (const target of targetsOf(ground, allPackets)) {
    for (const source of sourcesTo(target, ground, common)) {
      if (!isAsked(source, target)) continue;
      yield source.asker === "the node" ? ownQuestionOf(source, target, ground) : questionOf(source, target);
    }
  }
}

/** Whether the ranges of a target's Service let its sender pass. */
export function isBlocked(port: ServedPort, { source, target }: Question): boolean {
  return target.place === "load balancer address" && !isAdmitted(port.frontend.sourceRanges, source.address);
}

/** Orders questions by how plain they are: examples are the first of their kind. */
export function plainness({ source, sent: [{ frame }] }: Question): number {
  return frame.length * ASKERS.length + ASKERS.indexOf(source.asker);
}
