/**
 * Entries: how a host hands tables over. Every field is a u32 in the host's (little-endian) order unless its name
 * says otherwise; addresses and ports are in host order. The machine lays its tables out itself.
 */

// A route: one row of three columns.
export const ROUTE_ADDRESS: u32 = 0;
export const ROUTE_LENGTH: u32 = 4;
export const ROUTE_NEXT_HOP: u32 = 8;
export const ROUTE_ENTRY_LEN: u32 = 12;

// An IPv6 route: the address's halves are u64.
export const ROUTE6_HIGH: u32 = 0;
export const ROUTE6_LOW: u32 = 8;
export const ROUTE6_LENGTH: u32 = 16;
export const ROUTE6_NEXT_HOP: u32 = 20;
export const ROUTE6_ENTRY_LEN: u32 = 24;
// An IPv6 address to look up: its halves, two u64, the high one first.
export const KEY6_LEN: u32 = 16;

// A next hop.
export const NEXT_HOP_KIND: u32 = 0;
/** Number of the interface that the route names: what rules match. */
export const NEXT_HOP_OUT: u32 = 4;
/** Octets of the largest IP packet. */
export const NEXT_HOP_MTU: u32 = 8;
/** The address that MASQUERADE gives. */
export const NEXT_HOP_SOURCE: u32 = 12;
/** MAC addresses: six octets as on the wire. */
export const NEXT_HOP_DST_MAC: u32 = 16;
export const NEXT_HOP_SRC_MAC: u32 = 22;
/** NEXT_HOP_FLAG_ bits. */
export const NEXT_HOP_FLAGS: u32 = 28;
/** For tunnels: the outer header. */
export const NEXT_HOP_VNI: u32 = 32;
export const NEXT_HOP_PORT: u32 = 36;
export const NEXT_HOP_OUTER_SRC: u32 = 40;
export const NEXT_HOP_OUTER_DST: u32 = 44;
export const NEXT_HOP_OUTER_DST_MAC: u32 = 48;
export const NEXT_HOP_OUTER_SRC_MAC: u32 = 54;
/** Number of the interface that the frame leaves by in the end: for tunnels the underlay's. */
export const NEXT_HOP_LEAVE: u32 = 60;
/** For Geneve: octets of options (a multiple of 4, at most NEXT_HOP_OPTIONS_MAX), and the options as on the wire. */
export const NEXT_HOP_OPTIONS_LEN: u32 = 64;
export const NEXT_HOP_OPTIONS: u32 = 68;
export const NEXT_HOP_OPTIONS_MAX: u32 = 28;
/** The address that MASQUERADE gives to IPv6: four words in their order. */
export const NEXT_HOP_SOURCE6: u32 = 96;
/** Of NEXT_HOP_KIND_UNREACHABLE, where routes of a type refuse packets: the reason, DROP_NO_ROUTE, DROP_BLACKHOLE or DROP_ROUTE_…; otherwise 0. */
export const NEXT_HOP_REFUSAL: u32 = 112;
export const NEXT_HOP_ENTRY_LEN: u32 = 116;
/** The route has no usable next hop (unreachable, or no neighbour). */
export const NEXT_HOP_KIND_UNREACHABLE: u32 = 0;
export const NEXT_HOP_KIND_LOCAL: u32 = 1;
/** Out of an interface, to a neighbour on it. */
export const NEXT_HOP_KIND_DIRECT: u32 = 2;
export const NEXT_HOP_KIND_VXLAN: u32 = 3;
export const NEXT_HOP_KIND_GENEVE: u32 = 4;
/** The interface is a bridge: a packet that came in by it is switched, not routed (its TTL stays). */
export const NEXT_HOP_FLAG_BRIDGE: u32 = 1;
/** Any host of the subnet answers: a frame goes to 02:42 and its IPv4 address, or the last word of its IPv6 one, the MAC of hosts not known otherwise. */
export const NEXT_HOP_FLAG_ON_LINK: u32 = 4;
/** The outer UDP checksum is left 0 (`noudpcsum`). */
export const NEXT_HOP_FLAG_NO_UDP_CHECKSUM: u32 = 2;
/** The outer packet may not be fragmented (`df set`). */
export const NEXT_HOP_FLAG_DF: u32 = 8;

/** Kinds of tunnel devices (tunnelSet). */
export const TUNNEL_VXLAN: u32 = 0;
export const TUNNEL_GENEVE: u32 = 1;
export const TUNNELS_MAX: u32 = 64;

// Exact-match tables: maps, sets and services. A key is (address, protocol << 16 | port); one without an address has
// 0.0.0.0, whatever family asks.
export const EXACT_ADDRESS: u32 = 0;
export const EXACT_PROTO_PORT: u32 = 4;
/** Never 0. */
export const EXACT_VALUE: u32 = 8;
export const EXACT_ENTRY_LEN: u32 = 12;
/** The same for IPv6: the address is its halves, u64, the high one first. */
export const EXACT6_ADDRESS: u32 = 0;
export const EXACT6_PROTO_PORT: u32 = 16;
/** Never 0; not read where a key is asked for. */
export const EXACT6_VALUE: u32 = 20;
export const EXACT6_ENTRY_LEN: u32 = 24;
/** Table numbers, of both families together: the IPVS services of each come first; sets and maps follow as the host numbers them. */
export const EXACT_SERVICES: u32 = 0;
export const EXACT_SERVICES6: u32 = 1;
export const EXACT_TABLES_MAX: u32 = 64;

