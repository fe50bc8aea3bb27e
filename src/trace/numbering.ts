import type { Family, Ip, Ip4 } from "../net/ip.js";
import type { Chain, Rule } from "../ruleset/iptables.js";
import type { VirtualServer } from "../ruleset/ipvs.js";
import type { NftRule } from "../ruleset/nftables.js";
import type { Refusal } from "../ruleset/route-types.js";
import type { Interface } from "../ruleset/routes.js";

/** The table that a chain is of. */
export interface NumberedTable {
  /** As the ruleset has it: `nat`, or nftables' `kube-proxy`. */
  readonly name: string;
  readonly tool: "iptables" | "nftables";
  readonly family: Family;
  /** As people tell it from the others: `nat`, `ip6tables nat`, `kube-proxy`, `ip6 kube-proxy`. */
  readonly title: string;
}

/** A chain as the machine numbers it: rule i of the machine was made from rules[i]. */
export interface NumberedChain {
  readonly of: NumberedTable;
  readonly name: string;
  readonly rules: readonly (Rule | NftRule)[];
  /** Of a base chain: `nat`, `filter`, …, and what becomes of a packet that no rule decides. */
  readonly type?: string | undefined;
  readonly policy?: Chain["policy"] | undefined;
}

const NO_TABLE: NumberedTable = { name: "", tool: "iptables", family: 4, title: "" };

/** The chain of a number; one without rules where the number stands for nothing. */
export function chainNumbered({ chains }: Pick<Numbering, "chains">, number: number): NumberedChain {
  return chains[number] ?? { of: NO_TABLE, name: `chain ${number}`, rules: [] };
}

/** A next hop as the machine numbers it. */
export interface NumberedHop {
  readonly kind: "local" | "direct" | "vxlan" | "geneve" | "unreachable";
  readonly dev: string;
  /** Of kind unreachable: the type of the routes that refuse packets. */
  readonly refusal?: Refusal;
  /** The gateway, VTEP or neighbour that it goes to. */
  readonly via?: Ip;
  /** Tunnels: the remote node's address. */
  readonly remote?: Ip4;
  /** Tunnels: the interface that the outer frames leave by. */
  readonly uplink?: string;
}

/** What the machine's numbers stand for: made while a ruleset is turned into entries, read by the trace. A number given back stands for nothing. */
export interface Numbering {
  /** Interface n is interfaces[n - 1]; 0 is the node itself. */
  readonly interfaces: readonly Interface[];
  readonly chains: readonly (NumberedChain | undefined)[];
  readonly hops: readonly (NumberedHop | undefined)[];
  /** Sets and maps by exact-table number; 0 is the IPVS services. */
  readonly tables: readonly string[];
  readonly servers: readonly (VirtualServer | undefined)[];
}
