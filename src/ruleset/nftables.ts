import type { Ip } from "../net/ip.js";
import type { Protocol } from "../net/port.js";
import type { Prefix } from "../net/prefix.js";

export type NftVerdict =
  | { readonly kind: "accept" | "drop" | "return" | "continue" }
  | { readonly kind: "jump" | "goto"; readonly chain: string };

export type NftStatement =
  | {
      readonly kind: "match-address";
      readonly side: "saddr" | "daddr";
      readonly prefixes: readonly Prefix[];
      readonly invert?: boolean;
      /** They stand in braces though they make one interval: written as several, of which one is left. */
      readonly braced?: true;
    }
  /** `ip daddr @cluster-ips` */
  | {
      readonly kind: "match-address-set";
      readonly side: "saddr" | "daddr";
      readonly set: string;
      readonly invert?: boolean;
    }
  | { readonly kind: "match-protocol"; readonly protocol: Protocol; readonly invert?: boolean }
  | { readonly kind: "match-dport"; readonly port: number; readonly invert?: boolean }
  | {
      readonly kind: "match-ctstate";
      readonly states: readonly ("new" | "established" | "related" | "invalid")[];
    }
  /** `meta mark & mask == value` (or != with invert) */
  | { readonly kind: "match-mark"; readonly mask: number; readonly value: number; readonly invert?: boolean }
  /** `fib daddr type local` */
  | { readonly kind: "match-fib-local"; readonly side: "saddr" | "daddr"; readonly invert?: boolean }
  | {
      readonly kind: "match-interface";
      readonly side: "iifname" | "oifname";
      readonly name: string;
      readonly invert?: boolean;
    }
  /** `ip daddr . meta l4proto . th dport vmap @map`, or without daddr for the nodePort maps. */
  | { readonly kind: "vmap"; readonly key: "daddr-proto-dport" | "proto-dport"; readonly map: string }
  /** `numgen random mod n vmap { 0 : goto a, … }`, n = chains.length */
  | { readonly kind: "numgen-vmap"; readonly chains: readonly string[] }
  /** `meta mark set meta mark or/xor value` */
  | { readonly kind: "set-mark"; readonly op: "or" | "xor"; readonly value: number }
  | { readonly kind: "dnat"; readonly protocol: Protocol; readonly address: Ip; readonly port: number }
  | { readonly kind: "masquerade"; readonly fullyRandom: boolean }
  | { readonly kind: "reject" }
  /** `update @affinity-… { ip saddr }`: the address is in the set from now on, for the set's whole timeout. */
  | { readonly kind: "update-set"; readonly set: string; readonly side: "saddr" | "daddr" }
  | { readonly kind: "verdict"; readonly verdict: NftVerdict };

export interface NftRule {
  readonly statements: readonly NftStatement[];
  readonly comment?: string;
}

export interface NftChain {
  readonly name: string;
  readonly comment?: string;
  readonly base?: {
    readonly type: "filter" | "nat";
    readonly hook: "prerouting" | "input" | "forward" | "output" | "postrouting";
    readonly priority: number;
  };
  readonly rules: readonly NftRule[];
}

/** An address in a set. */
export interface NftAddress {
  readonly address: Ip;
  readonly comment?: string;
  /** In a set with a timeout: milliseconds until the address leaves it. */
  readonly expires?: number;
}

/** A set of addresses, e.g. cluster-ips. */
export interface NftSet {
  readonly name: string;
  readonly comment?: string;
  /** Of a set that rules fill (`flags dynamic,timeout`): seconds that an address stays, and how many it holds at most. */
  readonly dynamic?: { readonly timeout: number; readonly size?: number };
  readonly addresses: readonly NftAddress[];
}

export interface NftMapElement {
  /** Absent in maps keyed `proto . port`. */
  readonly address?: Ip;
  readonly protocol: Protocol;
  readonly port: number;
  readonly verdict: NftVerdict;
  readonly comment?: string;
}

export interface NftVerdictMap {
  readonly name: string;
  readonly comment?: string;
  readonly key: "daddr-proto-dport" | "proto-dport";
  readonly elements: readonly NftMapElement[];
}

/** Table `kube-proxy` of one family, as `nft list table` prints it. */
export interface NftTable {
  readonly family: "ip" | "ip6";
  readonly name: string;
  readonly comment?: string;
  readonly sets: readonly NftSet[];
  readonly maps: readonly NftVerdictMap[];
  readonly chains: readonly NftChain[];
}
