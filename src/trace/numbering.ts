import type { Ip, Ip4 } from "../net/ip.js";
import type { Rule } from "../ruleset/iptables.js";
import type { VirtualServer } from "../ruleset/ipvs.js";
import type { NftRule } from "../ruleset/nftables.js";
import type { Interface } from "../ruleset/routes.js";

/** A chain as the machine numbers it: rule i of the machine was made from rules[i]. */
export interface NumberedChain {
  /** `nat` and `KUBE-SERVICES`, or the nftables table and the chain's name. */
  readonly table: string;
  readonly name: string;
  readonly rules: readonly (Rule | NftRule)[];
}

/** A next hop as the machine numbers it. */
export interface NumberedHop {
  readonly kind: "local" | "direct" | "vxlan" | "geneve" | "unreachable";
  readonly dev: string;
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
