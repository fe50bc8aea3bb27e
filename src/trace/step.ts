import type { DropReason } from "./codes.js";

/** Where on its way a packet is; `filter` is a netfilter hook of that type, of either tool. */
export type Stage =
  | "parse"
  | "fragment"
  | "decap"
  | "conntrack"
  | "iptables"
  | "ipvs"
  | "nftables"
  | "filter"
  | "masquerade"
  | "translate"
  | "route"
  | "encap"
  | "forward"
  | "local"
  | "drop"
  | "reject"
  | "answer"
  | "hold"
  | "punt";

/** One line of a packet's way: in words, and beside them the facts that a program may want. */
export interface Step {
  readonly stage: Stage;
  readonly text: string;
  /** `address:port`, or an address where the protocol has no ports. */
  readonly src?: string;
  readonly dst?: string;
  readonly protocol?: string;
  /** Octets of the frame. */
  readonly octets?: number;
  readonly chain?: string;
  /** 1-based, as `iptables -L --line-numbers` counts. */
  readonly rule?: number;
  /** Where the rule stands in the file that it was read from, from 1. */
  readonly line?: number;
  readonly comment?: string;
  /** `namespace/name:port` of an IPVS virtual server. */
  readonly service?: string;
  readonly prefix?: string;
  readonly dev?: string;
  readonly vni?: number;
  /** forward: the address of the next hop, of the remote tunnel end where there is one. */
  readonly to?: string;
  readonly reason?: DropReason;
  /** fragment: where its data begins in the datagram, in octets; whether more come behind; the identification. */
  readonly offset?: number;
  readonly more?: boolean;
  readonly id?: number;
  /** The datagram is whole: of how many fragments. */
  readonly fragments?: number;
}
