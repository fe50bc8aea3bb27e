/** What a host reads of connections, in netfilter's words. */

/** TCP states (enum tcp_conntrack in nf_conntrack_tcp.h). */
export const TCP_NONE: u32 = 0;
export const TCP_SYN_SENT: u32 = 1;
export const TCP_SYN_RECV: u32 = 2;
export const TCP_ESTABLISHED: u32 = 3;
export const TCP_FIN_WAIT: u32 = 4;
export const TCP_CLOSE_WAIT: u32 = 5;
export const TCP_LAST_ACK: u32 = 6;
export const TCP_TIME_WAIT: u32 = 7;
export const TCP_CLOSE: u32 = 8;
/** Both ends sent a SYN. */
export const TCP_SYN_SENT2: u32 = 9;

/** SCTP states (enum sctp_conntrack in nf_conntrack_sctp.h). */
export const SCTP_NONE: u32 = 0;
export const SCTP_CLOSED: u32 = 1;
export const SCTP_COOKIE_WAIT: u32 = 2;
export const SCTP_COOKIE_ECHOED: u32 = 3;
export const SCTP_ESTABLISHED: u32 = 4;
export const SCTP_SHUTDOWN_SENT: u32 = 5;
export const SCTP_SHUTDOWN_RECD: u32 = 6;
export const SCTP_SHUTDOWN_ACK_SENT: u32 = 7;
export const SCTP_HEARTBEAT_SENT: u32 = 8;

// A row of flowsRead: a connection. Of an IPv6 address there are four words, of an IPv4 address the last of them.
/** Its number, the record's. */
export const CONNECTION_ROW_NUMBER: u32 = 0;
/** 4 or 6. */
export const CONNECTION_ROW_FAMILY: u32 = 4;
export const CONNECTION_ROW_PROTOCOL: u32 = 8;
/** TCP_ or SCTP_ code. */
export const CONNECTION_ROW_STATE: u32 = 12;
/** As its first packet came, and as replies come. Ports are src << 16 | dst, of ICMP identifier << 16 | type << 8 | code. */
export const CONNECTION_ROW_SRC: u32 = 16;
export const CONNECTION_ROW_DST: u32 = 32;
export const CONNECTION_ROW_REPLY_SRC: u32 = 48;
export const CONNECTION_ROW_REPLY_DST: u32 = 64;
export const CONNECTION_ROW_PORTS: u32 = 80;
export const CONNECTION_ROW_REPLY_PORTS: u32 = 84;
/** Milliseconds that are left. */
export const CONNECTION_ROW_LEFT: u32 = 88;
export const CONNECTION_ROW_MARK: u32 = 92;
/** CONNECTION_FLAG_ bits, CTSTATE_DNAT and CTSTATE_SNAT. */
export const CONNECTION_ROW_FLAGS: u32 = 96;
export const CONNECTION_ROW_LEN: u32 = 112;

/** IPVS may have a say about its packets: it is of one of its connections, or looks like what a server answers. */
export const CONNECTION_FLAG_IPVS: u32 = 256;
/** It is not evicted when the table is full. */
export const CONNECTION_FLAG_ASSURED: u32 = 512;
/** A reply was seen. */
export const CONNECTION_FLAG_REPLIED: u32 = 1024;
