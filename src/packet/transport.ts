import * as wire from "../../assembly/abi/wire.js";
import { read8, read16, read32 } from "./octets.js";

export interface TcpHeader {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly seq: number;
  readonly ack: number;
  readonly headerLength: number;
  /** The nine flags: AE (RFC 3168's NS) is bit 8. */
  readonly flags: number;
  readonly window: number;
  readonly urgent: number;
  readonly options: Uint8Array;
}

export interface UdpHeader {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly length: number;
  readonly checksum: number;
  readonly payload: Uint8Array;
}

export interface VxlanHeader {
  readonly flags: number;
  readonly vni: number;
  readonly payload: Uint8Array;
}

export interface GeneveHeader {
  readonly version: number;
  /** A control message; there are critical options. */
  readonly control: boolean;
  readonly critical: boolean;
  /** EtherType of the payload. */
  readonly type: number;
  readonly vni: number;
  readonly options: Uint8Array;
  readonly payload: Uint8Array;
}

export function readTcp(octets: Uint8Array): TcpHeader | undefined {
  if (octets.length < wire.TCP_LEN) return undefined;
  const headerLength = (read8(octets, wire.TCP_OFFSET) >> 4) * 4;
  return {
    srcPort: read16(octets, wire.TCP_SRC),
    dstPort: read16(octets, wire.TCP_DST),
    seq: read32(octets, wire.TCP_SEQ),
    ack: read32(octets, wire.TCP_ACK),
    headerLength,
    flags: read16(octets, wire.TCP_OFFSET) & 0x1ff,
    window: read16(octets, wire.TCP_WINDOW),
    urgent: read16(octets, wire.TCP_URGENT),
    options: octets.subarray(wire.TCP_LEN, Math.max(wire.TCP_LEN, headerLength)),
  };
}

export function readUdp(octets: Uint8Array): UdpHeader | undefined {
  if (octets.length < wire.UDP_LEN) return undefined;
  const length = read16(octets, wire.UDP_LENGTH);
  return {
    srcPort: read16(octets, wire.UDP_SRC),
    dstPort: read16(octets, wire.UDP_DST),
    length,
    checksum: read16(octets, wire.UDP_CHECKSUM),
    payload: octets.subarray(wire.UDP_LEN, Math.max(wire.UDP_LEN, length || octets.length)),
  };
}

/** UDP ports on which VXLAN is looked for: IANA's, and the Linux default that flannel keeps. */
export const isVxlanPort = (port: number): boolean => port === 4789 || port === 8472;

export function readVxlan(octets: Uint8Array): VxlanHeader | undefined {
  if (octets.length < wire.VXLAN_LEN) return undefined;
  return {
    flags: read8(octets, wire.VXLAN_FLAGS),
    vni: read32(octets, wire.VXLAN_VNI) >>> 8,
    payload: octets.subarray(wire.VXLAN_LEN),
  };
}

/** IANA's port, on which Geneve is looked for. */
export const isGenevePort = (port: number): boolean => port === wire.GENEVE_PORT;

/** Undefined where the octets end before the options do. */
export function readGeneve(octets: Uint8Array): GeneveHeader | undefined {
  if (octets.length < wire.GENEVE_LEN) return undefined;
  const first = read8(octets, wire.GENEVE_VERSION_LENGTH);
  const flags = read8(octets, wire.GENEVE_FLAGS);
  const end = wire.GENEVE_LEN + (first & wire.GENEVE_LENGTH_MASK) * 4;
  if (octets.length < end) return undefined;
  return {
    version: first >> 6,
    control: (flags & wire.GENEVE_FLAG_CONTROL) !== 0,
    critical: (flags & wire.GENEVE_FLAG_CRITICAL) !== 0,
    type: read16(octets, wire.GENEVE_TYPE),
    vni: read32(octets, wire.GENEVE_VNI) >>> 8,
    options: octets.subarray(wire.GENEVE_LEN, end),
    payload: octets.subarray(end),
  };
}

/** The Ethernet frame inside a tunnel that is looked for on the port; undefined where there is none. */
export function tunnelledFrame({ dstPort, payload }: UdpHeader): Uint8Array | undefined {
  if (isVxlanPort(dstPort)) return readVxlan(payload)?.payload;
  const geneve = isGenevePort(dstPort) ? readGeneve(payload) : undefined;
  return geneve?.version === 0 && geneve.type === wire.ETH_TYPE_TEB ? geneve.payload : undefined;
}
