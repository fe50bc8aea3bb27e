import type { Ip } from "../net/ip.js";
import type { Mac } from "../net/mac.js";
import type { Protocol } from "../net/port.js";
import type { Prefix } from "../net/prefix.js";

export type CtState = "INVALID" | "NEW" | "ESTABLISHED" | "RELATED" | "UNTRACKED" | "DNAT" | "SNAT";

/** The bits of a connection's status that `--ctstatus` asks for (ip_conntrack_status). */
export type CtStatus = "NONE" | "EXPECTED" | "SEEN_REPLY" | "ASSURED" | "CONFIRMED";

/** One end of a connection as it began (orig) or as it is answered (repl). */
export type CtEnd = "origsrc" | "origdst" | "replsrc" | "repldst";

/** What routing makes of an address (RTN_ codes of include/uapi/linux/rtnetlink.h). */
export type AddressType =
  | "UNSPEC"
  | "UNICAST"
  | "LOCAL"
  | "BROADCAST"
  | "ANYCAST"
  | "MULTICAST"
  | "BLACKHOLE"
  | "UNREACHABLE"
  | "PROHIBIT"
  | "THROW"
  | "NAT"
  | "XRESOLVE";

export type Side = "src" | "dst";

/** First and last, both within. */
export type Range = readonly [number, number];

interface Listed {
  /** The tools' `!`. */
  readonly invert?: boolean;
  /** Listed behind a `-m` of its own, though it could share the one before. */
  readonly apart?: true;
}

/** Matches of the rule itself, and of the transport protocols' modules. */
type HeaderMatch =
  /**
   * A number is any protocol but the four that are named; `name` is how the listing spells it. `module`: the
   * listing loads the protocol's match module without an option (`-m tcp`); it matches no less.
   */
  | {
      readonly kind: "protocol";
      readonly protocol: Protocol | "ICMP" | number;
      readonly name?: string;
      readonly module?: true;
    }
  | { readonly kind: "source" | "destination"; readonly prefix: Prefix }
  /** `cali+` is every interface whose name begins with `cali`. */
  | { readonly kind: "in-interface" | "out-interface"; readonly name: string }
  /** IPv4 fragments past the first. */
  | { readonly kind: "fragment" }
  | { readonly kind: "sport" | "dport"; readonly from: number; readonly to: number }
  /** Of the TCP flags in `mask` (FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32) exactly those in `flags` are set. */
  | { readonly kind: "tcp-flags"; readonly mask: number; readonly flags: number }
  /** The TCP header holds this option. */
  | { readonly kind: "tcp-option"; readonly option: number }
  /** No `type`: any. No `code`: any of the type. */
  | { readonly kind: "icmp" | "icmpv6"; readonly type?: number; readonly code?: number };

/** Matches that ask for a connection, its mark or the packet's. */
type ConnectionMatch =
  | { readonly kind: "mark" | "connmark"; readonly value: number; readonly mask: number }
  /** `module`: spelled `-m state --state`, as before conntrack's match. */
  | { readonly kind: "ctstate"; readonly states: readonly CtState[]; readonly module?: "state" }
  | { readonly kind: "ctstatus"; readonly statuses: readonly CtStatus[] }
  | { readonly kind: "ctproto"; readonly protocol: number }
  | { readonly kind: "ctaddress"; readonly end: CtEnd; readonly prefix: Prefix }
  | { readonly kind: "ctport"; readonly end: CtEnd; readonly from: number; readonly to: number }
  | { readonly kind: "ctdir"; readonly direction: "ORIGINAL" | "REPLY" }
  /** Seconds that the connection's entry still has. */
  | { readonly kind: "ctexpire"; readonly from: number; readonly to: number };

