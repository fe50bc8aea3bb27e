/** What becomes of a packet. Every packet has exactly one verdict; every one but FORWARD and LOCAL has a reason. */
export const VERDICT_NONE: u32 = 0;
/** It leaves the node, rewritten, by COLUMN_OUT. */
export const VERDICT_FORWARD: u32 = 1;
/** It is delivered to the node itself. */
export const VERDICT_LOCAL: u32 = 2;
/** It is dropped without a word. */
export const VERDICT_DROP: u32 = 3;
/** It is refused with an answer to its sender, by a rule or for want of a real server. */
export const VERDICT_REJECT: u32 = 4;
/** The machine does not judge it: hand it to a slower path. The frame is untouched. */
export const VERDICT_PUNT: u32 = 5;

/** A fragment that is kept until the rest of its datagram comes, which then goes on whole in the last one's slot. */
export const VERDICT_HOLD: u32 = 6;
/**
 * Beside FORWARD: the packet leaves in fragments. What they are is said behind the frame (PARTS_… in abi/packet.ts).
 */
export const LEAVES_IN_PARTS: u32 = 1 << 16;

/** Reasons. */
export const DROP_NONE: u32 = 0;
/** Shorter than its headers say. */
export const DROP_TRUNCATED: u32 = 1;
/** An IP header that no host may send: version, header length, total length (RFC 1812 §5.2.2). */
export const DROP_BAD_HEADER: u32 = 2;
/** The IPv4 header checksum is wrong. */
export const DROP_BAD_CHECKSUM: u32 = 3;
/** The TTL, or hop limit, is used up. */
export const DROP_TTL_EXCEEDED: u32 = 4;
/** No route to the destination. */
export const DROP_NO_ROUTE: u32 = 5;
/** The next hop has no neighbour entry: found on the way out, after the rules, as in a kernel. */
export const DROP_NO_NEIGHBOUR: u32 = 6;
/** A rule said DROP. */
export const DROP_RULE: u32 = 7;
/** A rule said REJECT: ICMP port unreachable. */
export const DROP_PORT_UNREACHABLE: u32 = 8;
/** An IPVS virtual server without a real server. */
export const DROP_NO_DESTINATION: u32 = 9;
/** The connection table is full. */
export const DROP_FLOW_TABLE_FULL: u32 = 10;
/** No free source port was found for a translated connection. */
export const DROP_NO_PORT: u32 = 11;
/** Larger than the way out takes, and DF is set or it is IPv6 (ICMPv6 packet too big). */
export const DROP_FRAGMENTATION_NEEDED: u32 = 12;
/** VXLAN or Geneve to this node with a VNI that no device has, or VXLAN without the I flag. */
export const DROP_UNKNOWN_VNI: u32 = 13;
/** Jumps nest deeper than the kernel allows. */
export const DROP_CHAIN_DEPTH: u32 = 14;
/** Not enough headroom in the slot to encapsulate. */
export const DROP_NO_HEADROOM: u32 = 15;
/** The frame lies outside its slot. */
export const DROP_BAD_SLOT: u32 = 16;
/** Neither IPv4 nor IPv6: ARP and others. */
export const DROP_NOT_IP: u32 = 17;
/** A fragment: ports are not in every one. Held until the others come; punted by a state without room for fragments. */
export const DROP_FRAGMENT: u32 = 18;
/** Larger than the way out takes, DF clear: it is to be fragmented, but its slot has no room to say how. */
export const DROP_NEEDS_FRAGMENTING: u32 = 19;
/** Multicast or broadcast destination, of the packet (punted), or of its frame where the packet is not the node's. */
export const DROP_MULTICAST: u32 = 20;
/** A transport protocol that is not balanced: neither TCP nor UDP. */
export const DROP_PROTOCOL: u32 = 21;
/** A VLAN-tagged frame (IEEE 802.1Q, 802.1ad): whatever is inside. */
export const DROP_VLAN: u32 = 22;
/**
 * A source or destination that no packet from outside may have: 0.0.0.0, 127/8 (as a destination unless route_localnet is
 * set), a broadcast or multicast source, the node itself as one (ip_route_input_slow, RFC 1812 §5.3.7); of
 * IPv6 ::1, a multicast source, a multicast destination of the node itself, or the source :: where it would be forwarded.
 */
