import type { Ip } from "../net/ip.js";
import type { Protocol } from "../net/port.js";
import type { Prefix } from "../net/prefix.js";

export type CtState = "INVALID" | "NEW" | "ESTABLISHED" | "RELATED" | "DNAT" | "SNAT";

/** One match of an iptables rule; `invert` is the tools' `!`. */
export type Match =
  /** `module`: the listing loads the protocol's match module without an option (`-m tcp`); it matches no less. */
  | {
      readonly kind: "protocol";
      readonly protocol: Protocol | "ICMP";
      readonly invert?: boolean;
      readonly module?: true;
    }
  | { readonly kind: "source" | "destination"; readonly prefix: Prefix; readonly invert?: boolean }
  | {
      readonly kind: "sport" | "dport";
      readonly from: number;
      readonly to: number;
      readonly invert?: boolean;
    }
  | { readonly kind: "in-interface" | "out-interface"; readonly name: string; readonly invert?: boolean }
  | { readonly kind: "mark"; readonly value: number; readonly mask: number; readonly invert?: boolean }
  | { readonly kind: "ctstate"; readonly states: readonly CtState[]; readonly invert?: boolean }
  | {
      readonly kind: "addrtype";
      readonly side: "src" | "dst";
      readonly type: "LOCAL";
      readonly invert?: boolean;
    }
  /** Hits iff (random & 0x7fffffff) < threshold; threshold = round(p * 2^31). */
  | { readonly kind: "statistic"; readonly threshold: number }
  | {
      readonly kind: "set";
      readonly set: string;
      readonly sides: readonly ("src" | "dst")[];
      readonly invert?: boolean;
    }
  | { readonly kind: "physdev-is-in"; readonly invert?: boolean };

export type Target =
  | { readonly kind: "accept" | "drop" | "return" }
  | { readonly kind: "jump" | "goto"; readonly chain: string }
  | { readonly kind: "reject"; readonly with: "icmp-port-unreachable" | "icmp6-port-unreachable" }
  | { readonly kind: "dnat"; readonly address: Ip; readonly port: number }
  | { readonly kind: "masquerade"; readonly randomFully: boolean }
  /** mark = (mark & ~mask) ^ value, as MARK --set-xmark value/mask. */
  | { readonly kind: "mark"; readonly value: number; readonly mask: number };

export interface Rule {
  readonly matches: readonly Match[];
  readonly comment?: string;
  /** How many match modules stand before the comment in the listing; absent for none. */
  readonly commentAt?: number;
  /** Absent: the rule only counts. */
  readonly target?: Target;
}

export interface Chain {
  readonly name: string;
  /** Built-in chains only. */
  readonly policy?: "ACCEPT" | "DROP";
  readonly rules: readonly Rule[];
}

export interface IptablesTable {
  readonly name: "nat" | "filter" | "mangle" | "raw";
  readonly chains: readonly Chain[];
}

/** One family's iptables of a node: what iptables-save (or ip6tables-save) prints. */
export interface Iptables {
  readonly family: 4 | 6;
  readonly tables: readonly IptablesTable[];
}
