import type { Rule } from "./iptables.js";
import type { NftRule, NftTable } from "./nftables.js";
import { chainsNamed, mapsNamed, setsNamed, verdictChains } from "./references.js";
import type { Ruleset } from "./ruleset.js";

interface NamedRules {
  readonly name: string;
  readonly rules: readonly (Rule | NftRule)[];
}

function refuseChains(table: string, chains: readonly NamedRules[], named: Iterable<string>): void {
  const known = new Set(chains.map(({ name }) => name));
  for (const name of named) {
    if (!known.has(name)) throw new TypeError(`Table ${table} has no chain ${name} to jump to.`);
  }
}

/** A rule that was read from a file may ask sets that were not: what it says is undecided then. */
function isRead(rule: Rule | NftRule): boolean {
  return "line" in rule && rule.line !== undefined;
}

function refuseSets(chains: readonly NamedRules[], sets: readonly { readonly name: string }[]): void {
  const known = new Set(sets.map(({ name }) => name));
  for (const { rules } of chains) {
    for (const name of rules.flatMap((rule) =>
      isRead(rule) ? [] : [...setsNamed(rule), ...mapsNamed(rule)],
    )) {
      if (!known.has(name)) throw new TypeError(`The ruleset has no set or map ${name}.`);
    }
  }
}

function namedIn(chains: readonly NamedRules[]): readonly string[] {
  return chains.flatMap(({ rules }) => rules.flatMap(chainsNamed));
}

/** TypeError when a rule or a map names a chain or set that the ruleset does not have. */
export function refuseDangling({ iptables, ip6tables, ipsets = [], nftables, nftables6 }: Ruleset): void {
  for (const { name, chains } of [...(iptables?.tables ?? []), ...(ip6tables?.tables ?? [])]) {
    refuseChains(name, chains, namedIn(chains));
    refuseSets(chains, ipsets);
  }
  for (const table of [nftables, nftables6]) if (table !== undefined) refuseInNft(table);
}

function refuseInNft({ name, chains, sets, maps }: NftTable): void {
  const elements = maps.flatMap((map) => map.elements.flatMap(({ verdict }) => verdictChains(verdict)));
  refuseChains(name, chains, [...namedIn(chains), ...elements]);
  refuseSets(chains, [...sets, ...maps]);
}
