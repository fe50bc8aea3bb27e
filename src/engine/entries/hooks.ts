import {
  HOOK_FILTER,
  HOOK_FORWARD,
  HOOK_INPUT,
  HOOK_NAT,
  HOOK_OUTPUT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
  TARGET_ACCEPT,
  TARGET_DROP,
} from "../../../assembly/abi/entry.js";
import type { Iptables } from "../../ruleset/iptables.js";
import type { NftTable } from "../../ruleset/nftables.js";
import type { Numbers } from "./numbers.js";

/** A base chain at its hook. */
export interface HookEntry {
  readonly hook: number;
  readonly chain: number;
  readonly type: number;
  readonly policy: number;
  readonly priority: number;
}

const HOOKS = {
  prerouting: HOOK_PREROUTING,
  input: HOOK_INPUT,
  forward: HOOK_FORWARD,
  output: HOOK_OUTPUT,
  postrouting: HOOK_POSTROUTING,
} as const;

/** Priorities of the iptables tables (include/uapi/linux/netfilter_ipv4.h); nat's source half is at 100. */
const PRIORITY = { raw: -300, mangle: -150, nat: -100, filter: 0 } as const;
const NAT_SRC = 100;

function isHook(name: string): name is keyof typeof HOOKS {
  return name in HOOKS;
}

/** The built-in chains of every table, in netfilter's order; empty ones with policy ACCEPT are left out. */
export function iptablesHooks(iptables: Iptables, numbers: Numbers): HookEntry[] {
  const entries: HookEntry[] = [];
  for (const table of iptables.tables) {
    for (const { name, policy, rules } of table.chains) {
      const hook = name.toLowerCase();
      if (policy === undefined || !isHook(hook) || (rules.length === 0 && policy === "ACCEPT")) continue;
      const isSource = table.name === "nat" && (hook === "input" || hook === "postrouting");
      entries.push({
        hook: HOOKS[hook],
        chain: numbers.chainNumber(table.name, name),
        type: table.name === "nat" ? HOOK_NAT : HOOK_FILTER,
        policy: policy === "DROP" ? TARGET_DROP : TARGET_ACCEPT,
        priority: isSource ? NAT_SRC : PRIORITY[table.name],
      });
    }
  }
  return entries.sort((a, b) => a.hook - b.hook || a.priority - b.priority);
}

/** The base chains of an nftables table; their policy is accept. */
export function nftHooks(table: NftTable, numbers: Numbers): HookEntry[] {
  const entries: HookEntry[] = [];
  for (const { name, base } of table.chains) {
    if (base === undefined) continue;
    entries.push({
      hook: HOOKS[base.hook],
      chain: numbers.chainNumber(table.name, name),
      type: base.type === "nat" ? HOOK_NAT : HOOK_FILTER,
      policy: TARGET_ACCEPT,
      priority: base.priority,
    });
  }
  return entries.sort((a, b) => a.hook - b.hook || a.priority - b.priority);
}
