import * as wire from "../../../assembly/abi/wire.js";
import { internetChecksum, pseudoHeader } from "../../../src/packet/checksum.js";
import { crc32c } from "../../../src/packet/crc32c.js";
import { concat, read8, read16, read32, read128, write } from "../../../src/packet/octets.js";

/** Where things stand in an IP packet, IPv4 or IPv6. */
export interface Place {
  readonly family: 4 | 6;
  readonly protocol: number;
  /** Of the transport header. */
  readonly transport: number;
  readonly isLaterFragment: boolean;
}

const IP6_LEN = 40;
const EXTENSIONS = new Set<number>([
  wire.EXTENSION_HOP_BY_HOP,
  wire.EXTENSION_ROUTING,
  wire.EXTENSION_FRAGMENT,
  wire.EXTENSION_AUTH,
  wire.EXTENSION_DST_OPTIONS,
]);

/** Undefined for what is no IP packet. */
export function placeOf(packet: Uint8Array): Place | undefined {
  const version = (packet[0] ?? 0) >> 4;
  if (version === 4 && packet.length >= wire.IP4_LEN) {
    const isLaterFragment = (read16(packet, wire.IP4_FRAGMENT) & wire.IP4_FRAGMENT_MASK) !== 0;
    const protocol = packet[wire.IP4_PROTOCOL] ?? 0;
    return { family: 4, protocol, transport: ((packet[0] ?? 0) & 15) * 4, isLaterFragment };
  }
  return version === 6 && packet.length >= IP6_LEN ? place6(packet) : undefined;
}

/** Behind the extension headers, a first fragment's own among them. */
function place6(packet: Uint8Array): Place {
  let protocol = packet[wire.IP6_NEXT_HEADER] ?? 0;
  let transport = IP6_LEN;
  while (EXTENSIONS.has(protocol) && transport + wire.EXTENSION_LEN <= packet.length) {
    const kind = protocol;
    const offset = read16(packet, transport + wire.FRAGMENT_OFFSET) & wire.FRAGMENT_OFFSET_MASK;
    if (kind === wire.EXTENSION_FRAGMENT && offset !== 0)
      return { family: 6, protocol, transport, isLaterFragment: true };
    protocol = packet[transport] ?? 0;
    transport += extensionLength(kind, packet[transport + wire.EXTENSION_LENGTH] ?? 0);
  }
  return { family: 6, protocol, transport, isLaterFragment: false };
}

function extensionLength(kind: number, length: number): number {
  if (kind === wire.EXTENSION_FRAGMENT) return wire.FRAGMENT_LEN;
  return kind === wire.EXTENSION_AUTH ? (length + 2) * 4 : (length + 1) * 8;
}

const ERRORS_4 = new Set([3, 4, 5, 11, 12]);

/** Where the quoted packet of an ICMP error begins; undefined for any other packet. */
export function quoteOf(packet: Uint8Array): number | undefined {
  const place = placeOf(packet);
  if (place === undefined || place.isLaterFragment) return undefined;
  const type = packet[place.transport] ?? 255;
  const isError =
    place.protocol === wire.PROTO_ICMP
      ? ERRORS_4.has(type)
      : place.protocol === wire.PROTO_ICMP6 && type < 128;
  return isError && packet.length >= place.transport + wire.ICMP_LEN
    ? place.transport + wire.ICMP_LEN
    : undefined;
}

/**
 * Precedence of the ICMP errors that a Linux kernel makes (RFC 1812 §4.3.2.5), beside which the ToS bits of the packet
 * in question stand: packets of the judge's never have it.
 */
const ERROR_PRECEDENCE = 0xc0;
const PRECEDENCE_MASK = 0xe0;
/** Traffic class of ICMPv6 errors that are the judge's: a kernel's have 0. */
export const COMPLAINT_TOS = 4;

/** Whether a kernel made the packet itself, as an answer to one of the judge's. */
export function isKernels(packet: Uint8Array): boolean {
  const place = placeOf(packet);
  if (place?.family === 4) return (read8(packet, wire.IP4_TOS) & PRECEDENCE_MASK) === ERROR_PRECEDENCE;
  return quoteOf(packet) !== undefined && ((read32(packet, 0) >>> 20) & 0xff) === 0;
}

/** The flow label in an IPv6 header's first word. */
export const LABEL_MASK = 0xfffff;

/** The number that tells a packet of the judge's from others, also where a kernel's ICMP error quotes it. */
export function tagOf(packet: Uint8Array): number | undefined {
  const place = placeOf(packet);
  if (place === undefined) return undefined;
  if (!isKernels(packet))
    return place.family === 4 ? read16(packet, wire.IP4_ID) : read32(packet, 0) & LABEL_MASK;
  const quote = quoteOf(packet);
  return quote === undefined ? undefined : tagOf(packet.subarray(quote));
}

/** What tells ports of packets that have them, ICMP ids included: offsets in the packet of source and destination. */
export function portsAt(packet: Uint8Array): readonly [number, number] | undefined {
  const place = placeOf(packet);
  if (place === undefined || place.isLaterFragment || quoteOf(packet) !== undefined) return undefined;
  const { protocol, transport } = place;
  if (packet.length < transport + 8) return undefined;
  if (protocol === wire.PROTO_ICMP || protocol === wire.PROTO_ICMP6) return [transport + 4, transport + 4];
  const hasPorts = [wire.PROTO_TCP, wire.PROTO_UDP, wire.PROTO_SCTP].includes(protocol);
  return hasPorts ? [transport, transport + 2] : undefined;
}