// An IPv6 tuple: its addresses are halves, u64, the high one first. Ports are src << 16 | dst.
export const FLOW6_SRC: u32 = 0;
export const FLOW6_DST: u32 = 16;
export const FLOW6_PORTS: u32 = 32;
export const FLOW6_PROTOCOL: u32 = 36;
export const FLOW6_LEN: u32 = 40;
/** What flow6FindMany needs of room beside tuples and results. */
export const FLOW6_WORDS_LEN: u32 = 4096;

// A rule. `words` is an index into the words handed over with the chain: 4 words a slot of matches, then the target's.
export const RULE_SRC: u32 = 0;
export const RULE_SRC_MASK: u32 = 4;
export const RULE_DST: u32 = 8;
export const RULE_DST_MASK: u32 = 12;
/** u16 each, inclusive; 0 … 65535 for any. Packets without ports have port 0. */
export const RULE_DPORT_FROM: u32 = 16;
export const RULE_DPORT_TO: u32 = 18;
/** u8 each. Protocol 0: any. */
export const RULE_PROTOCOL: u32 = 20;
export const RULE_FLAGS: u32 = 21;
export const RULE_TARGET: u32 = 22;
/** Slots that its further matches take. */
export const RULE_MATCHES: u32 = 23;
export const RULE_WORDS: u32 = 24;
/** Chain number for JUMP and GOTO. */
export const RULE_OPERAND: u32 = 28;
export const RULE_ENTRY_LEN: u32 = 32;
export const RULE_FLAG_NOT_SRC: u32 = 1;
export const RULE_FLAG_NOT_DST: u32 = 2;
export const RULE_FLAG_NOT_PROTOCOL: u32 = 4;
export const RULE_FLAG_NOT_DPORT: u32 = 8;

// A chain among many: its number, and how many of the rules and words handed over are its own.
export const CHAIN_ROW_NUMBER: u32 = 0;
export const CHAIN_ROW_RULES: u32 = 4;
export const CHAIN_ROW_WORDS: u32 = 8;
export const CHAIN_ROW_LEN: u32 = 12;

/** Targets; what their words hold. */
/** Only counts. */
export const TARGET_NONE: u32 = 0;
export const TARGET_ACCEPT: u32 = 1;
export const TARGET_DROP: u32 = 2;
export const TARGET_RETURN: u32 = 3;
/** Operand: the DROP_ reason to refuse with; 0: port unreachable. */
export const TARGET_REJECT: u32 = 4;
export const TARGET_JUMP: u32 = 5;
export const TARGET_GOTO: u32 = 6;
/** value, mask: mark = (mark & ~mask) ^ value. */
export const TARGET_MARK: u32 = 7;
/** address, port. */
export const TARGET_DNAT: u32 = 8;
/** 1 for random-fully; source ports that it may give, first | last << 16, or 0 for those of its kind. */
export const TARGET_MASQUERADE: u32 = 9;
/** exact table, KEY_ code: the element's value is a verdict word. */
export const TARGET_VMAP: u32 = 10;
/** n, then n verdict words. */
export const TARGET_NUMGEN: u32 = 11;
/** An IPv6 address, four words in their order; port. */
export const TARGET_DNAT6: u32 = 12;
/**
 * NAT_ bits; first and last address, four words each (of IPv4 the last word of them); ports, first | last << 16; the port
 * that NAT_OFFSET counts from. One of each range is drawn.
 */
export const TARGET_NAT: u32 = 13;
/** Address and mask, four words each: what the mask has of the packet's destination, or source behind routing, is replaced. */
export const TARGET_NETMAP: u32 = 14;
/**
 * To the node itself. NAT_ bits, ports, how many interfaces; then for each its number and address, four words. A packet
 * that came in by another is dropped; one made on the node goes to the loopback address.
 */
export const TARGET_REDIRECT: u32 = 15;
/** CONNMARK_ code, and the code's two words. */
export const TARGET_CONNMARK: u32 = 16;
/** The packet is of no connection. */
export const TARGET_NOTRACK: u32 = 17;
/** What becomes of the packet is not known. */
export const TARGET_UNDECIDED: u32 = 18;
export const TARGET_LAST: u32 = 18;

/** A verdict word: TARGET code (ACCEPT, DROP, RETURN, REJECT, JUMP, GOTO) | chain << 8. */
export const WORD_CHAIN_SHIFT: u32 = 8;

/**
 * Matches: word 0 is kind | invert << 8 | further slots << 16; words 1 to 3 as said. A list goes on in further slots of
 * 16 octets.
 */
