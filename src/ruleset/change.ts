import type { Diagnostic } from "../diagnostics.js";
import type { Ip } from "../net/ip.js";
import type { Prefix } from "../net/prefix.js";
import type { IpSetEntry } from "./ipset.js";
import type { Chain, Rule } from "./iptables.js";
import type { IpvsTimeouts, ServiceMatch, VirtualServer } from "./ipvs.js";
import type { Neighbour } from "./neighbours.js";
import type { NftChain, NftMapElement, NftSet } from "./nftables.js";
import type { InterfaceAddress, Route } from "./routes.js";
import type { FdbEntry } from "./vxlan.js";

/**
 * One step from a ruleset to another. Steps are taken in order; each must fit what the ones before it left (what is
 * removed is there, what a rule names exists by the end of the change). The order of rules in a chain counts; that of
 * everything else (chains, elements, routes, virtual servers) does not.
 */
export type RulesetStep =
  | PlainStep
  /** iptables and nftables: of the IPv4 part, unless `family` says 6 (ip6tables, nftables6). */
  | (RuleStep & { readonly family?: 6 });

type PlainStep =
  /** Replaces a route to the same prefix. */
  | { readonly kind: "route-set"; readonly route: Route }
  | { readonly kind: "route-removed"; readonly prefix: Prefix }
  /** Replaces a neighbour of the same device and address. */
  | { readonly kind: "neighbour-set"; readonly neighbour: Neighbour }
  | { readonly kind: "neighbour-removed"; readonly dev: string; readonly address: Ip }
  /** Replaces an entry of the same device and MAC. */
  | { readonly kind: "fdb-set"; readonly entry: FdbEntry }
  | { readonly kind: "fdb-removed"; readonly dev: string; readonly mac: number }
  | { readonly kind: "address-added"; readonly dev: string; readonly address: InterfaceAddress }
  | { readonly kind: "address-removed"; readonly dev: string; readonly address: Ip }
  | { readonly kind: "ipset-added" | "ipset-removed"; readonly set: string; readonly entry: IpSetEntry }
  /** Replaces a virtual server of the same protocol, address and port, or of the same firewall mark. */
  | { readonly kind: "server-set"; readonly server: VirtualServer }
  | ({ readonly kind: "server-removed" } & ServiceMatch)
  /** IPVS' timeouts; those that are absent stay as they are. */
  | { readonly kind: "ipvs-timeouts-set"; readonly timeouts: IpvsTimeouts }
  /** What people call an address; absent: it has no name any more. */
  | { readonly kind: "name-set"; readonly address: Ip; readonly name?: string }
  /** What is told of the input; of equal ones one is removed. Packets are not concerned. */
  | { readonly kind: "diagnostic-added" | "diagnostic-removed"; readonly diagnostic: Diagnostic };

/** Steps of iptables and nftables, of either family. */
export type RuleStep =
  /** iptables: makes a chain, or replaces its rules. */
  | { readonly kind: "chain-set"; readonly table: string; readonly chain: Chain }
  | { readonly kind: "chain-removed"; readonly table: string; readonly name: string }
  /** iptables: `removed` rules go at position `at` of a chain, and `rules` come there. */
  | {
      readonly kind: "rules-spliced";
      readonly table: string;
      readonly chain: string;
      readonly at: number;
      readonly removed: number;
      readonly rules: readonly Rule[];
    }
  /** nftables: makes a chain, or replaces its rules. */
  | { readonly kind: "nft-chain-set"; readonly chain: NftChain }
  | { readonly kind: "nft-chain-removed"; readonly name: string }
  /** Replaces an element of the same key. */
  | { readonly kind: "nft-element-set"; readonly map: string; readonly element: NftMapElement }
  | {
      readonly kind: "nft-element-removed";
      readonly map: string;
      readonly element: Pick<NftMapElement, "address" | "protocol" | "port">;
    }
  | {
      readonly kind: "nft-address-added" | "nft-address-removed";
      readonly set: string;
      readonly address: Ip;
      readonly comment?: string;
    }
  /** nftables: makes a set that rules fill, or replaces its bounds; what is in it stays with the connections. */
  | { readonly kind: "nft-set-set"; readonly set: NftSet }
  | { readonly kind: "nft-set-removed"; readonly name: string };

/** What turns one ruleset of a node into the next. It is applied whole or not at all. */
export type RulesetChange = readonly RulesetStep[];
