import { type Ip, printIp } from "../net/ip.js";
import type { Mac } from "../net/mac.js";
import { type HostPort, parseHostPort } from "../net/port.js";
import {
  DEFAULT_DST_MAC,
  DEFAULT_SRC_MAC,
  type Frame,
  frame,
  type Payload,
  toIp,
  toOctets,
} from "./frame.js";
import { write } from "./octets.js";

export { Frame, frame } from "./frame.js";

export interface PacketOptions {
  /** Of SCTP, what the chunk holds. */
  readonly payload?: Payload;
  readonly ttl?: number;
  readonly tos?: number;
  /** Identification of the IPv4 header. */
  readonly id?: number;
  readonly srcMac?: string | Mac;
  readonly dstMac?: string | Mac;
}

export interface TcpPacketOptions extends PacketOptions {
  /** Letters as `S`, `SA`, `A`, `PA`, `FA`, `R`; `S` when not given. */
  readonly flags?: string;
  readonly seq?: number;
  readonly ack?: number;
  readonly window?: number;
}

/** Chunks in the order of their types (RFC 9260 §3.2). */
export const CHUNKS = [
  "DATA",
  "INIT",
  "INIT ACK",
  "SACK",
  "HEARTBEAT",
  "HEARTBEAT ACK",
  "ABORT",
  "SHUTDOWN",
  "SHUTDOWN ACK",
  "ERROR",
  "COOKIE ECHO",
  "COOKIE ACK",
  "ECNE",
  "CWR",
  "SHUTDOWN COMPLETE",
] as const;
const CHUNK_LEN = 4;
/** Of an INIT: tag, window, streams and TSN. */
const INIT_FIELDS = Uint8Array.of(0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1);

export interface SctpPacketOptions extends PacketOptions {
  readonly chunk?: (typeof CHUNKS)[number];
  /** Verification tag; 0 for an INIT and else 1. */
  readonly tag?: number;
}

export interface EchoOptions extends Omit<PacketOptions, "id"> {
  readonly reply?: boolean;
  /** Identifier and sequence number of the echo. */
  readonly id?: number;
  readonly seq?: number;
}

export interface ArpPacketOptions {
  readonly reply?: boolean;
  readonly srcMac?: string | Mac;
  readonly dstMac?: string | Mac;
}

function toHostPort(text: string): HostPort {
  const hostPort = parseHostPort(text);
  if (hostPort !== undefined) return hostPort;
  throw new TypeError(`«${text}» is no IP:port; write it as 10.244.1.7:41000 or [fd00::7]:41000.`);
}

function ipFrame(src: Ip, dst: Ip, options: PacketOptions): Frame {
  const { ttl = 64, tos = 0, id = 0 } = options;
  const eth = frame().eth({ src: options.srcMac ?? DEFAULT_SRC_MAC, dst: options.dstMac ?? DEFAULT_DST_MAC });
  if (typeof src === "number" && typeof dst === "number") return eth.ip4({ src, dst, ttl, tos, id });
  if (typeof src === "bigint" && typeof dst === "bigint") {
    return eth.ip6({ src, dst, hopLimit: ttl, trafficClass: tos });
  }
  throw new TypeError(`${printIp(src)} and ${printIp(dst)} are of different IP versions; give two of one.`);
}

/**
 * An Ethernet frame with a TCP segment from and to `IP:port` (or `[IPv6]:port`), all checksums good: a SYN with TTL
 * 64 unless the options say otherwise. TypeError for text that is no IP:port, flags or MAC address.
 */
export function tcp(from: string, to: string, options: TcpPacketOptions = {}): Uint8Array {
  const [src, dst] = [toHostPort(from), toHostPort(to)];
  const { flags = "S", seq = 0, ack = 0, window = 64240, payload = 0 } = options;
  return ipFrame(src.address, dst.address, options)
    .tcp({ srcPort: src.port, dstPort: dst.port, flags, seq, ack, window })
    .payload(payload)
    .bytes();
}

/** As `tcp`, with a UDP datagram. */
export function udp(from: string, to: string, options: PacketOptions = {}): Uint8Array {
  const [src, dst] = [toHostPort(from), toHostPort(to)];
  return ipFrame(src.address, dst.address, options)
    .udp({ srcPort: src.port, dstPort: dst.port })
    .payload(options.payload ?? 0)
    .bytes();
}

/** As `tcp`, with an SCTP packet: an INIT with verification tag 0 unless the options say otherwise (RFC 9260 §3.3.2). */
export function sctp(from: string, to: string, options: SctpPacketOptions = {}): Uint8Array {
  const [src, dst] = [toHostPort(from), toHostPort(to)];
  const { chunk = "INIT", tag = chunk === "INIT" ? 0 : 1, payload = INIT_FIELDS } = options;
  const value = toOctets(payload);
  const octets = new Uint8Array(CHUNK_LEN + value.length + (-value.length & 3));
  octets[0] = CHUNKS.indexOf(chunk);
  write(octets, 2, 2, CHUNK_LEN + value.length, "sctp.chunk");
  octets.set(value, CHUNK_LEN);
  return ipFrame(src.address, dst.address, options)
    .sctp({ srcPort: src.port, dstPort: dst.port, tag })
    .payload(octets)
    .bytes();
}

/** An ICMP (or ICMPv6) echo request between two IP addresses, or the reply. */
export function icmpEcho(from: string, to: string, options: EchoOptions = {}): Uint8Array {
  const { reply = false, id = 1, seq = 1, payload = 56, ...rest } = options;
  const [src, dst] = [toIp(from), toIp(to)];
  const ip = ipFrame(src, dst, rest);
  const echo =
    typeof src === "number"
      ? ip.icmp({ type: reply ? 0 : 8, id, seq })
      : ip.icmp6({ type: reply ? 129 : 128, id, seq });
  return echo.payload(payload).bytes();
}

/** An ARP request of `from` for `to`, sent to all; or the reply of `from` to `to`. */
export function arp(from: string, to: string, options: ArpPacketOptions = {}): Uint8Array {
  const { reply = false, srcMac = DEFAULT_SRC_MAC } = options;
  const dstMac = options.dstMac ?? (reply ? DEFAULT_DST_MAC : 0xffffffffffff);
  const targetMac = reply ? dstMac : 0;
  return frame()
    .eth({ src: srcMac, dst: dstMac })
    .arp({ operation: reply ? 2 : 1, senderMac: srcMac, senderIp: from, targetMac, targetIp: to })
    .bytes();
}
