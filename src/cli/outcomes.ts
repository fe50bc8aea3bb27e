import {
  type Engine,
  fractionToNumber,
  type Ip,
  type Outcome,
  printFraction,
  printIp,
  refusingRule,
  undecidedRule,
  type VerdictName,
  walkedRules,
} from "../index.js";
import { printHostPort } from "../net/port.js";

/** A fraction of more bits is told in percent alone: of a thousand endpoints it is as long as a page. */
const FRACTION_BITS = 64;
const PERCENT_DIGITS = 7;

/** What becomes of a packet, for people. */
const VERDICT_WORDS: Readonly<Record<VerdictName, string>> = {
  NONE: "lost",
  FORWARD: "accepted",
  LOCAL: "accepted",
  DROP: "dropped",
  REJECT: "rejected",
  PUNT: "undecided",
  HOLD: "held",
};

function endpointOf({ destination }: Outcome): string | undefined {
  if (destination === undefined) return undefined;
  const { address, port } = destination;
  return port === 0 ? printIp(address) : printHostPort(address, port);
}

/** An outcome for programs, with the rules that matched on its likeliest way. */
export function outcomeAsData(outcome: Outcome, numbering: Engine["numbering"]): Record<string, unknown> {
  const { verdict, reason, masquerade, probability, isNext } = outcome;
  const rule = refusingRule(outcome, numbering);
  const undecided = undecidedRule(outcome, numbering);
  return {
    verdict,
    reason: reason === "NONE" ? null : reason,
    endpoint: endpointOf(outcome) ?? null,
    probability: probability === null ? null : fractionToNumber(probability),
    fraction: probability === null ? null : printFraction(probability),
    masquerade,
    next: probability === null ? isNext : null,
    ...(rule === undefined ? {} : { rule }),
    ...(undecided === undefined ? {} : { undecided }),
    rules: walkedRules(outcome.records, numbering),
  };
}

function chanceOf({ probability, isNext }: Outcome): string {
  if (probability === null) return isNext ? "next by the scheduler's choice" : "by the scheduler's choice";
  const percent = `${(fractionToNumber(probability) * 100).toFixed(PERCENT_DIGITS)} %`;
  return probability.bits > FRACTION_BITS ? percent : `${percent}  ${printFraction(probability)}`;
}

/** Where nobody knows what a rule says: on which line of a file, or of which chain. */
function doubtOf(outcome: Outcome, numbering: Engine["numbering"]): string {
  const at = undecidedRule(outcome, numbering);
  if (at === undefined) return "";
  return at.line === undefined ? `at ${at.table} ${at.chain} rule ${at.rule}` : `at line ${at.line}`;
}

function rowOf(
  outcome: Outcome,
  names: ReadonlyMap<Ip, string>,
  numbering: Engine["numbering"],
): readonly string[] {
  const { verdict, destination, masquerade } = outcome;
  const name = destination === undefined ? "" : (names.get(destination.address) ?? "");
  const source = masquerade ? "masqueraded" : "";
  const end = endpointOf(outcome) ?? "as addressed";
  return [VERDICT_WORDS[verdict], end, name, source, chanceOf(outcome), doubtOf(outcome, numbering)];
}

/** A line each, in columns: what becomes of the packet, its destination, and how likely that is. */
export function printOutcomes(
  outcomes: readonly Outcome[],
  names: ReadonlyMap<Ip, string>,
  numbering: Engine["numbering"],
): string {
  const rows = outcomes.map((outcome) => rowOf(outcome, names, numbering));
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0),
  );
  const line = (row: readonly string[]) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .filter((_, column) => widths[column] !== 0)
      .join("  ")
      .trimEnd();
  return rows.map(line).join("\n");
}
