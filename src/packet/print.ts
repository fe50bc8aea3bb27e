import * as wire from "../../assembly/abi/wire.js";
import { printIp } from "../net/ip.js";
import { printMac } from "../net/mac.js";
import { type Eth, type IpPacket, NESTING_LIMIT, readEth, readIp4, readIp6, type Vlan } from "./headers.js";
import { read16, read32, read48 } from "./octets.js";
import { printIcmp, printIcmp6 } from "./print-icmp.js";
import { printTcp } from "./print-tcp.js";
import { isGenevePort, isVxlanPort, readGeneve, readUdp, readVxlan, type UdpHeader } from "./transport.js";

const ARP_LEN = 28;
const PROTO_IPIP = 4;
/** Below this an EtherType is the length of an IEEE 802.3 frame. */
const ETH_TYPE_FIRST = 0x600;

/** `addresses: rest`, with ports behind the addresses where the first octets of the payload are ports. */
function printWays(ip: IpPacket, rest: string, ports?: { srcPort: number; dstPort: number }): string {
  const [src, dst] = ports === undefined ? ["", ""] : [`.${ports.srcPort}`, `.${ports.dstPort}`];
  return `${printIp(ip.src)}${src} > ${printIp(ip.dst)}${dst}: ${rest}`;
}

function printVxlan(payload: Uint8Array, depth: number): string {
  const vxlan = readVxlan(payload);
  if (vxlan === undefined) return "VXLAN, [|vxlan]";
  const flags = vxlan.flags & wire.VXLAN_FLAG_VNI ? "I" : ".";
  const code = vxlan.flags.toString(16).padStart(2, "0");
  return `VXLAN, flags [${flags}] (0x${code}), vni ${vxlan.vni}: ${printFrame(vxlan.payload, depth + 1)}`;
}

/** Options are left out of the line, as tcpdump leaves them out without -v. */
function printGeneve(payload: Uint8Array, depth: number): string {
  const geneve = readGeneve(payload);
  if (geneve === undefined) return "Geneve [|geneve]";
  const { version, control, critical, type, vni, options } = geneve;
  if (version !== 0) return `Geneve ERROR: unknown-version ${version}`;
  const flags = `${control ? "O" : ""}${critical ? "C" : ""}` || "none";
  const proto = type === wire.ETH_TYPE_TEB ? "" : `, proto 0x${type.toString(16).padStart(4, "0")}`;
  const head = `Geneve, Flags [${flags}], vni 0x${vni.toString(16)}${proto}`;
  const rest = options.length === 0 ? head : `${head}, options [${options.length} bytes]`;
  return type === wire.ETH_TYPE_TEB ? `${rest}: ${printFrame(geneve.payload, depth + 1)}` : rest;
}

/** `length` is that of the UDP header and payload as IP has it; a first fragment holds less than UDP says. */
function printUdp(udp: UdpHeader, length: number, fragment: boolean, depth: number): string {
  const promised = udp.length || length;
  if (promised < wire.UDP_LEN) return `truncated-udplength ${promised}`;
  if (isVxlanPort(udp.dstPort)) return printVxlan(udp.payload, depth);
  if (isGenevePort(udp.dstPort)) return printGeneve(udp.payload, depth);
  const [payload, room] = [promised - wire.UDP_LEN, length - wire.UDP_LEN];
  return payload > room && !fragment ? `UDP, bad length ${payload} > ${room}` : `UDP, length ${payload}`;
}

function printTransport(ip: IpPacket, depth: number): string {
  const { payload, payloadLength } = ip;
  const ports = { srcPort: read16(payload, 0), dstPort: read16(payload, 2) };
  const known = payload.length >= 4 ? ports : undefined;
  switch (ip.protocol) {
    case wire.PROTO_TCP:
      return printWays(ip, printTcp(payload, payloadLength), known);
    case wire.PROTO_UDP: {
      const udp = readUdp(payload);
      if (udp === undefined) return printWays(ip, "[|udp]", known);
      return printWays(ip, printUdp(udp, payloadLength, ip.moreFragments, depth), ports);
    }
    case wire.PROTO_SCTP:
      return printWays(ip, known === undefined ? "[|sctp]" : `sctp, length ${payloadLength}`, known);
    case wire.PROTO_ICMP:
      return printWays(ip, printIcmp(payload, payloadLength));
    case wire.PROTO_ICMP6:
      return printWays(ip, printIcmp6(payload, payloadLength));
    case PROTO_IPIP:
      return printWays(ip, `${printIp4Packet(payload, depth + 1)} (ipip-proto-4)`);
    default:
      return printWays(ip, `ip-proto-${ip.protocol}, length ${payloadLength}`);
  }
}