/** threshold: hits iff (draw & 0x7fffffff) < threshold. */
export const MATCH_STATISTIC: u32 = 1;
/** value, mask. */
export const MATCH_MARK: u32 = 2;
/** CTSTATE bits. */
export const MATCH_CTSTATE: u32 = 3;
/** The address is one of the node's; 0 src, 1 dst. */
export const MATCH_LOCAL: u32 = 4;
/** exact table, KEY_ code: the table holds the key. */
export const MATCH_SET: u32 = 5;
/** interface number (INTERFACE_NONE: matches nothing); 1 for the loopback interface, by which the node reaches itself. */
export const MATCH_IN: u32 = 6;
export const MATCH_OUT: u32 = 7;
/** from, to. */
export const MATCH_SPORT: u32 = 8;
/** The packet came in by a port of a bridge. */
export const MATCH_BRIDGED: u32 = 9;
/** The packet's protocol is one that has ports (TCP, UDP, SCTP); nft's `th`. */
export const MATCH_PORTS: u32 = 10;
/** One of some IPv4 prefixes. Word 1: how many; in further slots an address and its mask each. */
export const MATCH_SRC: u32 = 11;
export const MATCH_DST: u32 = 12;
/**
 * One of some IPv6 prefixes. Word 1: how many; word 2: slots each takes, 1 for whole addresses, 2 for an address and its
 * mask. An address is four words in their order; what its mask leaves out is 0.
 */
export const MATCH_SRC6: u32 = 13;
export const MATCH_DST6: u32 = 14;
/** How many, 1 if the loopback interface is among them; their numbers in further slots. */
export const MATCH_IN_LIST: u32 = 15;
export const MATCH_OUT_LIST: u32 = 16;
/** FIELD_ code, value, mask: hits iff (field & mask) == value. A packet without that field is no hit, inverted or not. */
export const MATCH_BITS: u32 = 17;
/** FIELD_ code, from, to; likewise. */
export const MATCH_WITHIN: u32 = 18;
/** PORT_ bits, how many ranges; in further slots first | last << 16 each. Hits iff one of the ports is in one of them. */
export const MATCH_PORT_LIST: u32 = 19;
/** 0 src, 1 dst; in further slots the first and the last IPv6 address. */
export const MATCH_RANGE6: u32 = 20;
/** The frame's source: its first four octets and its last two, as numbers. */
export const MATCH_MAC: u32 = 21;
/** 0 src, 1 dst; ADDRESS_TYPE_ bits; LIMIT_ code. */
export const MATCH_ADDRESS_TYPE: u32 = 22;
/** RPFILTER_ bits: the way back to the source leads out of the interface that the packet came in by. */
export const MATCH_RPFILTER: u32 = 23;
/** UNDECIDED_ code: of which packets it is not known whether they hit; what else it says (0 or 1). */
export const MATCH_UNDECIDED: u32 = 24;
/**
 * A list of clients (iptables' recent): its number, seconds (0: however long ago), RECENT_ code and bits; in a further slot
 * the mask that is laid on the address, four words in their order.
 */
export const MATCH_RECENT: u32 = 25;
/** A set that rules fill (nftables): its list's number, seconds that an address stays, KEY_SRC or KEY_DST. */
export const MATCH_CLIENT: u32 = 26;
/** The same, and how many it holds in a further slot: notes the address, and fails where the set is full. */
export const MATCH_NOTE: u32 = 27;
export const MATCH_LAST: u32 = 27;
/** Octets of a slot. */
export const MATCH_LEN: u32 = 16;
export const MATCH_INVERT: u32 = 1 << 8;
export const MATCH_MORE_SHIFT: u32 = 16;

/** Connection-tracking states of a packet. */
export const CTSTATE_INVALID: u32 = 1;
export const CTSTATE_NEW: u32 = 2;
export const CTSTATE_ESTABLISHED: u32 = 4;
export const CTSTATE_RELATED: u32 = 8;
/** The connection's destination, or source, is translated. */
export const CTSTATE_DNAT: u32 = 16;
export const CTSTATE_SNAT: u32 = 32;
export const CTSTATE_UNTRACKED: u32 = 64;

/** Hooks in netfilter's order; each holds base chains in the order of their priority. */
export const HOOK_PREROUTING: u32 = 0;
export const HOOK_INPUT: u32 = 1;
export const HOOK_FORWARD: u32 = 2;
export const HOOK_OUTPUT: u32 = 3;
export const HOOK_POSTROUTING: u32 = 4;
/** The same hooks of IPv6 follow: HOOK_IP6 + HOOK_PREROUTING and so on. */
export const HOOK_IP6: u32 = 5;
export const HOOK_COUNT: u32 = 10;
export const HOOK_CHAINS_MAX: u32 = 8;
export const HOOK_FILTER: u32 = 0;
/** Walked by the first packet of a connection only. */
export const HOOK_NAT: u32 = 1;
/** Walked before the connection table is asked (priorities below -200: iptables' raw). */
export const HOOK_RAW: u32 = 2;
/** Walked before a known connection's destination is translated (below -100: mangle). */
export const HOOK_MANGLE: u32 = 3;
