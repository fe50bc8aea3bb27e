import type { Rule } from "../../ruleset/iptables.js";
import type { NftRule, NftVerdictMap } from "../../ruleset/nftables.js";
import { chainsNamed, mapsNamed, verdictChains } from "../../ruleset/references.js";
import type { NumberedChain } from "../../trace/numbering.js";
import type { Numbers } from "./numbers.js";

/** The chains that each verdict map can hand a packet to. */
type MapChains = ReadonlyMap<string, readonly string[]>;

function chainsOf({ elements }: NftVerdictMap): readonly string[] {
  return [...new Set(elements.flatMap(({ verdict }) => verdictChains(verdict)))];
}

/** The chains that a rule can hand a packet to. */
function handovers(rule: Rule | NftRule, maps: MapChains): readonly string[] {
  return [...chainsNamed(rule), ...mapsNamed(rule).flatMap((map) => maps.get(map) ?? [])];
}

/** Refuses chains that lead back to themselves, as the kernel does (ELOOP): TypeError names one of them. */
export function refuseLoops(
  chains: readonly NumberedChain[],
  numbers: Numbers,
  maps: readonly NftVerdictMap[] = [],
): void {
  const mapChains: MapChains = new Map(maps.map((map) => [map.name, chainsOf(map)]));
  const done = new Uint8Array(chains.length);
  for (let start = 0; start < chains.length; start++) {
    // An explicit stack: rulesets may nest deeper than the host's.
    const path: { chain: number; next: readonly number[]; at: number }[] = [];
    const enter = (chain: number) => {
      const { table = "", name = "", rules = [] } = chains[chain] ?? {};
      if (done[chain] === 1)
        throw new TypeError(`Chain ${name} of table ${table} leads back to itself: a loop.`);
      if (done[chain] === 2) return;
      done[chain] = 1;
      const next = rules
        .flatMap((rule) => handovers(rule, mapChains))
        .map((target) => numbers.chainNumber(table, target));
      path.push({ chain, next, at: 0 });
    };
    enter(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const target = top.next[top.at++];
      if (target !== undefined) enter(target);
      else done[path.pop()?.chain ?? 0] = 2;
    }
  }
}