function printIpPacket(ip: IpPacket, depth: number): string {
  const { fragmentOffset, moreFragments } = ip;
  if (fragmentOffset === 0 && !moreFragments) return printTransport(ip, depth);
  const fragment = `offset ${fragmentOffset}, flags [${moreFragments ? "+" : "none"}]`;
  if (fragmentOffset === 0) return `${printTransport(ip, depth)}, ${fragment}`;
  return printWays(ip, `ip-proto-${ip.protocol}, ${fragment}, length ${ip.payloadLength}`);
}

function printIp4Packet(octets: Uint8Array, depth: number): string {
  if (depth > NESTING_LIMIT) return "[nested too deep]";
  const ip = readIp4(octets);
  if (ip === undefined) return "[|ip]";
  return ip.problem === undefined ? printIpPacket(ip, depth) : `IP ${ip.problem}`;
}

function printIp6Packet(octets: Uint8Array, depth: number): string {
  const ip = readIp6(octets);
  if (ip === undefined) return "[|ip6]";
  return `IP6 ${ip.problem === undefined ? printIpPacket(ip, depth) : ip.problem}`;
}

/** ARP for IPv4 over Ethernet (RFC 826). */
function printArp(octets: Uint8Array): string {
  if (octets.length < ARP_LEN) return "ARP, [|arp]";
  const [operation, sender, target] = [
    read16(octets, 6),
    printIp(read32(octets, 14)),
    printIp(read32(octets, 24)),
  ];
  const length = `length ${octets.length}`;
  if (operation === 2) return `ARP, Reply ${sender} is-at ${printMac(read48(octets, 8))}, ${length}`;
  if (operation !== 1) return `ARP, Unknown (${operation}), ${length}`;
  const targetMac = read48(octets, 18);
  const known = targetMac === 0 ? "" : ` (${printMac(targetMac)})`;
  return `ARP, Request who-has ${target}${known} tell ${sender}, ${length}`;
}

const printVlan = (vlan: Vlan): string => `vlan ${vlan.id}, p ${vlan.priority}, `;

function printOther(eth: Eth, length: number): string {
  const ways = `${printMac(eth.src)} > ${printMac(eth.dst)}`;
  if (eth.type < ETH_TYPE_FIRST) return `${ways}, 802.3, length ${eth.type}`;
  return `${ways}, ethertype 0x${eth.type.toString(16).padStart(4, "0")}, length ${length}`;
}

function printEthPayload(eth: Eth, length: number, depth: number): string {
  switch (eth.type) {
    case wire.ETH_TYPE_IP4:
      return printIp4Packet(eth.payload, depth);
    case wire.ETH_TYPE_IP6:
      return printIp6Packet(eth.payload, depth);
    case wire.ETH_TYPE_ARP:
      return printArp(eth.payload);
    default:
      return printOther(eth, length);
  }
}

function printFrame(frame: Uint8Array, depth: number): string {
  if (depth > NESTING_LIMIT) return "[nested too deep]";
  const eth = readEth(frame);
  if (eth === undefined) return "[|ether]";
  return eth.vlans.map(printVlan).join("") + printEthPayload(eth, frame.length, depth);
}

/**
 * One line about an Ethernet frame in the words of `tcpdump -n`, addresses first:
 * `10.244.1.7.41000 > 10.96.12.3.80: Flags [S], seq 0, win 64240, length 0`. The packet inside VXLAN, Geneve or IP in IP
 * follows on the same line; a header cut short is `[|ip]`. Never throws, whatever the octets.
 */
export function printPacket(frame: Uint8Array): string {
  return printFrame(frame, 0);
}
