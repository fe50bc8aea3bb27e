import type { RuledOutcome, Ruling, UndecidedRule } from "../index.js";
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
  /** A rule that could not be asked, where a file has it. */
  readonly inFile: (rule: UndecidedRule | undefined) => DumpedRule | undefined;
}

const PERCENT_DIGITS = 4;

/** For programs, in one line. */
export function rulingAsLine({ flow, ruling, inFile }: RuledFlow): string {
  const told = <T extends { readonly undecided?: UndecidedRule }>(one: T) => {
    const undecided = inFile(one.undecided);
    return undecided === undefined ? one : { ...one, undecided };
  };
  const { outcomes, ...rest } = ruling;
  return JSON.stringify({ flow: flow.said, ...told(rest), outcomes: outcomes.map(told) });
}

function placeOf({ file, line, rule }: DumpedRule): string {
  return `at line ${line} of ${file}: ${rule}`;
}

function printEnd({ address, port }: PacketEnd): string {
  return port === 0 ? printIp(address) : printHostPort(address, port);
}

function chanceOf({ probability }: RuledOutcome): readonly string[] {
  if (probability === null) return ["by the scheduler's choice"];
  return probability === 1 ? [] : [`${(probability * 100).toFixed(PERCENT_DIGITS)} %`];
}

/** `10.244.1.7:8080 (33.3333 %, masqueraded)`; behind `word:` where outcomes differ in their verdicts. */
function printOutcome(outcome: RuledOutcome, isMixed: boolean, undecided: DumpedRule | undefined): string {
  const { verdict, endpoint, masquerade, accepted, with: kind, rule } = outcome;
  const facts = [
    ...chanceOf(outcome),
    ...(masquerade ? ["masqueraded"] : []),
    ...(accepted ? ["by a rule"] : []),
    ...[kind, rule, undecided && placeOf(undecided)].filter((fact) => fact !== undefined),
  ];
  const end = endpoint ?? "as addressed";
  return `${isMixed ? `${verdict}: ` : ""}${end}${facts.length === 0 ? "" : ` (${facts.join(", ")})`}`;
}

function wordsOf({ ruling, inFile }: RuledFlow): string {
  const { verdict, outcomes, with: kind, why, rule } = ruling;
  const undecided = inFile(ruling.undecided);
  if (undecided !== undefined) return placeOf(undecided);
  if (rule !== undefined) return kind === undefined ? rule : `${kind}: ${rule}`;
  const isMixed = verdict === "mixed";
  const words = outcomes.map((one) => printOutcome(one, isMixed, inFile(one.undecided)));
  return kind ?? why ?? words.join(", ");
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
