import {
  HOOK_CHAINS_MAX,
  HOOK_FILTER,
  HOOK_FORWARD,
  HOOK_INPUT,
  HOOK_IP6,
  HOOK_MANGLE,
  HOOK_NAT,
  HOOK_OUTPUT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
  HOOK_RAW,
  TARGET_ACCEPT,
  TARGET_DROP,
} from "../../../assembly/abi/entry.js";
import type { Chain, IptablesTable } from "../../ruleset/iptables.js";
import type { NftChain } from "../../ruleset/nftables.js";
import type { NumberedTable } from "../../trace/numbering.js";
import type { LiveChain } from "./chain.js";

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

/** Priorities of the iptables tables (include/uapi/linux/netfilter_ipv4.h). */
const PRIORITY: Readonly<Record<string, number>> = {
  raw: -300,
  mangle: -150,
  nat: -100,
  filter: 0,
  security: 50,
} satisfies Record<IptablesTable["name"], number>;
const CONNTRACK = -200;
const NAT_DST = -100;
const NAT_SRC = 100;

function isHook(name: string): name is keyof typeof HOOKS {
  return Object.hasOwn(HOOKS, name);
}

/** The first of a family's hooks. */
function hooksOf({ family }: Pick<NumberedTable, "family">): number {
  return family === 6 ? HOOK_IP6 : 0;
}

/** Where packets begin, chains come before conntrack, or before NAT, by their priority (enum nf_ip_hook_priorities). */
function typeAt(hook: keyof typeof HOOKS, priority: number): number {
  if (hook !== "prerouting" && hook !== "output") return HOOK_FILTER;
  return priority < CONNTRACK ? HOOK_RAW : priority < NAT_DST ? HOOK_MANGLE : HOOK_FILTER;
}

/** A built-in chain of iptables; undefined for an empty one with policy ACCEPT, which is left out. */
function iptablesHook({ policy, name }: Chain, { of, number, length }: LiveChain): HookEntry | undefined {
  const { name: table } = of;
  const hook = name.toLowerCase();
  if (!isHook(hook) || (length === 0 && policy === "ACCEPT")) return undefined;
  return {
    hook: HOOKS[hook] + hooksOf(of),
    chain: number,
    type: table === "nat" ? HOOK_NAT : typeAt(hook, PRIORITY[table] ?? 0),
    policy: policy === "DROP" ? TARGET_DROP : TARGET_ACCEPT,
    priority: PRIORITY[table] ?? 0,
  };
}

/** A base chain of nftables; its policy is accept. */
function nftHook({ base }: NftChain, { of, number }: LiveChain): HookEntry | undefined {
  if (base === undefined) return undefined;
  return {
    hook: HOOKS[base.hook] + hooksOf(of),
    chain: number,
    type: base.type === "nat" ? HOOK_NAT : typeAt(base.hook, base.priority),
    policy: TARGET_ACCEPT,
    priority: base.priority,
  };
}

/** Rules of nat chains are asked where NAT is, whatever their priorities; those order them among themselves. */
function placeOf({ type, hook, priority }: HookEntry): number {
  if (type !== HOOK_NAT) return priority;
  const isSource = hook % HOOK_IP6 === HOOK_INPUT || hook % HOOK_IP6 === HOOK_POSTROUTING;
  return isSource ? NAT_SRC : NAT_DST;
}

/** The base chains of every hook, in netfilter's order. TypeError for more than a hook holds. */
export function hookEntries(bases: readonly LiveChain[]): readonly HookEntry[] {
  const entries = bases.flatMap((live) => {
    const { head } = live;
    if (head === undefined) return [];
    return (("base" in head ? nftHook(head, live) : iptablesHook(head as Chain, live)) ?? []) as HookEntry[];
  });
  for (const [name, hook] of Object.entries(HOOKS)) {
    for (const family of [4, 6] as const) {
      const count = entries.filter((entry) => entry.hook === hook + hooksOf({ family })).length;
      if (count <= HOOK_CHAINS_MAX) continue;
      throw new TypeError(
        `Hook ${name} of IPv${family} has more than the ${HOOK_CHAINS_MAX} base chains that the machine holds.`,
      );
    }
  }
  return entries.sort((a, b) => a.hook - b.hook || placeOf(a) - placeOf(b) || a.priority - b.priority);
}

export function areSameHooks(some: readonly HookEntry[], others: readonly HookEntry[]): boolean {
  return (
    some.length === others.length &&
    some.every((entry, index) => {
      const other = others[index];
      return (
        entry.hook === other?.hook &&
        entry.chain === other.chain &&
        entry.type === other.type &&
        entry.policy === other.policy
      );
    })
  );
}
