import type { Rule } from "./iptables.js";
import type { NftRule, NftStatement, NftVerdict } from "./nftables.js";

/** What rules name: chains they hand a packet to, sets and maps they ask. */

const NOTHING: readonly string[] = [];

export function verdictChains(verdict: NftVerdict): readonly string[] {
  return "chain" in verdict ? [verdict.chain] : NOTHING;
}

function named(rule: NftRule, of: (statement: NftStatement) => readonly string[]): readonly string[] {
  let names = NOTHING;
  for (const statement of rule.statements) {
    const own = of(statement);
    if (own.length > 0) names = names.length === 0 ? own : [...names, ...own];
  }
  return names;
}

function statementChains(statement: NftStatement): readonly string[] {
  if (statement.kind === "numgen-vmap") return statement.chains;
  return statement.kind === "verdict" ? verdictChains(statement.verdict) : NOTHING;
}

function statementMaps(statement: NftStatement): readonly string[] {
  return statement.kind === "vmap" ? [statement.map] : NOTHING;
}

function statementSets(statement: NftStatement): readonly string[] {
  return statement.kind === "match-address-set" || statement.kind === "update-set"
    ? [statement.set]
    : NOTHING;
}

/** The chains that a rule itself names; a verdict map that it asks names others. */
export function chainsNamed(rule: Rule | NftRule): readonly string[] {
  if ("statements" in rule) return named(rule, statementChains);
  return rule.target !== undefined && "chain" in rule.target ? [rule.target.chain] : NOTHING;
}

/** The verdict maps that a rule asks. */
export function mapsNamed(rule: Rule | NftRule): readonly string[] {
  return "statements" in rule ? named(rule, statementMaps) : NOTHING;
}

/** The lists of recent addresses that a rule's matches name, one for each match. */
export function listsNamed(rule: Rule | NftRule): readonly string[] {
  if ("statements" in rule) return NOTHING;
  let names = NOTHING;
  for (const match of rule.matches) if (match.kind === "recent") names = [...names, match.name];
  return names;
}

/** The sets that a rule asks. */
export function setsNamed(rule: Rule | NftRule): readonly string[] {
  if ("statements" in rule) return named(rule, statementSets);
  return rule.matches.flatMap((match) => (match.kind === "set" ? [match.set] : []));
}
