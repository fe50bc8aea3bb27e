import { type Ip, printIp } from "../net/ip.js";

/** One direction of a connection. Protocols without ports have neither of the two pairs. */
export interface ConnectionTuple {
  readonly src: Ip;
  readonly dst: Ip;
  readonly srcPort?: number;
  readonly dstPort?: number;
  /** Of ICMP queries and their answers. */
  readonly icmp?: { readonly type: number; readonly code: number; readonly id: number };
}

/** A connection that conntrack knows. */
export interface Connection {
  /** Which it is among those of an engine, as long as it lives. */
  readonly number: number;
  /** IP protocol number. */
  readonly protocol: number;
  /** `ESTABLISHED`, `TIME_WAIT` and so on; undefined where the protocol has no states. */
  readonly state?: string;
  /** As its first packet came, and as replies come. */
  readonly original: ConnectionTuple;
  readonly reply: ConnectionTuple;
  /** Milliseconds until it is forgotten. */
  readonly timeout: number;
  readonly mark: number;
  /** A reply was seen; it stays when the table is full. */
  readonly isReplied: boolean;
  readonly isAssured: boolean;
}

const PROTOCOLS: Readonly<Record<number, string>> = {
  1: "icmp",
  6: "tcp",
  17: "udp",
  47: "gre",
  58: "icmpv6",
  132: "sctp",
};

function printTuple({ src, dst, srcPort, dstPort, icmp }: ConnectionTuple): string {
  const ends = `src=${printIp(src)} dst=${printIp(dst)}`;
  if (icmp !== undefined) return `${ends} type=${icmp.type} code=${icmp.code} id=${icmp.id}`;
  return srcPort === undefined ? ends : `${ends} sport=${srcPort} dport=${dstPort}`;
}

/** A line of `conntrack -L`. */
export function printConnection(connection: Connection): string {
  const { protocol, state, original, reply, timeout, mark } = connection;
  const name = (PROTOCOLS[protocol] ?? "unknown").padEnd(8);
  const parts = [
    `${name} ${protocol} ${Math.floor(timeout / 1000)}`,
    ...(state === undefined ? [] : [state]),
    printTuple(original),
    ...(connection.isReplied ? [] : ["[UNREPLIED]"]),
    printTuple(reply),
    ...(connection.isAssured ? ["[ASSURED]"] : []),
    `mark=${mark} use=1`,
  ];
  return parts.join(" ");
}