export const DROP_MARTIAN: u32 = 23;
/** The tunnel says congestion (CE) to a packet that does not know ECN (RFC 6040 §4.2). */
export const DROP_ECN: u32 = 24;
/** Geneve of another version, or around something else than an Ethernet frame; VXLAN with reserved bits that are not 0. */
export const DROP_TUNNEL_HEADER: u32 = 25;
/** A Geneve control message, whose payload an endpoint may not forward (RFC 8926 §3.4). */
export const DROP_TUNNEL_CONTROL: u32 = 26;
/** Geneve with critical options, none of which the machine knows (RFC 8926 §3.4). */
export const DROP_TUNNEL_OPTION: u32 = 27;
/** It belongs to no connection: whoever was asked to translate alone leaves it as it is. */
export const DROP_NO_CONNECTION: u32 = 28;
/** It came by no tunnel: whoever was asked to take outer headers off leaves it as it is. */
export const DROP_NO_TUNNEL: u32 = 29;
/** An IPv6 packet to a link-local address: what that is depends on the link. */
export const DROP_LINK_LOCAL: u32 = 30;
/** A link-local source, which leaves its link by no router (RFC 4291 §2.5.6): ICMPv6 beyond scope. */
export const DROP_BEYOND_SCOPE: u32 = 31;
/** A hop-by-hop option that is wrong, or that whoever does not know it must refuse (RFC 8200 §4.2). */
export const DROP_IP6_OPTION: u32 = 32;
/** A rule asks what the machine does not know: COLUMN_OUT has its chain, COLUMN_NEXT_HOP its number there, from 0. */
export const DROP_UNDECIDED: u32 = 33;
/** What a rule said REJECT with, beside port unreachable: ICMP and ICMPv6 errors, or a TCP RST. */
export const DROP_NET_UNREACHABLE: u32 = 34;
export const DROP_HOST_UNREACHABLE: u32 = 35;
export const DROP_PROTOCOL_UNREACHABLE: u32 = 36;
export const DROP_NET_PROHIBITED: u32 = 37;
export const DROP_HOST_PROHIBITED: u32 = 38;
export const DROP_ADMIN_PROHIBITED: u32 = 39;
/** ICMPv6: source address failed ingress/egress policy, reject route to destination (RFC 4443 §3.1). */
export const DROP_POLICY_FAIL: u32 = 40;
export const DROP_REJECT_ROUTE: u32 = 41;
export const DROP_TCP_RESET: u32 = 42;
/** REDIRECT of a packet that came in by an interface without an address. */
export const DROP_NO_ADDRESS: u32 = 43;
/** An ICMP redirect about a packet whose addresses are translated: whoever gets it knows other ones. */
export const DROP_REDIRECT: u32 = 44;
/** The route is one of type blackhole: dropped without a word. */
export const DROP_BLACKHOLE: u32 = 45;
/** One of type unreachable: ICMP host unreachable, ICMPv6 no route. */
export const DROP_ROUTE_UNREACHABLE: u32 = 46;
/** One of type prohibit: ICMP and ICMPv6 administratively prohibited. */
export const DROP_ROUTE_PROHIBITED: u32 = 47;
/** IPv4 options that change on the way or say where it goes, or that are wrong: record route, timestamp, source routes. */
export const DROP_IP4_OPTION: u32 = 48;
/** An IPv6 authentication header: iptables and conntrack look behind it, nftables does not (nft_set_pktinfo_ipv6). */
export const DROP_IP6_AUTH: u32 = 49;
/** A fragment of which all octets have come before. */
export const DROP_FRAGMENT_REPEATED: u32 = 50;
/** A fragment that overlaps others of its datagram: all are dropped (RFC 5722, of IPv4 as Linux does since 4.19). */
export const DROP_FRAGMENT_OVERLAP: u32 = 51;
/** A fragment that contradicts others of its datagram: where it ends, or in ECN; or an empty one, or beyond 65,535 octets. */
export const DROP_FRAGMENT_CONFLICT: u32 = 52;
/** There is no room for another fragment. */
export const DROP_FRAGMENTS_FULL: u32 = 53;
/** All fragments of a datagram are there, but it does not fit the slot of the last one (punted; the others are gone). */
export const DROP_DATAGRAM_TOO_LONG: u32 = 54;
/** It would begin a connection where IPVS has one that is over, and conntrack too: both go, and the packet, sent again, begins it. */
export const DROP_RESCHEDULED: u32 = 55;
/** The real server of its IPVS connection is no more. */
export const DROP_NO_SERVER: u32 = 56;
/** IPVS is told to drop some of the packets that would begin a connection (drop_packet). */
export const DROP_SPARED: u32 = 57;

/**
 * What `answer` must know of a packet that was dropped or refused, beside its reason: bits behind that.
 * The packet had one hop less to go already: it was refused behind a router's decrement.
 */
export const REFUSED_AGED: u32 = 1;
/** It was refused as one to the node itself. */
export const REFUSED_LOCAL: u32 = 2;
/** It belongs to a connection, or was to open one: what answers it is RELATED. */
export const REFUSED_TRACKED: u32 = 4;
/** Its connection gives it another destination, or another source. */
export const REFUSED_DST: u32 = 8;
export const REFUSED_SRC: u32 = 16;
/** IPVS had given it another destination. */
export const REFUSED_LED: u32 = 32;
/** Octets that were to be put before it, behind these bits: what is left of the way's MTU is so much less. */
export const REFUSED_OVERHEAD_SHIFT: u32 = 8;
