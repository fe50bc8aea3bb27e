import type { Ip } from "../../../src/net/ip.js";
import type { Mac } from "../../../src/net/mac.js";
import { type Frame, frame } from "../../../src/packet/frame.js";
import type { Entering } from "./conversation.js";

/** One end of a packet: address and port (of ICMP, the echo's id). */
export interface End {
  readonly address: Ip;
  readonly port: number;
}

export type Protocol = "TCP" | "UDP" | "SCTP" | "ICMP";

/** A packet to make. */
export interface Segment {
  readonly protocol: Protocol;
  readonly way: string;
  /** Of the interface it comes in by. */
  readonly mac: Mac;
  readonly from: End;
  readonly to: End;
  readonly tag: number;
  readonly ttl: number;
  readonly tos: number;
  /** What stands behind the headers, or how many octets of it. */
  readonly payload: number | Uint8Array;
  /** SCTP: its verification tag. */
  readonly verification?: number;
  /** TCP. */
  readonly flags?: string;
  readonly seq?: number;
  readonly ack?: number;
  readonly window?: number;
  /** ICMP: an answer. */
  readonly isReply?: boolean;
  /** A checksum to write instead of the right one. */
  readonly checksum?: number;
}

function ipOf({ from, to, tag, ttl, tos, mac }: Omit<Segment, "protocol">): Frame {
  const eth = frame().eth({ src: FAR_MAC, dst: mac });
  const [src, dst] = [from.address, to.address];
  if (typeof src === "number" && typeof dst === "number") return eth.ip4({ src, dst, ttl, tos, id: tag });
  if (typeof src === "bigint" && typeof dst === "bigint") {
    return eth.ip6({ src, dst, hopLimit: ttl, trafficClass: tos, flowLabel: tag });
  }
  throw new Error("The ends of a packet are of one family.");
}

/** MAC address of whoever sends to the node. */
export const FAR_MAC: Mac = 0x02_00_00_00_00_99;

/** A usual one of TCP's. */
const WINDOW = 64_240;

function transportOf(ip: Frame, segment: Segment): Frame {
  const { protocol, from, to, flags = "S", seq = 0, ack = 0, window = WINDOW, isReply = false } = segment;
  const ports = { srcPort: from.port, dstPort: to.port };
  const sealed = segment.checksum === undefined ? {} : { checksum: segment.checksum };
  if (protocol === "TCP") return ip.tcp({ ...ports, flags, seq, ack, window, ...sealed });
  if (protocol === "UDP") return ip.udp({ ...ports, ...sealed });
  if (protocol === "SCTP") return ip.sctp({ ...ports, tag: segment.verification ?? 0, ...sealed });
  const id = isReply ? to.port : from.port;
  return typeof from.address === "number"
    ? ip.icmp({ type: isReply ? 0 : 8, id, seq: 1 })
    : ip.icmp6({ type: isReply ? 129 : 128, id, seq: 1 });
}

/** The packet as it comes in. */
export function enter(segment: Segment): Entering {
  const built = transportOf(ipOf(segment), segment).payload(segment.payload).bytes();
  return { way: segment.way, frame: built };
}

/** An ICMP error, which quotes a packet as its sender's node saw it. */
export interface IcmpError extends Omit<Segment, "protocol" | "from" | "to" | "payload"> {
  readonly router: Ip;
  readonly to: Ip;
  readonly type: number;
  readonly code: number;
  readonly quote: Uint8Array;
}

/** The error as it comes in. */
export function enterError(error: IcmpError): Entering {
  const { router, to, type, code, quote } = error;
  const from = { address: router, port: 0 };
  const ip = ipOf({ ...error, from, to: { address: to, port: 0 }, payload: quote.length });
  const icmp = typeof router === "number" ? ip.icmp({ type, code }) : ip.icmp6({ type, code });
  return { way: error.way, frame: icmp.payload(quote).bytes() };
}
