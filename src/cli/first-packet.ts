import { icmpEcho, readdress, sctp, tcp, udp } from "../index.js";
import { type Ip, printIp } from "../net/ip.js";
import { printHostPort } from "../net/port.js";

export const PACKET_PROTOCOLS = ["tcp", "udp", "sctp", "icmp"] as const;
export type PacketProtocol = (typeof PACKET_PROTOCOLS)[number];

/** A protocol by its name in either case, as Kubernetes or the kernel's tools write it. */
export function parseProtocol(text: string): PacketProtocol | undefined {
  return PACKET_PROTOCOLS.find((one) => one === text.toLowerCase());
}

/** Where a packet comes from, or goes to; port 0 where there is none. */
export interface PacketEnd {
  readonly address: Ip;
  readonly port: number;
}

/** A sender's port where none is said. */
export const SOURCE_PORT = 41000;

/** Frames that are made once, as many packets differ from them by their ends alone. */
const TEMPLATES = {
  tcp: { ip4: tcp("0.0.0.0:0", "0.0.0.0:0"), ip6: tcp("[::]:0", "[::]:0") },
  udp: { ip4: udp("0.0.0.0:0", "0.0.0.0:0"), ip6: udp("[::]:0", "[::]:0") },
} as const;

/** The first frame of a connection between ends of one family: a SYN, a datagram, an INIT or an echo request. */
export function firstPacket(protocol: PacketProtocol, from: PacketEnd, to: PacketEnd): Uint8Array {
  if (protocol === "icmp") return icmpEcho(printIp(from.address), printIp(to.address));
  if (protocol === "sctp")
    return sctp(printHostPort(from.address, from.port), printHostPort(to.address, to.port));
  return readdress(TEMPLATES[protocol][typeof from.address === "number" ? "ip4" : "ip6"], from, to);
}
