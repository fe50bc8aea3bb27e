import type { Rule } from "./iptables.js";
import type { NftRule, NftVerdict } from "./nftables.js";

/** What rules name: chains they hand a packet to, sets and maps they ask. */

export function verdictChains(verdict: NftVerdict): readonly string[] {
  return "chain" in verdict ? [verdict.chain] : [];
}

/** The chains that a rule itself names; a verdict map that it asks names others. */
export function chainsNamed(rule: Rule | NftRule): readonly string[] {
  if (!("statements" in rule))
    return rule.target !== undefined && "chain" in rule.target ? [rule.target.chain] : [];
  return rule.statements.flatMap((statement) => {
    if (statement.kind === "numgen-vmap") return statement.chains;
    return statement.kind === "verdict" ? verdictChains(statement.verdict) : [];
  });
}

/** The verdict maps that a rule asks. */
export function mapsNamed(rule: Rule | NftRule): readonly string[] {
  if (!("statements" in rule)) return [];
  return rule.statements.flatMap((statement) => (statement.kind === "vmap" ? [statement.map] : []));
}

/** The sets that a rule asks. */
export function setsNamed(rule: Rule | NftRule): readonly string[] {
  if (!("statements" in rule)) {
    return rule.matches.flatMap((match) => (match.kind === "set" ? [match.set] : []));
  }
  return rule.statements.flatMap((statement) =>
    statement.kind === "match-address-set" ? [statement.set] : [],
  );
}
