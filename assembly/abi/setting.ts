/**
 * Settings of the node's kernel: what settingSet takes. A code is named after its sysctl, the last part of its
 * name or what follows net.netfilter.nf_conntrack_, in capitals. Timeouts are in seconds.
 */

/** Timeouts of TCP states stand in the order of the states (abi/connection.ts), those of SCTP below likewise. */
export const SETTING_TCP_TIMEOUT_SYN_SENT: u32 = 1;
export const SETTING_TCP_TIMEOUT_SYN_RECV: u32 = 2;
export const SETTING_TCP_TIMEOUT_ESTABLISHED: u32 = 3;
export const SETTING_TCP_TIMEOUT_FIN_WAIT: u32 = 4;
export const SETTING_TCP_TIMEOUT_CLOSE_WAIT: u32 = 5;
export const SETTING_TCP_TIMEOUT_LAST_ACK: u32 = 6;
export const SETTING_TCP_TIMEOUT_TIME_WAIT: u32 = 7;
export const SETTING_TCP_TIMEOUT_CLOSE: u32 = 8;
/** At most this when segments come again and again. */
export const SETTING_TCP_TIMEOUT_MAX_RETRANS: u32 = 9;
/** At most this when data is not acknowledged. */
export const SETTING_TCP_TIMEOUT_UNACKNOWLEDGED: u32 = 10;
/** 1: an ACK may begin a connection. */
export const SETTING_TCP_LOOSE: u32 = 11;
/** 1: segments out of the window are believed. */
export const SETTING_TCP_BE_LIBERAL: u32 = 12;
export const SETTING_TCP_MAX_RETRANS: u32 = 13;
/** 1: an RST before what was acknowledged is not INVALID. */
export const SETTING_TCP_IGNORE_INVALID_RST: u32 = 14;
/** net.ipv4.conf.all.route_localnet: 1, packets from outside may be to 127/8. */
export const SETTING_ROUTE_LOCALNET: u32 = 15;
/** No kernel's: 1, packets from outside may be to ::1, 0.0.0.0 and link-local addresses, so that rules alone judge them. */
export const SETTING_ROUTE_ANYWHERE: u32 = 16;

export const SETTING_SCTP_TIMEOUT_CLOSED: u32 = 17;
export const SETTING_SCTP_TIMEOUT_COOKIE_WAIT: u32 = 18;
export const SETTING_SCTP_TIMEOUT_COOKIE_ECHOED: u32 = 19;
export const SETTING_SCTP_TIMEOUT_ESTABLISHED: u32 = 20;
export const SETTING_SCTP_TIMEOUT_SHUTDOWN_SENT: u32 = 21;
export const SETTING_SCTP_TIMEOUT_SHUTDOWN_RECD: u32 = 22;
export const SETTING_SCTP_TIMEOUT_SHUTDOWN_ACK_SENT: u32 = 23;
export const SETTING_SCTP_TIMEOUT_HEARTBEAT_SENT: u32 = 24;

export const SETTING_UDP_TIMEOUT: u32 = 25;
/** Of UDP with replies, after its first two seconds. */
export const SETTING_UDP_TIMEOUT_STREAM: u32 = 26;
export const SETTING_ICMP_TIMEOUT: u32 = 27;
export const SETTING_ICMPV6_TIMEOUT: u32 = 28;
/** Of protocols that conntrack does not look into. */
export const SETTING_GENERIC_TIMEOUT: u32 = 29;
export const SETTING_GRE_TIMEOUT: u32 = 30;
export const SETTING_GRE_TIMEOUT_STREAM: u32 = 31;

/** IPVS' own, net.ipv4.vs.*; 1: conntrack follows its connections too. */
export const SETTING_VS_CONNTRACK: u32 = 32;
export const SETTING_VS_CONN_REUSE_MODE: u32 = 33;
export const SETTING_VS_EXPIRE_NODEST_CONN: u32 = 34;
export const SETTING_VS_EXPIRE_QUIESCENT_TEMPLATE: u32 = 35;
export const SETTING_VS_SLOPPY_TCP: u32 = 36;
export const SETTING_VS_SLOPPY_SCTP: u32 = 37;
export const SETTING_VS_NAT_ICMP_SEND: u32 = 38;
export const SETTING_VS_SCHEDULE_ICMP: u32 = 39;
export const SETTING_VS_CACHE_BYPASS: u32 = 40;
/** 1, 2 or 3: when memory is short, or always, some of the connections that are not established are dropped. */
export const SETTING_VS_DROP_ENTRY: u32 = 41;
export const SETTING_VS_DROP_PACKET: u32 = 42;
export const SETTING_VS_SNAT_REROUTE: u32 = 43;
export const SETTING_VS_SECURE_TCP: u32 = 44;
/** What ipvsadm --set changes, in seconds: of TCP established, of TCP behind a FIN, of UDP. */
export const SETTING_VS_TIMEOUT_TCP: u32 = 45;
export const SETTING_VS_TIMEOUT_TCP_FIN: u32 = 46;
export const SETTING_VS_TIMEOUT_UDP: u32 = 47;

/** Seconds that fragments wait for the rest of their datagram: net.ipv4.ipfrag_time, nf_conntrack_frag6_timeout. */
export const SETTING_IPFRAG_TIME: u32 = 48;
export const SETTING_FRAG6_TIMEOUT: u32 = 49;
/** IPv4 fragments that a source sends from one of a datagram to the next, above which that begins anew; 0: no end. */
export const SETTING_IPFRAG_MAX_DIST: u32 = 50;
export const SETTING_COUNT: u32 = 51;
