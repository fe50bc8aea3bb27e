/** What words of matches and targets (abi/entry.ts) say. */

// Of TARGET_NAT and TARGET_REDIRECT.
/** The source, not the destination, is translated. */
export const NAT_SRC: u32 = 1;
/** There are addresses, or ports; what there is not stays. */
export const NAT_ADDRESSES: u32 = 2;
export const NAT_PORTS: u32 = 4;
/** The port is drawn even if the packet's would do. */
export const NAT_RANDOM: u32 = 8;
/** The port is as far from the range's first as the packet's is from another. */
export const NAT_OFFSET: u32 = 16;

/** value, mask: connection's mark = (its & ~mask) ^ value. */
export const CONNMARK_SET: u32 = 0;
/** nfmask, ctmask: connection's mark = (its & ~ctmask) ^ (packet's & nfmask). */
export const CONNMARK_SAVE: u32 = 1;
/** nfmask, ctmask: packet's mark = (its & ~nfmask) ^ (connection's & ctmask). */
export const CONNMARK_RESTORE: u32 = 2;

/** Fields of packets. TTL, or hop limit. */
export const FIELD_TTL: u32 = 0;
/** Octets of the IP packet. */
export const FIELD_LENGTH: u32 = 1;
/** TOS, or traffic class. */
export const FIELD_TOS: u32 = 2;
export const FIELD_TCP_FLAGS: u32 = 3;
/** type << 8 | code, of ICMP and ICMPv6. */
export const FIELD_ICMP: u32 = 4;
/** By the frame's destination: LINK_ code. */
export const FIELD_LINK: u32 = 5;
export const FIELD_SRC: u32 = 6;
export const FIELD_DST: u32 = 7;
/** Of the packet's connection: its mark, protocol, CTSTATUS_ bits, the packet's direction in it, the seconds it has left. */
export const FIELD_CONNMARK: u32 = 8;
export const FIELD_CT_PROTOCOL: u32 = 9;
export const FIELD_CT_STATUS: u32 = 10;
export const FIELD_CT_DIRECTION: u32 = 11;
export const FIELD_CT_LEFT: u32 = 12;
/** Its tuples, as it began and as it is answered; of an IPv6 address the word that FIELD_WORD_SHIFT names. */
export const FIELD_CT_SRC: u32 = 13;
export const FIELD_CT_DST: u32 = 14;
export const FIELD_CT_REPLY_SRC: u32 = 15;
export const FIELD_CT_REPLY_DST: u32 = 16;
export const FIELD_CT_SPORT: u32 = 17;
export const FIELD_CT_DPORT: u32 = 18;
export const FIELD_CT_REPLY_SPORT: u32 = 19;
export const FIELD_CT_REPLY_DPORT: u32 = 20;
/** Of packets that IPVS sends on: where it found them destined to. */
export const FIELD_IPVS_PROTOCOL: u32 = 21;
export const FIELD_IPVS_DST: u32 = 22;
export const FIELD_IPVS_DPORT: u32 = 23;
/** Of fields that are IPv6 addresses, which of the four words in their order. */
export const FIELD_WORD_SHIFT: u32 = 8;

export const LINK_UNICAST: u32 = 0;
export const LINK_BROADCAST: u32 = 1;
export const LINK_MULTICAST: u32 = 2;

export const CTSTATUS_SEEN_REPLY: u32 = 2;
export const CTSTATUS_ASSURED: u32 = 4;
export const CTSTATUS_CONFIRMED: u32 = 8;

export const PORT_SRC: u32 = 1;
export const PORT_DST: u32 = 2;

export const ADDRESS_TYPE_UNSPEC: u32 = 1;
export const ADDRESS_TYPE_UNICAST: u32 = 2;
export const ADDRESS_TYPE_LOCAL: u32 = 4;
export const ADDRESS_TYPE_BROADCAST: u32 = 8;
export const ADDRESS_TYPE_MULTICAST: u32 = 16;
/** The address must be of the interface that the packet came in by, or leaves by. */
export const LIMIT_NONE: u32 = 0;
export const LIMIT_IN: u32 = 1;
export const LIMIT_OUT: u32 = 2;

/** The way back may lead anywhere. */
export const RPFILTER_LOOSE: u32 = 1;
/** A source of the node's own is let pass. */
export const RPFILTER_ACCEPT_LOCAL: u32 = 2;

export const UNDECIDED_ALWAYS: u32 = 0;
/** Of packets made on the node. */
export const UNDECIDED_NODE: u32 = 1;
/** Of packets that came in by a port of a bridge. */
export const UNDECIDED_BRIDGED: u32 = 2;

/** What MATCH_RECENT does with an address: notes it, asks for it, notes it again where it is known, forgets it. */
export const RECENT_SET: u32 = 0;
export const RECENT_CHECK: u32 = 1;
export const RECENT_UPDATE: u32 = 2;
export const RECENT_REMOVE: u32 = 3;
export const RECENT_CODE_MASK: u32 = 3;
/** The packet's destination, not its source. */
export const RECENT_FLAG_DST: u32 = 4;
/** Where the address is known, the list's oldest goes if it is older than the seconds said. */
export const RECENT_FLAG_REAP: u32 = 8;
/** Of the address only packets of the TTL (hop limit) that the last one had. */
export const RECENT_FLAG_TTL: u32 = 16;
/** How often it must have been noted: so many bits up; 0 and 1 ask for once. */
export const RECENT_HITS_SHIFT: u32 = 8;
export const RECENT_HITS_MAX: u32 = 0xffffff;
/** How many of the times at which an address was noted are remembered: of more it may be undecided whether they are recent. */
export const RECENT_TIMES: u32 = 8;

/**
 * Which fields make the key of a set or map: an address (1 source, 2 destination), protocol and port (4 source, 8
 * destination), a second address (16, 32). 64: the first address is looked for as a net, 128: the second.
 * Nets stand in the table by their first address, with their length + 1 as the key's highest octet.
 */
export const KEY_SRC: u32 = 1;
export const KEY_DST: u32 = 2;
export const KEY_SPORT: u32 = 4;
export const KEY_DPORT: u32 = 8;
export const KEY_THEN_SRC: u32 = 16;
export const KEY_THEN_DST: u32 = 32;
export const KEY_NET: u32 = 64;
export const KEY_THEN_NET: u32 = 128;
export const KEY_DST_PROTO_DPORT: u32 = KEY_DST + KEY_DPORT;
export const KEY_PROTO_DPORT: u32 = KEY_DPORT;
/** ipset hash:ip,port,ip with dst,dst,src: KUBE-LOOP-BACK, where both addresses are one. */
export const KEY_DST_PROTO_DPORT_SRC: u32 = KEY_DST + KEY_DPORT + KEY_THEN_SRC;
/**
 * Highest octets of keys in tables with second addresses: what stands for a first key, and the second address beneath it.
 * An element whose addresses are equal stands there once, by its first key alone.
 */
export const KEY_TAG_GROUP: u32 = 0xfe000000;
export const KEY_TAG_MEMBER: u32 = 0xff000000;
export const KEY_LENGTH_SHIFT: u32 = 24;
/** The value of a net whose addresses are not in the set, though a shorter one be. */
export const KEY_NOMATCH: u32 = 2;
