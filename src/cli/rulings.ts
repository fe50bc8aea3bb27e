import type { RuledOutcome, Ruling } from "../index.js";
import { printIp } from "../net/ip.js";
import { printHostPort } from "../net/port.js";
import type { DumpedRule } from "./dump.js";
import type { PacketEnd, PacketProtocol } from "./first-packet.js";
import type { Flow } from "./flows.js";

/** What becomes of a flow's first packet. */
export interface RuledFlow {
  readonly flow: Flow;
  readonly protocol: PacketProtocol;
  readonly ruling: Ruling;
  /** The rule that could not be asked, where a file has it. */
  readonly undecided: DumpedRule | undefined;
}

const PERCENT_DIGITS = 4;

/** For programs, in one line. */
export function rulingAsLine({ flow, ruling, undecided }: RuledFlow): string {
  const { outcomes, ...rest } = ruling;
  return JSON.stringify({ flow: flow.said, ...rest, ...(undecided && { undecided }), outcomes });
}

function printEnd({ address, port }: PacketEnd): string {
  return port === 0 ? printIp(address) : printHostPort(address, port);
}

function chanceOf({ probability }: RuledOutcome): readonly string[] {
  if (probability === null) return ["by the scheduler's choice"];
  return probability === 1 ? [] : [`${(probability * 100).toFixed(PERCENT_DIGITS)} %`];
}

/** `10.244.1.7:8080 (33.3333 %, masqueraded)`; behind `word:` where outcomes differ in their verdicts. */
function printOutcome(outcome: RuledOutcome, isMixed: boolean): string {
  const { verdict, endpoint, masquerade, accepted, with: kind, rule } = outcome;
  const facts = [
    ...chanceOf(outcome),
    ...(masquerade ? ["masqueraded"] : []),
    ...(accepted ? ["by a rule"] : []),
    ...[kind, rule].filter((fact) => fact !== undefined),
  ];
  const end = endpoint ?? "as addressed";
  return `${isMixed ? `${verdict}: ` : ""}${end}${facts.length === 0 ? "" : ` (${facts.join(", ")})`}`;
}

function wordsOf({ ruling, undecided }: RuledFlow): string {
  const { verdict, outcomes, with: kind, why, rule } = ruling;
  if (undecided !== undefined) return `at line ${undecided.line} of ${undecided.file}: ${undecided.rule}`;
  if (rule !== undefined) return kind === undefined ? rule : `${kind}: ${rule}`;
  return kind ?? why ?? outcomes.map((one) => printOutcome(one, verdict === "mixed")).join(", ");
}

/** For people: a line each, the flow and its verdict in columns. */
export function printRulings(ruled: readonly RuledFlow[]): string {
  const rows = ruled.map((one) => {
    const { from, to, iface } = one.flow;
    const way = `${printEnd(from)} > ${printEnd(to)} ${one.protocol}${iface === undefined ? "" : ` in ${iface}`}`;
    return [way, one.ruling.verdict, wordsOf(one)] as const;
  });
  const width = rows.reduce((widest, [way]) => Math.max(widest, way.length), 0);
  return rows
    .map(([way, verdict, words]) => `${`${way.padEnd(width)}  ${verdict.padEnd(9)}  ${words}`.trimEnd()}\n`)
    .join("");
}
