import type { Ip } from "../net/ip.js";
import type { Prefix } from "../net/prefix.js";
import type { Range, Side } from "./iptables-matches.js";

export type RejectKind =
  | "icmp-net-unreachable"
  | "icmp-host-unreachable"
  | "icmp-proto-unreachable"
  | "icmp-port-unreachable"
  | "icmp-net-prohibited"
  | "icmp-host-prohibited"
  | "icmp-admin-prohibited"
  | "icmp6-no-route"
  | "icmp6-adm-prohibited"
  | "icmp6-addr-unreachable"
  | "icmp6-port-unreachable"
  | "icmp6-policy-fail"
  | "icmp6-reject-route"
  | "tcp-reset";

/** What NAT may make of an address and a port: one of a range is drawn, and what is absent stays. */
export interface NatRange {
  readonly addresses?: readonly [Ip, Ip];
  readonly ports?: Range;
  /** Ports of the range are taken as far from its first as the packet's is from this. */
  readonly basePort?: number;
  readonly random?: true;
  readonly randomFully?: true;
  /** One client always gets the same address. */
  readonly persistent?: true;
}

type NatTarget =
  /** DNAT to one address and port: what kube-proxy writes. */
  | { readonly kind: "dnat"; readonly address: Ip; readonly port: number }
  /** SNAT, and every other form of DNAT. */
  | { readonly kind: "translate"; readonly side: Side; readonly range: NatRange }
  | { readonly kind: "redirect"; readonly range: NatRange }
  | {
      readonly kind: "masquerade";
      readonly randomFully: boolean;
      readonly random?: true;
      readonly ports?: Range;
    }
  /** The prefix's bits replace the address's: the destination's before routing and of OUTPUT, otherwise the source's. */
  | { readonly kind: "netmap"; readonly prefix: Prefix };

type MarkTarget =
  /** mark = (mark & ~mask) ^ value, as MARK --set-xmark value/mask. */
  | { readonly kind: "mark"; readonly value: number; readonly mask: number }
  /** The connection's mark, likewise. */
  | { readonly kind: "connmark"; readonly value: number; readonly mask: number }
  /** Connection's mark = (its & ~ctmask) ^ (packet's & nfmask); restoring: the packet's likewise. */
  | { readonly kind: "connmark-save" | "connmark-restore"; readonly nfmask: number; readonly ctmask: number };

/** Targets of the raw table that say how a connection is tracked. */
type TrackingTarget =
  /** `module`: spelled `-j NOTRACK`. */
  | { readonly kind: "notrack"; readonly module?: "NOTRACK" }
  /** Zone "mark" is the packet's mark. */
  | {
      readonly kind: "ct";
      readonly zone?: number | "mark";
      readonly direction?: "orig" | "reply";
      readonly helper?: string;
    };

/** Targets that change the packet, or what is kept of it, and let it go on. */
type ChangingTarget =
  /** `value` undefined: what the path's MTU allows. */
  | { readonly kind: "tcpmss"; readonly value?: number }
  | { readonly kind: "ttl" | "hl"; readonly op: "set" | "inc" | "dec"; readonly value: number }
  | { readonly kind: "dscp"; readonly value: number }
  /** tos = (tos & ~mask) ^ value. */
  | { readonly kind: "tos"; readonly value: number; readonly mask: number }
  | {
      readonly kind: "set";
      readonly op: "add" | "del";
      readonly set: string;
      readonly sides: readonly Side[];
      readonly exist?: true;
      /** Seconds. */
      readonly timeout?: number;
    };

export const WATCHERS = [
  "AUDIT",
  "CHECKSUM",
  "CLASSIFY",
  "CONNSECMARK",
  "IDLETIMER",
  "LED",
  "LOG",
  "NFLOG",
  "RATEEST",
  "SECMARK",
  "TRACE",
  "ULOG",
] as const;

export type Target =
  | { readonly kind: "accept" | "drop" | "return" }
  | { readonly kind: "jump" | "goto"; readonly chain: string }
  | { readonly kind: "reject"; readonly with: RejectKind }
  | NatTarget
  | MarkTarget
  | TrackingTarget
  | ChangingTarget
  /** To a local socket, with the mark changed as MARK's `set-xmark` does; port 0 and address 0 stay the packet's. */
  | {
      readonly kind: "tproxy";
      readonly address: Ip;
      readonly port: number;
      readonly value: number;
      readonly mask: number;
    }
  /** Takes note of the packet, which goes on as it was; `options` are the listing's words. */
  | { readonly kind: "watch"; readonly name: (typeof WATCHERS)[number]; readonly options: readonly string[] }
  /** One that this program does not know: nothing is said of a packet that meets it. `text` is the listing's, with `-j`. */
  | { readonly kind: "unknown"; readonly name: string; readonly text: string };
