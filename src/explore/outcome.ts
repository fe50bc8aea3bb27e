import type { Ip } from "../net/ip.js";
import type { DropReason, VerdictName } from "../trace/codes.js";
import { firstEnd, secondEnd, type TraceRecord } from "../trace/record.js";
import type { Weight } from "./draw.js";
import { fractionToNumber, plus } from "./fraction.js";
import type { Way } from "./ways.js";

/** Where a packet was sent on to; port 0 where its protocol has none. */
export interface Destination {
  readonly address: Ip;
  readonly port: number;
}

/** What became of a packet in one run. */
export interface Fate {
  readonly verdict: VerdictName;
  readonly reason: DropReason;
  readonly records: readonly TraceRecord[];
}

/** One thing that may become of a packet. */
export interface Outcome extends Fate {
  /** The endpoint that a rule or a scheduler chose, or the connection has; undefined where the destination stays. */
  readonly destination: Destination | undefined;
  /** Its source becomes another one by a rule of this node (MASQUERADE or SNAT). */
  readonly masquerade: boolean;
  /** Exactly, of all choices on the way; null where a scheduler's turns decide. */
  readonly probability: Weight;
  /** What comes next by the schedulers' state; true where none is asked. */
  readonly isNext: boolean;
  /** So many ways lead here; `records` are those of the likeliest. */
  readonly ways: number;
}

const NO_REAL_SERVER = 0xffffffff;

function chosen(record: TraceRecord): Destination | undefined {
  const { event, b, c, d } = record;
  if (event === "DNAT") return { address: secondEnd(record, c), port: d & 0xffff };
  if (event !== "IPVS" || b === NO_REAL_SERVER) return undefined;
  return { address: firstEnd(record, c), port: d };
}

/** Of a packet of a known connection no rule says it: the frame as it leaves does. */
function translated(records: readonly TraceRecord[]): Destination | undefined {
  const before = records.findLast(({ event }) => event === "PARSE");
  const after = records.find(({ event }) => event === "TRANSLATE");
  if (before === undefined || after === undefined) return undefined;
  const [from, to] = [before, after].map((one) => ({
    address: secondEnd(one, one.b),
    port: one.c & 0xffff,
  })) as [Destination, Destination];
  return from.address === to.address && from.port === to.port ? undefined : to;
}

function destinationOf(records: readonly TraceRecord[]): Destination | undefined {
  const last = records.findLast((record) => chosen(record) !== undefined);
  return last === undefined ? translated(records) : chosen(last);
}

function outcomeOf({ weight, isNext, result }: Way<Fate>): Outcome {
  const masquerade = result.records.some(({ event }) => event === "MASQUERADE");
  const destination = destinationOf(result.records);
  return { ...result, destination, masquerade, probability: weight, isNext, ways: 1 };
}

function keyOf({ verdict, reason, destination, masquerade }: Outcome): string {
  return `${verdict} ${reason} ${destination?.address} ${destination?.port} ${masquerade}`;
}

function isLikelier(a: Weight, b: Weight): boolean {
  return a !== null && b !== null && fractionToNumber(a) > fractionToNumber(b);
}

/** Two ways to the same end: the probabilities are added up, and the likelier way is told, or the next one. */
function joined(a: Outcome, b: Outcome): Outcome {
  const [probability, isNext] = [sum(a.probability, b.probability), a.isNext || b.isNext];
  const told = isLikelier(b.probability, a.probability) || (b.isNext && !a.isNext) ? b : a;
  return { ...told, probability, isNext, ways: a.ways + b.ways };
}

function sum(a: Weight, b: Weight): Weight {
  return a === null || b === null ? null : plus(a, b);
}

/** By address and port; what keeps its destination first. */
function inOrder(a: Outcome, b: Outcome): number {
  const [one, other] = [a.destination, b.destination];
  if (one === undefined || other === undefined)
    return Number(one !== undefined) - Number(other !== undefined);
  if (one.address !== other.address) return one.address < other.address ? -1 : 1;
  return one.port - other.port || Number(a.masquerade) - Number(b.masquerade);
}

/** What may become of a packet: ways with an equal end are one outcome. */
export function outcomesOf(ways: readonly Way<Fate>[]): Outcome[] {
  const outcomes = new Map<string, Outcome>();
  for (const way of ways) {
    const outcome = outcomeOf(way);
    const key = keyOf(outcome);
    const known = outcomes.get(key);
    outcomes.set(key, known === undefined ? outcome : joined(known, outcome));
  }
  return [...outcomes.values()].sort(inOrder);
}
