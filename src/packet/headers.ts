import * as wire from "../../assembly/abi/wire.js";
import type { Ip, Ip4, Ip6 } from "../net/ip.js";
import type { Mac } from "../net/mac.js";
import { read8, read16, read32, read48, read128 } from "./octets.js";

/*
 * Headers read for people: slow, allocating and bounds-checked. Each reader takes octets that start at its header
 * and gives undefined when they end inside it; no reader throws, whatever the octets are.
 */

/** How deep packets are looked for in packets (VXLAN, IP in IP): octets made to nest must not exhaust the stack. */
export const NESTING_LIMIT = 8;

export interface Vlan {
  readonly id: number;
  readonly priority: number;
}

/** Ethernet II with the VLAN tags behind it; `type` is the one after the last tag. */
export interface Eth {
  readonly dst: Mac;
  readonly src: Mac;
  readonly vlans: readonly Vlan[];
  readonly type: number;
  readonly payload: Uint8Array;
}

/** What IPv4 and IPv6 have in common for those above them. */
export interface IpPacket {
  readonly src: Ip;
  readonly dst: Ip;
  readonly ttl: number;
  /** IANA number of the transport; for IPv6, after the extension headers. */
  readonly protocol: number;
  /** In octets; 0 for a packet that is no fragment, or the first. */
  readonly fragmentOffset: number;
  readonly moreFragments: boolean;
  /** What the length field promises; more than `payload` holds when the frame is cut. */
  readonly payloadLength: number;
  readonly payload: Uint8Array;
  /** Why the header cannot be believed, as tcpdump says it. */
  readonly problem?: string;
}

export interface Ip4Packet extends IpPacket {
  readonly src: Ip4;
  readonly dst: Ip4;
  readonly header: Uint8Array;
  readonly id: number;
}

export interface Ip6Packet extends IpPacket {
  readonly src: Ip6;
  readonly dst: Ip6;
  /** Extension headers in their order. */
  readonly extensions: readonly number[];
}

const ETH_TYPE_OLD_QINQ = 0x9100;
const VLAN_LEN = 4;
/** Of the shortest extension header. */
const EXTENSION_UNIT = 8;
const EXTENSIONS: readonly number[] = [
  wire.EXTENSION_HOP_BY_HOP,
  wire.EXTENSION_ROUTING,
  wire.EXTENSION_FRAGMENT,
  wire.EXTENSION_AUTH,
  wire.EXTENSION_DST_OPTIONS,
];

export const isVlan = (type: number): boolean =>
  type === wire.ETH_TYPE_VLAN || type === wire.ETH_TYPE_QINQ || type === ETH_TYPE_OLD_QINQ;

export function readEth(frame: Uint8Array): Eth | undefined {
  let at = wire.ETH_LEN;
  if (frame.length < at) return undefined;
  let type = read16(frame, wire.ETH_TYPE);
  const vlans: Vlan[] = [];
  while (isVlan(type)) {
    if (frame.length < at + VLAN_LEN) return undefined;
    const tag = read16(frame, at);
    vlans.push({ id: tag & 0xfff, priority: tag >> 13 });
    type = read16(frame, at + 2);
    at += VLAN_LEN;
  }
  const dst = read48(frame, wire.ETH_DST);
  return { dst, src: read48(frame, wire.ETH_SRC), vlans, type, payload: frame.subarray(at) };
}

function ip4Problem(version: number, headerLength: number, totalLength: number): string | undefined {
  if (version !== 4) return `wrong version ${version}`;
  if (headerLength < wire.IP4_LEN) return `bad-hlen ${headerLength}`;
  return totalLength < headerLength ? `bad-len ${totalLength}` : undefined;
}

export function readIp4(octets: Uint8Array): Ip4Packet | undefined {
  if (octets.length < wire.IP4_LEN) return undefined;
  const versionIhl = read8(octets, wire.IP4_VERSION_IHL);
  const headerLength = (versionIhl & 15) * 4;
  // A total length of 0 is what segmentation offload leaves in packets captured before it.
  const totalLength = read16(octets, wire.IP4_TOTAL_LENGTH) || octets.length;
  const problem = ip4Problem(versionIhl >> 4, headerLength, totalLength);
  if (problem === undefined && octets.length < headerLength) return undefined;
  const fragment = read16(octets, wire.IP4_FRAGMENT);
  return {
    src: read32(octets, wire.IP4_SRC),
    dst: read32(octets, wire.IP4_DST),
    id: read16(octets, wire.IP4_ID),
    ttl: read8(octets, wire.IP4_TTL),
    protocol: read8(octets, wire.IP4_PROTOCOL),
    fragmentOffset: (fragment & wire.IP4_FRAGMENT_MASK) * 8,
    moreFragments: (fragment & wire.IP4_FLAG_MF) !== 0,
    header: octets.subarray(0, headerLength),
    payloadLength: Math.max(0, totalLength - headerLength),
    payload: octets.subarray(headerLength, totalLength),
    ...(problem === undefined ? {} : { problem }),
  };
}

interface Extensions {
  readonly protocol: number;
  readonly length: number;
  readonly list: readonly number[];
  readonly fragment: number;
}

function extensionLength(kind: number, length: number): number {
  if (kind === wire.EXTENSION_FRAGMENT) return EXTENSION_UNIT;
  return kind === wire.EXTENSION_AUTH ? (length + 2) * 4 : (length + 1) * EXTENSION_UNIT;
}

/** Walks the extension headers (RFC 8200 §4) up to the transport, or up to the end of the octets. */
function readExtensions(first: number, octets: Uint8Array): Extensions {
  let protocol = first;
  let length = 0;
  let fragment = 0;
  const list: number[] = [];
  while (EXTENSIONS.includes(protocol) && length + EXTENSION_UNIT <= octets.length) {
    list.push(protocol);
    if (protocol === wire.EXTENSION_FRAGMENT) fragment = read16(octets, length + 2);
    const own = extensionLength(protocol, read8(octets, length + wire.EXTENSION_LENGTH));
    protocol = read8(octets, length + wire.EXTENSION_NEXT);
    length += own;
    if (fragment >> 3 !== 0) break; // what follows is the middle of something
  }
  return { protocol, length, list, fragment };
}

export function readIp6(octets: Uint8Array): Ip6Packet | undefined {
  if (octets.length < wire.IP6_LEN) return undefined;
  const version = read8(octets, 0) >> 4;
  // 0 stands for a jumbogram (RFC 2675) or offloaded segmentation: all there is belongs to it.
  const promised = read16(octets, wire.IP6_PAYLOAD_LENGTH) || octets.length - wire.IP6_LEN;
  const body = octets.subarray(wire.IP6_LEN, wire.IP6_LEN + promised);
  const extensions = readExtensions(read8(octets, wire.IP6_NEXT_HEADER), body);
  return {
    src: read128(octets, wire.IP6_SRC),
    dst: read128(octets, wire.IP6_DST),
    ttl: read8(octets, wire.IP6_HOP_LIMIT),
    protocol: extensions.protocol,
    extensions: extensions.list,
    fragmentOffset: (extensions.fragment >> 3) * 8,
    moreFragments: (extensions.fragment & 1) !== 0,
    payloadLength: Math.max(0, promised - extensions.length),
    payload: body.subarray(extensions.length),
    ...(version === 6 ? {} : { problem: `wrong version ${version}` }),
  };
}
