/**
 * Offsets and codes of the headers on the wire, in octets from the start of each header, as the RFCs draw them.
 * Multi-octet fields are big-endian on the wire; `bytes.ts` turns them to host order.
 */

// Ethernet II (IEEE 802.3)
export const ETH_DST: u32 = 0;
export const ETH_SRC: u32 = 6;
/** In the first octet of a destination that is many's. */
export const ETH_GROUP: u32 = 1;
export const ETH_TYPE: u32 = 12;
export const ETH_LEN: u32 = 14;
export const ETH_TYPE_IP4: u32 = 0x0800;
export const ETH_TYPE_ARP: u32 = 0x0806;
export const ETH_TYPE_VLAN: u32 = 0x8100;
export const ETH_TYPE_QINQ: u32 = 0x88a8;
export const ETH_TYPE_IP6: u32 = 0x86dd;

/** The most that an IPv4 packet, or what follows an IPv6 header, may have. */
export const IP_MAX_LENGTH: u32 = 0xffff;

// IPv4 (RFC 791 §3.1)
export const IP4_VERSION_IHL: u32 = 0;
export const IP4_TOS: u32 = 1;
export const IP4_TOTAL_LENGTH: u32 = 2;
export const IP4_ID: u32 = 4;
export const IP4_FRAGMENT: u32 = 6;
export const IP4_TTL: u32 = 8;
export const IP4_PROTOCOL: u32 = 9;
export const IP4_CHECKSUM: u32 = 10;
export const IP4_SRC: u32 = 12;
export const IP4_DST: u32 = 16;
export const IP4_LEN: u32 = 20;
export const IP4_FLAG_DF: u32 = 0x4000;
export const IP4_FLAG_MF: u32 = 0x2000;
export const IP4_FRAGMENT_MASK: u32 = 0x1fff;
/** Options (RFC 791 §3.1, RFC 2113). */
/** An option with this bit stands in every fragment. */
export const IP4_OPTION_COPIED: u32 = 0x80;
export const IP4_OPTION_END: u32 = 0;
export const IP4_OPTION_NONE: u32 = 1;
export const IP4_OPTION_RR: u32 = 7;
export const IP4_OPTION_TS: u32 = 68;
export const IP4_OPTION_LSRR: u32 = 131;
export const IP4_OPTION_CIPSO: u32 = 134;
export const IP4_OPTION_SSRR: u32 = 137;
export const IP4_OPTION_ROUTER_ALERT: u32 = 148;

// IPv6 (RFC 8200 §3)
export const IP6_PAYLOAD_LENGTH: u32 = 4;
export const IP6_NEXT_HEADER: u32 = 6;
export const IP6_HOP_LIMIT: u32 = 7;
export const IP6_SRC: u32 = 8;
export const IP6_DST: u32 = 24;
export const IP6_LEN: u32 = 40;
/** What every link carries (RFC 8200 §5). */
export const IP6_MIN_MTU: u32 = 1280;

// IPv6 extension headers (RFC 8200 §4): the next header's number, and the length in words of 8 octets behind the first.
export const EXTENSION_NEXT: u32 = 0;
export const EXTENSION_LENGTH: u32 = 1;
/** Octets that say what it is and how long. */
export const EXTENSION_LEN: u32 = 2;
export const EXTENSION_HOP_BY_HOP: u32 = 0;
export const EXTENSION_ROUTING: u32 = 43;
export const EXTENSION_FRAGMENT: u32 = 44;
/** Its length is in words of 4 octets behind the first two (RFC 4302 §2.2). */
export const EXTENSION_AUTH: u32 = 51;
/** Nothing follows. */
export const EXTENSION_NONE: u32 = 59;
export const EXTENSION_DST_OPTIONS: u32 = 60;
/** A fragment header (RFC 8200 §4.5): offset in octets with its low bits for others, and the identification. */
export const FRAGMENT_OFFSET: u32 = 2;
export const FRAGMENT_ID: u32 = 4;
export const FRAGMENT_LEN: u32 = 8;
export const FRAGMENT_OFFSET_MASK: u32 = 0xfff8;
/** More fragments follow. */
export const FRAGMENT_FLAG_MORE: u32 = 1;
/** Options in hop-by-hop headers (RFC 8200 §4.2, RFC 2711, RFC 2675). */
export const OPTION_PAD1: u32 = 0;
export const OPTION_PADN: u32 = 1;
export const OPTION_ROUTER_ALERT: u32 = 5;
export const OPTION_JUMBO: u32 = 0xc2;
/** An option that is not known is passed over if these bits of its type are 0. */
export const OPTION_ACTION: u32 = 0xc0;

