/** What a host reads of IPVS' own connections (sessions) and of its statistics, in the kernel's words (ip_vs.h). */

/** TCP states (IP_VS_TCP_S_). */
export const VS_TCP_NONE: u32 = 0;
export const VS_TCP_ESTABLISHED: u32 = 1;
export const VS_TCP_SYN_SENT: u32 = 2;
export const VS_TCP_SYN_RECV: u32 = 3;
export const VS_TCP_FIN_WAIT: u32 = 4;
export const VS_TCP_TIME_WAIT: u32 = 5;
export const VS_TCP_CLOSE: u32 = 6;
export const VS_TCP_CLOSE_WAIT: u32 = 7;
export const VS_TCP_LAST_ACK: u32 = 8;
export const VS_TCP_LISTEN: u32 = 9;
export const VS_TCP_SYNACK: u32 = 10;

/** SCTP states (IP_VS_SCTP_S_). */
export const VS_SCTP_NONE: u32 = 0;
export const VS_SCTP_INIT1: u32 = 1;
export const VS_SCTP_INIT: u32 = 2;
export const VS_SCTP_COOKIE_SENT: u32 = 3;
export const VS_SCTP_COOKIE_REPLIED: u32 = 4;
export const VS_SCTP_COOKIE_WAIT: u32 = 5;
export const VS_SCTP_COOKIE: u32 = 6;
export const VS_SCTP_COOKIE_ECHOED: u32 = 7;
export const VS_SCTP_ESTABLISHED: u32 = 8;
export const VS_SCTP_SHUTDOWN_SENT: u32 = 9;
export const VS_SCTP_SHUTDOWN_RECEIVED: u32 = 10;
export const VS_SCTP_SHUTDOWN_ACK_SENT: u32 = 11;
export const VS_SCTP_REJECTED: u32 = 12;
export const VS_SCTP_CLOSED: u32 = 13;

/** A template's state: a session of it was answered (IP_VS_CTPL_S_ASSURED). UDP has none but 0. */
export const VS_TEMPLATE_ASSURED: u32 = 1;

/** Its flags (IP_VS_CONN_F_); the lowest three bits are a FORWARD_ code. */
export const SESSION_FORWARD_MASK: u32 = 7;
/** The node sees requests only. */
export const SESSION_FLAG_NO_OUTPUT: u32 = 128;
export const SESSION_FLAG_INACTIVE: u32 = 256;
/** It says where a client's next connections go, and is none itself. */
export const SESSION_FLAG_TEMPLATE: u32 = 4096;
export const SESSION_FLAG_ONE_PACKET: u32 = 8192;
/** conntrack follows it too. */
export const SESSION_FLAG_CONNTRACK: u32 = 65536;

// A row of sessionsRead. Of an IPv6 address there are four words, of an IPv4 address the last of them.
/** Its number, the record's. */
export const SESSION_ROW_NUMBER: u32 = 0;
/** 4 or 6. */
export const SESSION_ROW_FAMILY: u32 = 4;
/** 0 of the template of a firewall mark, whose virtual address the mark is. */
export const SESSION_ROW_PROTOCOL: u32 = 8;
/** VS_ code. */
export const SESSION_ROW_STATE: u32 = 12;
export const SESSION_ROW_CLIENT: u32 = 16;
export const SESSION_ROW_VIRTUAL: u32 = 32;
export const SESSION_ROW_REAL: u32 = 48;
/** The client's << 16 | the virtual one. */
export const SESSION_ROW_PORTS: u32 = 64;
export const SESSION_ROW_REAL_PORT: u32 = 68;
/** Milliseconds that are left. */
export const SESSION_ROW_LEFT: u32 = 72;
/** The mark of its first packet. */
export const SESSION_ROW_MARK: u32 = 76;
/** SESSION_FLAG_ bits. */
export const SESSION_ROW_FLAGS: u32 = 80;
/** Number and serial of its destination. */
export const SESSION_ROW_DESTINATION: u32 = 84;
export const SESSION_ROW_SERIAL: u32 = 88;
/** The number of its template, 0 for none; of a template, how many sessions keep it. */
export const SESSION_ROW_CONTROL: u32 = 92;
export const SESSION_ROW_CONTROLLED: u32 = 96;
/** Packets of its client's. */
export const SESSION_ROW_PACKETS: u32 = 100;
export const SESSION_ROW_LEN: u32 = 112;

// A row of destinationsRead.
export const DESTINATION_ROW_NUMBER: u32 = 0;
/** Its virtual server's number plus one, 0 where it left. */
export const DESTINATION_ROW_SERVICE: u32 = 4;
export const DESTINATION_ROW_SERIAL: u32 = 8;
export const DESTINATION_ROW_WEIGHT: u32 = 12;
export const DESTINATION_ROW_ADDRESS: u32 = 16;
export const DESTINATION_ROW_PORT: u32 = 32;
export const DESTINATION_ROW_ACTIVE: u32 = 36;
export const DESTINATION_ROW_INACTIVE: u32 = 40;
export const DESTINATION_ROW_PERSISTENT: u32 = 44;
/** 1: it has reached its upper threshold, and takes nothing. */
export const DESTINATION_ROW_OVERLOADED: u32 = 48;
/** STATISTICS_ROW_. */
export const DESTINATION_ROW_STATISTICS: u32 = 56;
export const DESTINATION_ROW_LEN: u32 = 96;

// Statistics, u64 each: connections, packets of clients and of servers, their octets from the IP header on.
export const STATISTICS_ROW_CONNS: u32 = 0;
export const STATISTICS_ROW_IN_PACKETS: u32 = 8;
export const STATISTICS_ROW_OUT_PACKETS: u32 = 16;
export const STATISTICS_ROW_IN_OCTETS: u32 = 24;
export const STATISTICS_ROW_OUT_OCTETS: u32 = 32;
export const STATISTICS_ROW_LEN: u32 = 40;
