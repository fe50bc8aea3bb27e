import type { Match } from "./iptables-matches.js";
import type { Target } from "./iptables-targets.js";

export type { AddressType, CtEnd, CtState, CtStatus, Match, Range, Side } from "./iptables-matches.js";
export type { NatRange, RejectKind, Target } from "./iptables-targets.js";

export interface Rule {
  readonly matches: readonly Match[];
  readonly comment?: string;
  /** How many match modules stand before the comment in the listing; absent for none. */
  readonly commentAt?: number;
  /** Absent: the rule only counts. */
  readonly target?: Target;
  /** Where the rule stands in the file that it was read from, from 1; absent in what is compiled. */
  readonly line?: number;
}

export interface Chain {
  readonly name: string;
  /** Built-in chains only. */
  readonly policy?: "ACCEPT" | "DROP";
  readonly rules: readonly Rule[];
}

/** The tables that a kernel may hold. */
export const IPTABLES_TABLES = ["raw", "mangle", "nat", "filter", "security"] as const;

export interface IptablesTable {
  readonly name: (typeof IPTABLES_TABLES)[number];
  readonly chains: readonly Chain[];
}

/** One family's iptables of a node: what iptables-save (or ip6tables-save) prints. */
export interface Iptables {
  readonly family: 4 | 6;
  readonly tables: readonly IptablesTable[];
}