// Protocol numbers (IANA)
export const PROTO_ICMP: u32 = 1;
export const PROTO_IPIP: u32 = 4;
export const PROTO_TCP: u32 = 6;
export const PROTO_UDP: u32 = 17;
export const PROTO_DCCP: u32 = 33;
export const PROTO_IPV6: u32 = 41;
export const PROTO_GRE: u32 = 47;
export const PROTO_ESP: u32 = 50;
export const PROTO_AH: u32 = 51;
export const PROTO_ICMP6: u32 = 58;
export const PROTO_SCTP: u32 = 132;
export const PROTO_UDPLITE: u32 = 136;

// TCP (RFC 9293 §3.1)
export const TCP_SRC: u32 = 0;
export const TCP_DST: u32 = 2;
export const TCP_SEQ: u32 = 4;
export const TCP_ACK: u32 = 8;
export const TCP_OFFSET: u32 = 12;
export const TCP_FLAGS: u32 = 13;
export const TCP_WINDOW: u32 = 14;
export const TCP_CHECKSUM: u32 = 16;
export const TCP_URGENT: u32 = 18;
export const TCP_LEN: u32 = 20;
export const TCP_FLAG_FIN: u32 = 1;
export const TCP_FLAG_SYN: u32 = 2;
export const TCP_FLAG_RST: u32 = 4;
export const TCP_FLAG_PSH: u32 = 8;
export const TCP_FLAG_ACK: u32 = 16;
export const TCP_FLAG_URG: u32 = 32;

// UDP (RFC 768)
export const UDP_SRC: u32 = 0;
export const UDP_DST: u32 = 2;
export const UDP_LENGTH: u32 = 4;
export const UDP_CHECKSUM: u32 = 6;
export const UDP_LEN: u32 = 8;

// SCTP (RFC 9260 §3.1)
export const SCTP_SRC: u32 = 0;
export const SCTP_DST: u32 = 2;
export const SCTP_TAG: u32 = 4;
/** CRC32c, in little-endian order. */
export const SCTP_CHECKSUM: u32 = 8;
export const SCTP_LEN: u32 = 12;

// ICMP (RFC 792)
export const ICMP_TYPE: u32 = 0;
export const ICMP_CODE: u32 = 1;
export const ICMP_CHECKSUM: u32 = 2;
export const ICMP_ID: u32 = 4;
export const ICMP_SEQUENCE: u32 = 6;
export const ICMP_LEN: u32 = 8;

// VXLAN (RFC 7348 §5)
export const VXLAN_FLAGS: u32 = 0;
export const VXLAN_VNI: u32 = 4;
export const VXLAN_RESERVED: u32 = 7;
export const VXLAN_LEN: u32 = 8;
export const VXLAN_FLAG_VNI: u32 = 0x08;
/** What stands before the inner frame: Ethernet, IPv4, UDP, VXLAN. */
export const VXLAN_OUTER_LEN: u32 = ETH_LEN + IP4_LEN + UDP_LEN + VXLAN_LEN;

// Geneve (RFC 8926 §3.4): version and length of the options in words, flags, protocol type, VNI, options.
export const GENEVE_VERSION_LENGTH: u32 = 0;
export const GENEVE_FLAGS: u32 = 1;
export const GENEVE_TYPE: u32 = 2;
export const GENEVE_VNI: u32 = 4;
export const GENEVE_LEN: u32 = 8;
export const GENEVE_LENGTH_MASK: u32 = 0x3f;
/** A control message. */
export const GENEVE_FLAG_CONTROL: u32 = 0x80;
/** There are options that an endpoint must know to go on. */
export const GENEVE_FLAG_CRITICAL: u32 = 0x40;
/** An option's type with this bit is critical. */
export const GENEVE_OPTION_CRITICAL: u32 = 0x80;
/** Transparent Ethernet bridging: the payload is an Ethernet frame. */
export const ETH_TYPE_TEB: u32 = 0x6558;
export const GENEVE_PORT: u32 = 6081;
/** What stands before the inner frame where there are no options. */
export const GENEVE_OUTER_LEN: u32 = ETH_LEN + IP4_LEN + UDP_LEN + GENEVE_LEN;

/** GRE's header without options, and Generic UDP Encapsulation's. */
export const GRE_LEN: u32 = 4;
export const GUE_LEN: u32 = 4;
