import type { Destination } from "../explore/fate.js";
import { fractionToNumber } from "../explore/fraction.js";
import type { Outcome } from "../explore/outcome.js";
import type { DropReason } from "../trace/codes.js";

/** What becomes of a packet in one way, as its sender and receiver see it. */
export interface End {
  /** `endpoint`: its destination was translated; `passes`: it leaves as it came; `node`: the node itself gets it. */
  readonly how: "endpoint" | "passes" | "node" | "dropped" | "rejected" | "undecided";
  /** What a rejected one is answered with, or why it is undecided. */
  readonly reason: DropReason;
  /** Of the rule that leaves it undecided, in its file; undefined for one that was read from none, and for other packets. */
  readonly line: number | undefined;
  readonly destination: Destination | undefined;
  readonly masquerade: boolean;
  /** null where turns, connections or draws of a scheduler decide. */
  readonly probability: number | null;
}

/** All that may become of a packet on one side. */
export interface Answer {
  readonly ends: readonly End[];
  /** A rule of the table filter accepts it by name. */
  readonly isNamed: boolean;
}

export type Verdict = "accept" | "drop" | "reject" | "undecided" | "mixed";

const VERDICTS: Readonly<Record<End["how"], Verdict>> = {
  endpoint: "accept",
  passes: "accept",
  node: "accept",
  dropped: "drop",
  rejected: "reject",
  undecided: "undecided",
};

/** What becomes of a packet, in one word. */
export function verdictOf({ ends }: Answer): Verdict {
  const [first = "mixed", ...others] = new Set(ends.map(({ how }) => VERDICTS[how]));
  return others.length === 0 ? first : "mixed";
}

/** How two answers differ, the graver before the lighter. */
export const CHANGES = ["fate", "endpoints", "masquerade", "weights", "choice", "accepted by name"] as const;
export type Change = (typeof CHANGES)[number];

/**
 * Probabilities that differ by less are of equal draws: iptables' have ten decimals and 31 bits, nftables' numgen
 * 32 bits.
 */
const SAME_PROBABILITY = 1e-6;

/** Rules let it pass, though nobody is known to be there: only rules are compared. */
const UNKNOWN: readonly DropReason[] = ["NO_NEIGHBOUR", "NO_ROUTE"];

/**
 * What is known of the packet beside its outcomes. `isNamed`: a rule of the table filter accepts it by name. `isDamaged`: its
 * checksum is wrong, so that REJECT drops it in silence (nf_send_unreach).
 */
export interface PacketNotes {
  readonly isNamed: boolean;
  readonly isDamaged: boolean;
  /** The line of the rule that an undecided outcome ends at. */
  lineOf(outcome: Outcome): number | undefined;
}

function howOf({ verdict, reason, destination }: Outcome, isDamaged: boolean): End["how"] {
  if (verdict === "FORWARD" || verdict === "LOCAL" || UNKNOWN.includes(reason)) {
    if (destination !== undefined) return "endpoint";
    return verdict === "LOCAL" ? "node" : "passes";
  }
  switch (verdict) {
    case "REJECT":
      // IPVS does not look at the checksum.
      return isDamaged && reason !== "NO_DESTINATION" ? "dropped" : "rejected";
    case "PUNT":
      return "undecided";
    default:
      return "dropped";
  }
}

function endOf(outcome: Outcome, { isDamaged, lineOf }: PacketNotes): End {
  const how = howOf(outcome, isDamaged);
  const { probability, reason, destination, masquerade } = outcome;
  const isThrough = how === "endpoint" || how === "passes" || how === "node";
  return {
    how,
    // A packet that is dropped hears nothing, whatever the reason is.
    reason: how === "rejected" || how === "undecided" ? reason : "NONE",
    line: how === "undecided" ? lineOf(outcome) : undefined,
    destination: isThrough ? destination : undefined,
    masquerade: isThrough && masquerade,
    probability: probability === null ? null : fractionToNumber(probability),
  };
}

const keyOf = ({ how, reason, line, destination, masquerade }: End) =>
  `${how} ${reason} ${line} ${destination?.address} ${destination?.port} ${masquerade}`;

function sum(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

/** Outcomes as ends; those that nobody can tell apart are one. */
export function answerOf(outcomes: readonly Outcome[], notes: PacketNotes): Answer {
  const ends = new Map<string, End>();
  for (const outcome of outcomes) {
    const end = endOf(outcome, notes);
    const key = keyOf(end);
    const known = ends.get(key);
    const probability = known === undefined ? end.probability : sum(known.probability, end.probability);
    ends.set(key, { ...end, probability });
  }
  return { ends: [...ends.values()], isNamed: notes.isNamed };
}

/** Each end without what two answers may be compared apart from. */
function shapes({ ends }: Answer, shape: (end: End) => string): string {
  return [...new Set(ends.map(shape))].sort().join("\n");
}

function changeOfChance(a: Answer, b: Answer): Change | undefined {
  if (a.ends.length < 2) return undefined;
  const others = new Map(b.ends.map((end) => [keyOf(end), end.probability]));
  const pairs = a.ends.map((end) => [end.probability, others.get(keyOf(end)) ?? null] as const);
  if (pairs.some(([one, other]) => (one === null) !== (other === null))) return "choice";
  const isOther = pairs.some(([one, other]) => Math.abs((one ?? 0) - (other ?? 0)) > SAME_PROBABILITY);
  return isOther ? "weights" : undefined;
}

/** A hash sends one packet always to one of the endpoints that another packet may reach as well. */
function isHashed(one: Answer, other: Answer): boolean {
  const [end, ...more] = one.ends;
  return end !== undefined && more.length === 0 && other.ends.some((each) => keyOf(each) === keyOf(end));
}

/** Whether each side's scheduler chooses by a hash. */
export type Hashes = readonly [boolean, boolean];

/** How the answers of two sides differ; undefined where no packet would tell them apart. */
export function changeOf(a: Answer, b: Answer, hashes: Hashes): Change | undefined {
  if (shapes(a, keyOf) === shapes(b, keyOf)) {
    return changeOfChance(a, b) ?? (a.isNamed === b.isNamed ? undefined : "accepted by name");
  }
  if (hashes[0] !== hashes[1] && (hashes[0] ? isHashed(a, b) : isHashed(b, a))) return "choice";
  const fates = ({ how, reason }: End) => `${how} ${reason}`;
  if (shapes(a, fates) !== shapes(b, fates)) return "fate";
  const destinations = ({ destination }: End) => `${destination?.address} ${destination?.port}`;
  return shapes(a, destinations) === shapes(b, destinations) ? "masquerade" : "endpoints";
}
