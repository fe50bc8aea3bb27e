import { printIp } from "../net/ip.js";
import type { Rule } from "../ruleset/iptables.js";
import { printMatches } from "../ruleset/iptables-match.js";
import { printStatement } from "../ruleset/nft-statement.js";
import type { NftMapElement, NftRule, NftStatement } from "../ruleset/nftables.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import { printProtocolNumber } from "./addresses.js";
import type { Move } from "./moves.js";
import type { Numbering } from "./numbering.js";
import { firstEnd, type TraceRecord } from "./record.js";

/** Random numbers of the statistic match are of 31 bits. */
const STATISTIC_RANGE = 2 ** 31;

/** What a rule is known by: its comment, or else what it matches. */
export interface Label {
  readonly text: string;
  readonly comment?: string;
}

function iptablesLabel(rule: Rule): Label {
  if (rule.comment === undefined) return { text: printMatches(rule).trim() };
  const chance = rule.matches.find((match) => match.kind === "statistic");
  const probability =
    chance === undefined ? "" : `, probability ${(chance.threshold / STATISTIC_RANGE).toFixed(5)}`;
  return { text: rule.comment + probability, comment: rule.comment };
}

/** `10.96.12.3 . tcp . 80`, or without the address in maps of nodePorts. */
function printKey(record: TraceRecord, withAddress: boolean): string {
  const [protocol, port] = [printProtocolNumber(record.c >>> 16), record.c & 0xffff];
  return `${withAddress ? `${printIp(firstEnd(record, record.b))} . ` : ""}${protocol} . ${port}`;
}

/** The element that a look-up found, as the ruleset has it. */
function findElement(record: TraceRecord, name: string, ruleset: Ruleset): NftMapElement | undefined {
  const table = record.ends6 === undefined ? ruleset.nftables : ruleset.nftables6;
  const map = table?.maps.find((one) => one.name === name);
  return map?.elements.find(
    ({ address, protocol, port }) =>
      (address === undefined || address === firstEnd(record, record.b)) &&
      port === (record.c & 0xffff) &&
      protocol.toLowerCase() === printProtocolNumber(record.c >>> 16),
  );
}

function vmapLabel(
  statement: Extract<NftStatement, { kind: "vmap" }>,
  record: TraceRecord,
  numbering: Numbering,
  ruleset: Ruleset,
): Label {
  const map = numbering.tables[record.a] ?? statement.map;
  const key = printKey(record, statement.key === "daddr-proto-dport");
  if (record.d === 0) return { text: `map ${map} has no ${key}` };
  const text = `map ${map} has ${key}`;
  const comment = findElement(record, map, ruleset)?.comment;
  return comment === undefined
    ? { text }
    : { text: `${text}, ${comment}`, comment: `${comment} is in ${map}` };
}

const isMatch = ({ kind }: NftStatement) => kind.startsWith("match-");

function nftLabel(rule: NftRule, move: Move, numbering: Numbering, ruleset: Ruleset): Label {
  if (rule.comment !== undefined) return { text: rule.comment, comment: rule.comment };
  const vmap = rule.statements.find((statement) => statement.kind === "vmap");
  if (vmap !== undefined && move.detail?.event === "VMAP")
    return vmapLabel(vmap, move.detail, numbering, ruleset);
  if (move.detail?.event === "NUMGEN")
    return { text: `numgen random mod ${move.detail.c} = ${move.detail.b}` };
  const family = move.chain.of.family === 6 ? "ip6" : "ip";
  const matches = rule.statements.filter(isMatch).map((one) => printStatement(one, family));
  return { text: matches.join(" ") };
}

/** What the rule of a move is known by, with what its look-up or draw gave. */
export function labelOf(move: Move, numbering: Numbering, ruleset: Ruleset): Label {
  const rule = move.chain.rules[move.rule];
  if (rule === undefined) return { text: "" };
  return "statements" in rule ? nftLabel(rule, move, numbering, ruleset) : iptablesLabel(rule);
}
