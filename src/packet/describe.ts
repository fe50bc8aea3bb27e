import * as wire from "../../assembly/abi/wire.js";
import { printIp } from "../net/ip.js";
import { printMac } from "../net/mac.js";
import { type Eth, type IpPacket, NESTING_LIMIT, readEth, readIp4, readIp6 } from "./headers.js";
import { read16 } from "./octets.js";
import { printTcpFlags } from "./print-tcp.js";
import {
  isGenevePort,
  isVxlanPort,
  readGeneve,
  readTcp,
  readUdp,
  readVxlan,
  tunnelledFrame,
  type UdpHeader,
} from "./transport.js";

/** A frame as plain data for JSON. A field is absent where the frame has none, or ends before it. */
export interface PacketDescription {
  /** Octets of the frame. */
  readonly length: number;
  /** `tcp`, `udp`, `sctp`, `icmp`, `icmp6`, `arp`, `ip-proto-47`, `ethertype-0x88cc`; `truncated`, `malformed`. */
  readonly protocol: string;
  readonly srcMac?: string;
  readonly dstMac?: string;
  /** VLAN identifiers, outermost first. */
  readonly vlans?: readonly number[];
  readonly src?: string;
  readonly dst?: string;
  readonly srcPort?: number;
  readonly dstPort?: number;
  readonly ttl?: number;
  /** Of TCP, as tcpdump writes them: `S`, `S.`, `P.`. */
  readonly flags?: string;
  /** Offset in octets; present on fragments. */
  readonly fragment?: { readonly offset: number; readonly more: boolean };
  readonly vxlan?: { readonly vni: number; readonly inner: PacketDescription };
  /** `inner` where that is an Ethernet frame. */
  readonly geneve?: { readonly vni: number; readonly inner?: PacketDescription };
}

const PROTOCOL_NAME: Readonly<Record<number, string>> = {
  [wire.PROTO_ICMP]: "icmp",
  [wire.PROTO_TCP]: "tcp",
  [wire.PROTO_UDP]: "udp",
  [wire.PROTO_ICMP6]: "icmp6",
  [wire.PROTO_SCTP]: "sctp",
};

const hasPorts = (protocol: number): boolean =>
  protocol === wire.PROTO_TCP || protocol === wire.PROTO_UDP || protocol === wire.PROTO_SCTP;

function describeVxlan(payload: Uint8Array, depth: number): Partial<PacketDescription> {
  const vxlan = readVxlan(payload);
  if (vxlan === undefined || depth >= NESTING_LIMIT) return {};
  return { vxlan: { vni: vxlan.vni, inner: describeFrame(vxlan.payload, depth + 1) } };
}

function describeGeneve(udp: UdpHeader, depth: number): Partial<PacketDescription> {
  const geneve = readGeneve(udp.payload);
  if (geneve === undefined || depth >= NESTING_LIMIT) return {};
  const inner = tunnelledFrame(udp);
  return {
    geneve: { vni: geneve.vni, ...(inner === undefined ? {} : { inner: describeFrame(inner, depth + 1) }) },
  };
}

function describeTunnel(udp: UdpHeader, depth: number): Partial<PacketDescription> {
  if (isVxlanPort(udp.dstPort)) return describeVxlan(udp.payload, depth);
  return isGenevePort(udp.dstPort) ? describeGeneve(udp, depth) : {};
}

function describeTransport(ip: IpPacket, depth: number): Partial<PacketDescription> {
  const { payload, protocol } = ip;
  if (ip.fragmentOffset !== 0 || !hasPorts(protocol) || payload.length < 4) return {};
  const ports = { srcPort: read16(payload, 0), dstPort: read16(payload, 2) };
  const tcp = protocol === wire.PROTO_TCP ? readTcp(payload) : undefined;
  if (tcp !== undefined) return { ...ports, flags: printTcpFlags(tcp.flags) };
  const udp = protocol === wire.PROTO_UDP ? readUdp(payload) : undefined;
  return { ...ports, ...(udp === undefined ? {} : describeTunnel(udp, depth)) };
}

function describeIp(ip: IpPacket | undefined, depth: number): Omit<PacketDescription, "length"> {
  if (ip === undefined) return { protocol: "truncated" };
  if (ip.problem !== undefined) return { protocol: "malformed" };
  const { fragmentOffset, moreFragments } = ip;
  const fragment = { fragment: { offset: fragmentOffset, more: moreFragments } };
  return {
    protocol: PROTOCOL_NAME[ip.protocol] ?? `ip-proto-${ip.protocol}`,
    src: printIp(ip.src),
    dst: printIp(ip.dst),
    ttl: ip.ttl,
    ...(fragmentOffset !== 0 || moreFragments ? fragment : {}),
    ...describeTransport(ip, depth),
  };
}

function describeEthPayload(eth: Eth, depth: number): Omit<PacketDescription, "length"> {
  switch (eth.type) {
    case wire.ETH_TYPE_IP4:
      return describeIp(readIp4(eth.payload), depth);
    case wire.ETH_TYPE_IP6:
      return describeIp(readIp6(eth.payload), depth);
    case wire.ETH_TYPE_ARP:
      return { protocol: "arp" };
    default:
      return { protocol: `ethertype-0x${eth.type.toString(16).padStart(4, "0")}` };
  }
}

function describeFrame(frame: Uint8Array, depth: number): PacketDescription {
  const { length } = frame;
  const eth = readEth(frame);
  if (eth === undefined) return { length, protocol: "truncated" };
  return {
    length,
    srcMac: printMac(eth.src),
    dstMac: printMac(eth.dst),
    ...(eth.vlans.length === 0 ? {} : { vlans: eth.vlans.map((vlan) => vlan.id) }),
    ...describeEthPayload(eth, depth),
  };
}

/** What an Ethernet frame is, as a plain object; the frame inside VXLAN or Geneve likewise. Never throws. */
export function describePacket(frame: Uint8Array): PacketDescription {
  return describeFrame(frame, 0);
}