/** Matches that ask for the packet and the node's interfaces, routes and sockets. */
type PacketMatch =
  | {
      readonly kind: "multiport";
      readonly on: "sports" | "dports" | "ports";
      readonly ports: readonly Range[];
    }
  | { readonly kind: "iprange"; readonly side: Side; readonly from: Ip; readonly to: Ip }
  /** `limitIface`: the address must be of the interface that the packet came in by, or leaves by. */
  | {
      readonly kind: "addrtype";
      readonly side: Side;
      readonly types: readonly AddressType[];
      readonly limitIface?: "in" | "out";
    }
  | { readonly kind: "physdev-is-in" | "physdev-is-out" | "physdev-is-bridged" }
  | { readonly kind: "physdev-in" | "physdev-out"; readonly name: string }
  | { readonly kind: "mac"; readonly address: Mac }
  | { readonly kind: "pkttype"; readonly type: "unicast" | "broadcast" | "multicast" }
  /** `hl` is IPv6's word for `ttl`. */
  | { readonly kind: "ttl" | "hl"; readonly is: "eq" | "lt" | "gt"; readonly value: number }
  /** Octets of the IPv4 packet with its header; of IPv6 with its header too. */
  | { readonly kind: "length"; readonly from: number; readonly to: number }
  | { readonly kind: "dscp"; readonly value: number }
  | { readonly kind: "tos"; readonly value: number; readonly mask: number }
  /** Who made the packet, if it was made on the node. */
  | {
      readonly kind: "owner";
      readonly id: "uid" | "gid";
      readonly from: number;
      readonly to: number;
      /** The owner's further groups count as well. */
      readonly supplementary?: true;
    }
  | { readonly kind: "socket-exists" }
  | {
      readonly kind: "socket";
      readonly transparent?: true;
      readonly nowildcard?: true;
      readonly restoreSkmark?: true;
    }
  | {
      readonly kind: "rpfilter";
      readonly loose?: true;
      readonly validmark?: true;
      readonly acceptLocal?: true;
    }
  /** IPVS has sent the packet through a virtual server of this protocol, address or port. */
  | { readonly kind: "ipvs-protocol"; readonly protocol: number }
  | { readonly kind: "ipvs-address"; readonly prefix: Prefix }
  | { readonly kind: "ipvs-port"; readonly port: number }
  /** An accounting object's count goes up; always a hit. */
  | { readonly kind: "nfacct"; readonly name: string };

/** Matches whose answer is drawn or depends on earlier packets. */
type StatefulMatch =
  /** Hits iff (random & 0x7fffffff) < threshold; threshold = round(p * 2^31). */
  | { readonly kind: "statistic"; readonly threshold: number }
  /** Hits one packet of `every`, the first after `packet` others. */
  | { readonly kind: "nth"; readonly every: number; readonly packet: number }
  /** `returnNomatch`: only an element marked nomatch is a hit. */
  | {
      readonly kind: "set";
      readonly set: string;
      readonly sides: readonly Side[];
      readonly returnNomatch?: true;
    }
  /** `mask` is laid on the address before it is looked for. */
  | {
      readonly kind: "recent";
      readonly op: "set" | "rcheck" | "update" | "remove";
      readonly name: string;
      readonly side: "source" | "dest";
      readonly mask: Ip;
      readonly seconds?: number;
      readonly hitcount?: number;
      readonly reap?: true;
      /** The TTL must be that of the packet that set the address. */
      readonly rttl?: true;
    }
  /** One packet in `period` ten-thousandths of a second, after `burst` at once. */
  | { readonly kind: "limit"; readonly period: number; readonly burst: number }
  /** The same for each of the values that `keys` make, `period` in millionths; `above` hits those past the rate. */
  | {
      readonly kind: "hashlimit";
      readonly above: boolean;
      readonly period: number;
      readonly burst: number;
      readonly keys: readonly ("srcip" | "srcport" | "dstip" | "dstport")[];
      readonly name: string;
      readonly srcMask?: number;
      readonly dstMask?: number;
      /** How its table is kept, in the tools' words: `--hashlimit-htable-expire` (milliseconds) and others. */
      readonly table?: readonly (readonly [option: string, value: number])[];
    }
  /** Connections of the addresses that share a prefix of this length: at most, or more than, so many. */
  | {
      readonly kind: "connlimit";
      readonly above: boolean;
      readonly limit: number;
      readonly mask: number;
      readonly side: "saddr" | "daddr";
    };

/** A match that this program does not know, or knows not to decide: `text` is what the listing says of it. */
export interface UnknownMatch {
  readonly kind: "unknown";
  /** The module, or the option of the rule itself, that is not known. */
  readonly module: string;
  /** Without a space before it: `-m string --algo bm --string x`. */
  readonly text: string;
}

/** What the listing holds, but no packet is asked for. */
type Remark =
  /** A second comment of a rule; the first is the rule's. */
  | { readonly kind: "comment"; readonly text: string }
  /** A transport's module without an option that is not the first of the rule's modules. */
  | { readonly kind: "module"; readonly name: string };

/** One match of an iptables rule. */
export type Match =
  | ((HeaderMatch | ConnectionMatch | PacketMatch | StatefulMatch) & Listed)
  | UnknownMatch
  | Remark;