function checksumAt({ protocol, transport }: Place): number | undefined {
  if (protocol === wire.PROTO_TCP) return transport + wire.TCP_CHECKSUM;
  if (protocol === wire.PROTO_UDP) return transport + wire.UDP_CHECKSUM;
  return protocol === wire.PROTO_ICMP || protocol === wire.PROTO_ICMP6 ? transport + 2 : undefined;
}

/** Writes an SCTP packet's CRC32c, whose octets stand the other way round (RFC 9260 §6.8). */
function sealSctp(segment: Uint8Array): void {
  write(segment, wire.SCTP_CHECKSUM, 4, 0, "checksum");
  write(segment, wire.SCTP_CHECKSUM, 4, crc32c(segment), "checksum");
  segment.subarray(wire.SCTP_CHECKSUM, wire.SCTP_CHECKSUM + 4).reverse();
}

/** Changes a 16-bit field, and the Internet checksum over it as RFC 1624 says; a UDP checksum of 0 stays. */
export function rewrite16(packet: Uint8Array, at: number, value: number): void {
  const place = placeOf(packet);
  const before = read16(packet, at);
  write(packet, at, 2, value, "field");
  if (place?.protocol === wire.PROTO_SCTP) sealSctp(packet.subarray(place.transport));
  const checksum = place === undefined ? undefined : checksumAt(place);
  if (place === undefined || checksum === undefined || checksum + 2 > packet.length) return;
  const old = read16(packet, checksum);
  if (place.protocol === wire.PROTO_UDP && old === 0) return;
  const sum = 0xffff - old + (0xffff - before) + value;
  const folded = (sum & 0xffff) + Math.floor(sum / 0x10000);
  const sealed = 0xffff - ((folded & 0xffff) + (folded >> 16));
  write(packet, checksum, 2, place.protocol === wire.PROTO_UDP && sealed === 0 ? 0xffff : sealed, "checksum");
}

/** What an ICMPv6 message's checksum covers beside it; nothing of ICMP. */
function pseudoOf(packet: Uint8Array, { family, transport }: Place): Uint8Array {
  if (family === 4) return new Uint8Array(0);
  const length = packet.length - transport;
  return pseudoHeader(read128(packet, 8), read128(packet, 24), wire.PROTO_ICMP6, length);
}

/** Writes the checksum of an ICMP or ICMPv6 message. */
export function sealIcmp(packet: Uint8Array): void {
  const place = placeOf(packet);
  if (place === undefined) return;
  const message = packet.subarray(place.transport);
  write(message, wire.ICMP_CHECKSUM, 2, 0, "checksum");
  const covered = concat(pseudoOf(packet, place), message);
  write(message, wire.ICMP_CHECKSUM, 2, internetChecksum(covered), "checksum");
}

/**
 * Completes the checksum of an ICMPv6 message of which the kernel has written the pseudo-header's part and left the rest to
 * a network card (CHECKSUM_PARTIAL, as IPVS does: ip_vs_nat_icmp_v6).
 */
export function completeIcmp6(packet: Uint8Array): void {
  const place = placeOf(packet);
  if (place?.protocol !== wire.PROTO_ICMP6) return;
  const part = 0xffff - internetChecksum(pseudoOf(packet, place));
  if (read16(packet, place.transport + wire.ICMP_CHECKSUM) === part) sealIcmp(packet);
}

/** Fields by the offsets where they begin and end; 4 and 6 are the families. */
const FIELDS = {
  4: [
    ["version", 0, 1],
    ["tos", 1, 2],
    ["length", 2, 4],
    ["id", 4, 6],
    ["fragment", 6, 8],
    ["ttl", 8, 9],
    ["protocol", 9, 10],
    ["header checksum", 10, 12],
    ["source", 12, 16],
    ["destination", 16, 20],
    ["first port", 20, 22],
    ["second port", 22, 24],
    ["the rest", 24, Infinity],
  ],
  6: [
    ["traffic class or flow label", 0, 4],
    ["length", 4, 6],
    ["next header", 6, 7],
    ["hop limit", 7, 8],
    ["source", 8, 24],
    ["destination", 24, 40],
    ["first port", 40, 42],
    ["second port", 42, 44],
    ["the rest", 44, Infinity],
  ],
} as const;

const octetsOf = (packet: Uint8Array, name: string): Uint8Array => {
  const [, from, to] = FIELDS[placeOf(packet)?.family ?? 4].find(([field]) => field === name) ?? ["", 0, 0];
  return packet.subarray(from, to);
};

export const sourceAddress = (packet: Uint8Array): Uint8Array => octetsOf(packet, "source");
export const targetAddress = (packet: Uint8Array): Uint8Array => octetsOf(packet, "destination");

/** Names the fields in which two packets differ; a header checksum that follows from others is not named. */
export function differingFields(one: Uint8Array, other: Uint8Array): string {
  const differ = FIELDS[placeOf(one)?.family ?? 4]
    .filter(([, from, to]) => Buffer.compare(one.subarray(from, to), other.subarray(from, to)) !== 0)
    .map(([name]) => name);
  const told = differ.filter((name) => differ.length === 1 || name !== "header checksum");
  return told.join(", ");
}
