import { icmpEcho, sctp, tcp, udp } from "../index.js";
import { type Ip, printIp } from "../net/ip.js";
import { printHostPort } from "../net/port.js";

export const PACKET_PROTOCOLS = ["tcp", "udp", "sctp", "icmp"] as const;
export type PacketProtocol = (typeof PACKET_PROTOCOLS)[number];

/** Where a packet comes from, or goes to; port 0 where there is none. */
export interface PacketEnd {
  readonly address: Ip;
  readonly port: number;
}

/** A sender's port where none is said. */
export const SOURCE_PORT = 41000;

const BUILD = { tcp, udp, sctp } as const;

/** The first frame of a connection: a SYN, a datagram, an INIT or an echo request. */
export function firstPacket(protocol: PacketProtocol, from: PacketEnd, to: PacketEnd): Uint8Array {
  if (protocol === "icmp") return icmpEcho(printIp(from.address), printIp(to.address));
  return BUILD[protocol](printHostPort(from.address, from.port), printHostPort(to.address, to.port));
}
