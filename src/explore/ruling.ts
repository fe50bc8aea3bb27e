import { printIp } from "../net/ip.js";
import { printHostPort } from "../net/port.js";
import type { RejectKind, Rule } from "../ruleset/iptables.js";
import type { NftRule } from "../ruleset/nftables.js";
import { chainNumbered, type NumberedTable, type Numbering } from "../trace/numbering.js";
import { reasonWords } from "../trace/reasons.js";
import { fractionToNumber, printFraction } from "./fraction.js";
import type { Outcome } from "./outcome.js";
import { refusingRule } from "./walked.js";

/** What rules say of a packet. */
export type RuleVerdict = "accept" | "drop" | "reject" | "undecided";

/** One thing that may become of a flow's first packet. */
export interface RuledOutcome {
  readonly verdict: RuleVerdict;
  /** Where it is sent on to, `10.244.1.7:8080`; null where it stays as it is addressed. */
  readonly endpoint: string | null;
  /** From 0 to 1, the nearest double, and exactly; null where turns, connections or draws of a scheduler decide. */
  readonly probability: number | null;
  readonly fraction: string | null;
  readonly masquerade: boolean;
  /** Of a packet that stays as it is addressed: a rule of a filter table accepts it by name. */
  readonly accepted?: true;
  readonly with?: RejectKind;
  /** Which drops or rejects it, as `refusingRule` prints it; absent where none does. */
  readonly rule?: string;
  readonly undecided?: UndecidedRule;
}

/** A rule of which it is not known what it says of the packet. */
export interface UndecidedRule {
  readonly table: string;
  readonly chain: string;
  /** 1-based. */
  readonly rule: number;
  /** In the file that the rules were read from. */
  readonly line?: number;
}

/** What becomes of the first packet of a flow, as far as rules decide it. */
export interface Ruling {
  readonly verdict: RuleVerdict | "mixed";
  /** How it is refused, in the words of iptables' REJECT. */
  readonly with?: RejectKind;
  /** Which drops or rejects it, as `refusingRule` prints it; absent where none does. */
  readonly rule?: string;
  readonly undecided?: UndecidedRule;
  /** Why it is dropped or undecided where no rule is the cause, in words. */
  readonly why?: string;
  /** In the order of the rules; none where all of them are drops, or rejects, or undecided. */
  readonly outcomes: readonly RuledOutcome[];
}

/** Chains by their numbers. */
type Chains = Pick<Numbering, "chains">;

interface LastRule {
  readonly of: NumberedTable;
  readonly chain: string;
  readonly index: number;
  readonly rule: Rule | NftRule | undefined;
}

/** The rule that matched last. */
function lastRule({ records }: Outcome, chains: Chains): LastRule | undefined {
  const record = records.findLast(({ event }) => event === "RULE");
  if (record === undefined) return undefined;
  const { of, name, rules } = chainNumbered(chains, record.a);
  return { of, chain: name, index: record.b, rule: rules[record.b] };
}

/** A missing neighbour is missed behind all rules: they have let the packet pass. */
function verdictOf({ verdict, reason }: Outcome): RuleVerdict {
  if (verdict === "FORWARD" || verdict === "LOCAL" || reason === "NO_NEIGHBOUR") return "accept";
  if (verdict === "DROP") return "drop";
  return verdict === "REJECT" ? "reject" : "undecided";
}

/** Port unreachable is what nftables' bare `reject` and an IPVS without real servers answer, too. */
function rejectKind(outcome: Outcome, family: 4 | 6, chains: Chains): RejectKind {
  const rule = outcome.reason === "NO_DESTINATION" ? undefined : lastRule(outcome, chains)?.rule;
  if (rule !== undefined && "matches" in rule && rule.target?.kind === "reject") return rule.target.with;
  return family === 4 ? "icmp-port-unreachable" : "icmp6-port-unreachable";
}

/** Policies accept all that nobody spoke of; a rule speaks of this packet. */
function isAcceptedByName({ records }: Outcome, { chains }: Chains): boolean {
  return records.some(({ event, a, b }) => {
    if (event !== "RULE" || chains[a]?.of.name !== "filter") return false;
    const rule = chains[a].rules[b];
    return rule !== undefined && "matches" in rule && rule.target?.kind === "accept";
  });
}

/** The rule for which an outcome is undecided; undefined where it is decided, or no rule is the cause. */
export function undecidedRule(outcome: Outcome, chains: Chains): UndecidedRule | undefined {
  const last = outcome.reason === "UNDECIDED" ? lastRule(outcome, chains) : undefined;
  if (last === undefined) return undefined;
  const { of, chain, index, rule } = last;
  const line = rule !== undefined && "matches" in rule ? rule.line : undefined;
  return { table: of.title, chain, rule: index + 1, ...(line === undefined ? {} : { line }) };
}

function endpointOf({ destination }: Outcome): string | null {
  if (destination === undefined) return null;
  const { address, port } = destination;
  return port === 0 ? printIp(address) : printHostPort(address, port);
}

function ruleOf(outcome: Outcome, chains: Chains): { readonly rule?: string } {
  const rule = refusingRule(outcome, chains);
  return rule === undefined ? {} : { rule };
}

function ruledOutcome(outcome: Outcome, family: 4 | 6, chains: Chains): RuledOutcome {
  const { probability, masquerade } = outcome;
  const [verdict, endpoint] = [verdictOf(outcome), endpointOf(outcome)];
  const undecided = undecidedRule(outcome, chains);
  const isAccepted = verdict === "accept" && endpoint === null && isAcceptedByName(outcome, chains);
  return {
    verdict,
    endpoint,
    probability: probability === null ? null : fractionToNumber(probability),
    fraction: probability === null ? null : printFraction(probability),
    masquerade,
    ...(isAccepted ? { accepted: true } : {}),
    ...(verdict === "reject" ? { with: rejectKind(outcome, family, chains) } : {}),
    ...ruleOf(outcome, chains),
    ...(undecided === undefined ? {} : { undecided }),
  };
}

/** All outcomes of a packet of a family as one ruling. TypeError for no outcome at all. */
export function rulingOf(outcomes: readonly Outcome[], family: 4 | 6, chains: Chains): Ruling {
  const [first] = outcomes;
  if (first === undefined) throw new TypeError("A packet has at least one outcome; there is none here.");
  const verdict = verdictOf(first);
  const isMixed = outcomes.some((one) => verdictOf(one) !== verdict);
  if (isMixed || verdict === "accept") {
    const ruled = outcomes.map((one) => ruledOutcome(one, family, chains));
    return { verdict: isMixed ? "mixed" : verdict, outcomes: ruled };
  }
  const rule = ruleOf(first, chains);
  if (verdict === "reject")
    return { verdict, with: rejectKind(first, family, chains), ...rule, outcomes: [] };
  if (verdict === "drop") {
    // What no rule drops is dropped on its way past them, such as what comes from no host.
    const why = rule.rule === undefined ? { why: reasonWords(first.reason) } : {};
    return { verdict, ...rule, ...why, outcomes: [] };
  }
  const undecided = undecidedRule(first, chains);
  const cause = undecided === undefined ? { why: reasonWords(first.reason) } : { undecided };
  return { verdict, ...cause, outcomes: [] };
}
