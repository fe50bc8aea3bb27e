import * as wire from "../../assembly/abi/wire.js";
import { internetChecksum, pseudoHeader } from "./checksum.js";
import { type IpPacket, NESTING_LIMIT, readEth, readIp4, readIp6 } from "./headers.js";
import { concat, read8, read16, read32, write } from "./octets.js";
import { readUdp, tunnelledFrame } from "./transport.js";

/** In which fragments a frame's packet is sent: what the machine says of one that leaves so. */
export interface Parts {
  /** Identification of IPv6's fragments; IPv4's have the packet's. */
  readonly id: number;
  /** Octets before the IP header: 14, or with a tunnel's outer headers more. */
  readonly ipAt: number;
  /** Octets of the IP header, of IPv6 with the extension headers that each fragment has. */
  readonly header: number;
  /** IPv4's fragments have DF if the packet has. */
  readonly keepsDf: boolean;
  /** IPv4 options that are not to be copied stand in all fragments as they are. */
  readonly keepsOptions: boolean;
  /** Octets behind the headers of each, in their order; all but the last a multiple of 8. */
  readonly lengths: readonly number[];
}

/** The outer headers of a tunnel over IPv4 without options, before which a frame begins. */
const TUNNEL_UDP = wire.ETH_LEN + wire.IP4_LEN;

const write16 = (octets: Uint8Array, at: number, value: number) => write(octets, at, 2, value, "field");

/** Writes the checksum of an IPv4 header. */
function seal(ip: Uint8Array): Uint8Array {
  const header = ip.subarray(0, (read8(ip, wire.IP4_VERSION_IHL) & 15) * 4);
  write16(header, wire.IP4_CHECKSUM, 0);
  write16(header, wire.IP4_CHECKSUM, internetChecksum(header));
  return ip;
}

/** Options that only the first fragment has become ones that say nothing (RFC 791 §3.1, ip_options_fragment). */
function withoutOptions(header: Uint8Array): Uint8Array {
  const octets = header.slice();
  for (let at: number = wire.IP4_LEN; at < octets.length && read8(octets, at) !== wire.IP4_OPTION_END; ) {
    const kind = read8(octets, at);
    const length = kind === wire.IP4_OPTION_NONE ? 1 : (octets[at + 1] ?? 0);
    if (kind !== wire.IP4_OPTION_NONE && (length < 2 || at + length > octets.length)) break;
    if ((kind & wire.IP4_OPTION_COPIED) === 0) octets.fill(wire.IP4_OPTION_NONE, at, at + length);
    at += length;
  }
  return octets;
}

function fragment4(header: Uint8Array, data: Uint8Array, offset: number, isLast: boolean, parts: Parts) {
  const flags = read16(header, wire.IP4_FRAGMENT) & (parts.keepsDf ? wire.IP4_FLAG_DF : 0);
  const own = offset === 0 || parts.keepsOptions ? header : withoutOptions(header);
  const packet = concat(own, data);
  write16(packet, wire.IP4_TOTAL_LENGTH, packet.length);
  write16(packet, wire.IP4_FRAGMENT, flags | (isLast ? 0 : wire.IP4_FLAG_MF) | (offset / 8));
  return seal(packet);
}

/** Where the next header of the last of the headers stands that are repeated. */
function nextAt(header: Uint8Array): number {
  let field: number = wire.IP6_NEXT_HEADER;
  for (let at: number = wire.IP6_LEN; at < header.length; ) {
    field = at;
    at += (read8(header, at + wire.EXTENSION_LENGTH) + 1) * 8;
  }
  return field;
}

function fragment6(header: Uint8Array, data: Uint8Array, offset: number, isLast: boolean, { id }: Parts) {
  const own = header.slice();
  const extension = new Uint8Array(wire.FRAGMENT_LEN);
  extension[wire.EXTENSION_NEXT] = read8(own, nextAt(own));
  write16(extension, wire.FRAGMENT_OFFSET, offset | (isLast ? 0 : wire.FRAGMENT_FLAG_MORE));
  write(extension, wire.FRAGMENT_ID, 4, id, "identification");
  own[nextAt(own)] = wire.EXTENSION_FRAGMENT;
  const packet = concat(own, extension, data);
  write16(packet, wire.IP6_PAYLOAD_LENGTH, packet.length - wire.IP6_LEN);
  return packet;
}

/** The identification so many packets of a tunnel later: 0 is left out. */
const laterId = (id: number, by: number) => ((id + 0xffff - 1 + by) % 0xffff) + 1;

/** A tunnel's packet around an inner frame, the headers before which were made for another one. */
function enclose(outer: Uint8Array, frame: Uint8Array, number: number): Uint8Array {
  const octets = concat(outer, frame);
  const ip = octets.subarray(wire.ETH_LEN);
  const udp = octets.subarray(TUNNEL_UDP);
  write16(ip, wire.IP4_TOTAL_LENGTH, ip.length);
  write16(ip, wire.IP4_ID, laterId(read16(ip, wire.IP4_ID), number));
  seal(ip);
  write16(udp, wire.UDP_LENGTH, udp.length);
  if (read16(udp, wire.UDP_CHECKSUM) === 0) return octets;
  write16(udp, wire.UDP_CHECKSUM, 0);
  const [src, dst] = [read32(ip, wire.IP4_SRC), read32(ip, wire.IP4_DST)];
  const sum = internetChecksum(concat(pseudoHeader(src, dst, wire.PROTO_UDP, udp.length), udp));
  write16(udp, wire.UDP_CHECKSUM, sum === 0 ? 0xffff : sum);
  return octets;
}

/**
 * Cuts a frame into those that a router sends instead: fragments of its IPv4 or IPv6 packet (RFC 791 §3.2, RFC 8200 §4.5), as
 * ip_do_fragment and ip6_fragment make them. Of a tunnel's frame the inner packet is cut, and each fragment sent in a packet
 * of its own, as the kernel's VXLAN and Geneve devices do.
 */
export function cutFrame(frame: Uint8Array, parts: Parts): Uint8Array[] {
  const { ipAt, header, lengths } = parts;
  const link = frame.slice(ipAt - wire.ETH_LEN, ipAt);
  const head = frame.slice(ipAt, ipAt + header);
  const make = read8(head, 0) >> 4 === 6 ? fragment6 : fragment4;
  let offset = 0;
  return lengths.map((length, index) => {
    const from = ipAt + header + offset;
    const packet = make(
      head,
      frame.subarray(from, from + length),
      offset,
      index === lengths.length - 1,
      parts,
    );
    offset += length;
    const whole = concat(link, packet);
    return ipAt === wire.ETH_LEN ? whole : enclose(frame.slice(0, ipAt - wire.ETH_LEN), whole, index);
  });
}

function readIp(frame: Uint8Array): IpPacket | undefined {
  const eth = readEth(frame);
  if (eth?.type === wire.ETH_TYPE_IP4) return readIp4(eth.payload);
  return eth?.type === wire.ETH_TYPE_IP6 ? readIp6(eth.payload) : undefined;
}

/** Whether a frame holds a fragment, or its tunnel does. Never throws. */
export function isFragment(frame: Uint8Array, depth = 0): boolean {
  const ip = readIp(frame);
  if (ip === undefined || depth > NESTING_LIMIT) return false;
  if (ip.fragmentOffset !== 0 || ip.moreFragments) return true;
  const udp = ip.protocol === wire.PROTO_UDP ? readUdp(ip.payload) : undefined;
  const inner = udp === undefined ? undefined : tunnelledFrame(udp);
  return inner !== undefined && isFragment(inner, depth + 1);
}
