import type { Chain, IptablesTable, Rule } from "../ruleset/iptables.js";

/** The chains of one table while they are written: name → rules. */
export type Chains = Map<string, Rule[]>;

/** In the order of iptables-save. */
const BUILT_IN: Record<"filter" | "nat" | "mangle", readonly string[]> = {
  filter: ["INPUT", "FORWARD", "OUTPUT"],
  nat: ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
  mangle: ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
};

/** Appends rules; makes the chain if there is none yet, also for no rules. */
export function append(chains: Chains, chain: string, ...rules: readonly Rule[]): void {
  const found = chains.get(chain);
  if (found === undefined) chains.set(chain, [...rules]);
  else found.push(...rules);
}

/** The finished table: built-in chains first, then the others as they were written, then those of Services. */
export function tableOf(
  name: "filter" | "nat" | "mangle",
  chains: Chains,
  own: readonly Chain[] = [],
): IptablesTable {
  const builtIn = BUILT_IN[name];
  const finished: Chain[] = builtIn.map((chain) => ({
    name: chain,
    policy: "ACCEPT",
    rules: chains.get(chain) ?? [],
  }));
  for (const [chain, rules] of chains) if (!builtIn.includes(chain)) finished.push({ name: chain, rules });
  return { name, chains: finished.concat(own) };
}
