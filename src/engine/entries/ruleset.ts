import type { Ruleset } from "../../ruleset/ruleset.js";
import type { NumberedChain, Numbering } from "../../trace/numbering.js";
import { type HookEntry, iptablesHooks, nftHooks } from "./hooks.js";
import { hopEntries } from "./hops.js";
import { iptablesRule } from "./iptables.js";
import { refuseLoops } from "./loops.js";
import { nftRule } from "./nftables.js";
import { Numbers } from "./numbers.js";
import { type ChainEntries, chainEntries } from "./rules.js";
import { type ServerEntries, serverEntries } from "./servers.js";
import { ipSetEntries, nftEntries, serviceEntries, type TableEntries } from "./sets.js";
import { type TunnelEntry, tunnelEntries } from "./tunnels.js";
import { Words } from "./words.js";

/** A whole ruleset as the machine takes it, and what its numbers stand for. */
export interface RulesetEntries {
  readonly numbering: Numbering;
  readonly hops: Uint8Array;
  /** Rows of address, length, next hop. */
  readonly routes: Uint32Array;
  readonly tables: readonly TableEntries[];
  readonly chains: readonly ChainEntries[];
  readonly hooks: readonly HookEntry[];
  readonly servers: readonly ServerEntries[];
  readonly tunnels: readonly TunnelEntry[];
}

function numberChains(ruleset: Ruleset, numbers: Numbers): NumberedChain[] {
  const chains: NumberedChain[] = [];
  for (const table of ruleset.iptables?.tables ?? []) {
    for (const { name, rules } of table.chains) chains.push({ table: table.name, name, rules });
  }
  for (const { name, rules } of ruleset.nftables?.chains ?? []) {
    chains.push({ table: ruleset.nftables?.name ?? "", name, rules });
  }
  for (const { table, name } of chains) numbers.addChain(table, name);
  return chains;
}

function encodeChains(ruleset: Ruleset, numbers: Numbers): ChainEntries[] {
  const iptables = (ruleset.iptables?.tables ?? []).flatMap((table) =>
    table.chains.map(({ rules }) => rules.map((rule) => iptablesRule(rule, table.name, numbers))),
  );
  const { nftables } = ruleset;
  const nft = (nftables?.chains ?? []).map(({ rules }) =>
    rules.map((rule) => nftRule(rule, nftables?.name ?? "", numbers)),
  );
  return [...iptables, ...nft].map(chainEntries);
}

function encodeTables(ruleset: Ruleset, numbers: Numbers): TableEntries[] {
  const services = ruleset.ipvs === undefined ? [] : [serviceEntries(ruleset.ipvs)];
  const sets = ipSetEntries(ruleset.ipsets ?? [], numbers, 1);
  const nft = ruleset.nftables === undefined ? [] : nftEntries(ruleset.nftables, numbers, 1 + sets.length);
  return [...services, ...sets, ...nft];
}

/** Turns a ruleset into entries. TypeError for what the machine cannot hold: it names the rule's part. */
export function rulesetEntries(ruleset: Ruleset): RulesetEntries {
  const numbers = new Numbers(ruleset.interfaces.map(({ name }) => name));
  const chains = numberChains(ruleset, numbers);
  refuseLoops(chains, numbers, ruleset.nftables?.maps);
  const { hops, routes, entries } = hopEntries(ruleset);
  const rows = new Words();
  for (const { prefix, hop } of routes) rows.push(Number(prefix.address), prefix.length, hop);
  const tables = encodeTables(ruleset, numbers);
  const hooks = [
    ...(ruleset.iptables === undefined ? [] : iptablesHooks(ruleset.iptables, numbers)),
    ...(ruleset.nftables === undefined ? [] : nftHooks(ruleset.nftables, numbers)),
  ];
  return {
    numbering: {
      interfaces: ruleset.interfaces,
      chains,
      hops,
      tables: tables.reduce<string[]>(
        (names, { number, name }) => Object.assign(names, { [number]: name }),
        [],
      ),
      servers: ruleset.ipvs?.servers ?? [],
    },
    hops: entries,
    routes: rows.words,
    tables,
    chains: encodeChains(ruleset, numbers),
    hooks,
    servers: (ruleset.ipvs?.servers ?? []).map(serverEntries),
    tunnels: tunnelEntries(ruleset.interfaces),
  };
}
