import { familyOf, type Ip, printIp } from "../net/ip.js";
import { type Protocol, printHostPort } from "../net/port.js";
import { icmpEcho, type SctpPacketOptions, sctp, tcp, udp } from "../packet/build.js";
import { DEFAULT_DST_MAC, DEFAULT_SRC_MAC, frame } from "../packet/frame.js";
import { readdress } from "../packet/readdress.js";

/** What a packet is to the connection table: the first of a connection, or one that belongs to none. */
export interface PacketKind {
  readonly name: string;
  readonly protocol: Protocol | "ICMP";
  /** What tcpdump would show: TCP's flags, SCTP's chunk, ICMP's type, a checksum that is wrong. */
  readonly flags: string;
  /** Begins a connection. */
  readonly isFirst: boolean;
  /** Its checksum is wrong. */
  readonly isDamaged: boolean;
  build(from: PacketEnd, to: PacketEnd): Uint8Array;
}

export interface PacketEnd {
  readonly address: Ip;
  /** 0 for ICMP. */
  readonly port: number;
}

const text = ({ address, port }: PacketEnd) => printHostPort(address, port);
const ETH_LEN = 14;
const MACS = { src: DEFAULT_SRC_MAC, dst: DEFAULT_DST_MAC };
/** ICMP's code of an unreachable port; ICMPv6 has another type and code. */
const PORT_UNREACHABLE = { 4: { type: 3, code: 3 }, 6: { type: 1, code: 4 } } as const;

/** Builds frames that differ by their ends alone from one of each family: many are asked about. */
function fromTemplates(build: (from: string, to: string) => Uint8Array): PacketKind["build"] {
  const templates = { 4: build("0.0.0.0:0", "0.0.0.0:0"), 6: build("[::]:0", "[::]:0") } as const;
  return (from, to) => readdress(templates[familyOf(from.address)], from, to);
}

function segment(flags: string): PacketKind {
  return {
    name: flags === "S" ? "SYN" : flags === "" ? "a segment without flags" : `TCP ${flags}`,
    protocol: "TCP",
    flags: flags === "" ? "none" : flags,
    isFirst: flags === "S",
    isDamaged: false,
    build: fromTemplates((from, to) => tcp(from, to, { flags })),
  };
}

/** An ICMP error about a packet that nobody sent: from the source, to whom it says has sent it. */
function strayError({ address: src }: PacketEnd, to: PacketEnd): Uint8Array {
  const quote = udp(text(to), printHostPort(src, 53)).subarray(ETH_LEN);
  const { address: dst } = to;
  if (typeof src === "number" && typeof dst === "number")
    return frame().eth(MACS).ip4({ src, dst }).icmp(PORT_UNREACHABLE[4]).payload(quote).bytes();
  return frame()
    .eth(MACS)
    .ip6({ src: printIp(src), dst: printIp(dst) })
    .icmp6(PORT_UNREACHABLE[6])
    .payload(quote)
    .bytes();
}

/** A datagram whose checksum is wrong, and not left out: conntrack calls it INVALID. */
function badDatagram(from: PacketEnd, to: PacketEnd): Uint8Array {
  const octets = udp(text(from), text(to));
  const at = octets.length - 1;
  octets[at] = (octets[at] ?? 0) === 1 ? 2 : (octets[at] ?? 0) ^ 1;
  return octets;
}

export const PING: PacketKind = {
  name: "ping",
  protocol: "ICMP",
  flags: "echo request",
  isFirst: true,
  isDamaged: false,
  build: (from, to) => icmpEcho(printIp(from.address), printIp(to.address), { payload: 0 }),
};

export const STRAY_ERROR: PacketKind = {
  name: "ICMP error",
  protocol: "ICMP",
  flags: "port unreachable",
  isFirst: false,
  isDamaged: false,
  build: strayError,
};

/** What begins a connection of a protocol. */
export const FIRST: Readonly<Record<Protocol, PacketKind>> = {
  TCP: segment("S"),
  UDP: {
    name: "datagram",
    protocol: "UDP",
    flags: "",
    isFirst: true,
    isDamaged: false,
    build: fromTemplates(udp),
  },
  SCTP: {
    name: "INIT",
    protocol: "SCTP",
    flags: "INIT",
    isFirst: true,
    isDamaged: false,
    build: (from, to) => sctp(text(from), text(to)),
  },
};

/** What is said on a connection behind its first packet. */
export interface Talk {
  /** What opens it: the server's word, the client's, and so on in turn. */
  readonly opening: readonly PacketKind[];
  /** What the client sends then, and what the server answers to that. */
  readonly next: PacketKind;
  readonly answer: PacketKind;
}

/** A segment of a connection whose both sides begin at 0. */
function answering(flags: string, seq: number): PacketKind {
  return { ...segment(flags), build: fromTemplates((from, to) => tcp(from, to, { flags, seq, ack: 1 })) };
}

function chunk(name: NonNullable<SctpPacketOptions["chunk"]>, payload?: number): PacketKind {
  const options = payload === undefined ? { chunk: name } : { chunk: name, payload };
  return {
    ...FIRST.SCTP,
    name,
    flags: name,
    isFirst: false,
    build: (from, to) => sctp(text(from), text(to), { ...options, tag: 1 }),
  };
}

export const TALK: Readonly<Record<Protocol, Talk>> = {
  TCP: { opening: [answering("SA", 0)], next: answering("A", 1), answer: answering("A", 1) },
  UDP: { opening: [FIRST.UDP], next: FIRST.UDP, answer: FIRST.UDP },
  SCTP: {
    opening: [chunk("INIT ACK"), chunk("COOKIE ECHO", 4), chunk("COOKIE ACK", 0)],
    next: chunk("DATA", 16),
    answer: chunk("SACK", 12),
  },
};

/** Packets that belong to no connection: of TCP an ACK begins one for a kernel that picks them up in the middle. */
export const OUT_OF_STATE: Readonly<Record<Protocol, readonly PacketKind[]>> = {
  TCP: ["A", "SA", "FA", "R", ""].map(segment),
  UDP: [
    {
      name: "a datagram with a wrong checksum",
      protocol: "UDP",
      flags: "bad checksum",
      isFirst: false,
      isDamaged: true,
      build: badDatagram,
    },
  ],
  SCTP: [
    {
      name: "DATA",
      protocol: "SCTP",
      flags: "DATA",
      isFirst: false,
      isDamaged: false,
      build: (from, to) => sctp(text(from), text(to), { chunk: "DATA", payload: 16 }),
    },
  ],
};
