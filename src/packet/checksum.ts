import * as wire from "../../assembly/abi/wire.js";
import type { Ip } from "../net/ip.js";
import { crc32c } from "./crc32c.js";
import { type IpPacket, NESTING_LIMIT, readEth, readIp4, readIp6 } from "./headers.js";
import { concat, read16, read32, write, write128 } from "./octets.js";
import { readUdp, tunnelledFrame } from "./transport.js";

/** `absent`: there is none, or it cannot be judged (a fragment, a cut packet, a protocol without one). */
export type ChecksumState = "good" | "bad" | "absent";

export interface ChecksumStates {
  readonly ip: ChecksumState;
  readonly l4: ChecksumState;
  /** Of the frame inside, for VXLAN and Geneve. */
  readonly inner?: ChecksumStates;
}

/**
 * The Internet checksum (RFC 1071): 0 … 0xffff in host order; over octets that hold a right checksum it gives 0.
 * An odd last octet counts as if a zero followed.
 */
export function internetChecksum(octets: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < octets.length; at += 2) {
    sum += read16(octets, at);
    if (sum > 0xffff) sum -= 0xffff; // the carry comes back in at the low end
  }
  return 0xffff - sum;
}

/** What TCP, UDP and ICMPv6 checksums cover besides themselves (RFC 9293 §3.1, RFC 8200 §8.1). */
export function pseudoHeader(src: Ip, dst: Ip, protocol: number, length: number): Uint8Array {
  if (typeof src === "number" && typeof dst === "number") {
    const octets = new Uint8Array(12);
    write(octets, 0, 4, src, "src");
    write(octets, 4, 4, dst, "dst");
    octets[9] = protocol;
    write(octets, 10, 2, length % 0x10000, "length");
    return octets;
  }
  const octets = new Uint8Array(40);
  write128(octets, 0, BigInt(src), "src");
  write128(octets, 16, BigInt(dst), "dst");
  write(octets, 32, 4, length, "length");
  octets[39] = protocol;
  return octets;
}

const judge = (octets: Uint8Array): ChecksumState => (internetChecksum(octets) === 0 ? "good" : "bad");

function judgeCrc(packet: Uint8Array): ChecksumState {
  const at = wire.SCTP_CHECKSUM;
  const crc = crc32c(concat(packet.subarray(0, at), new Uint8Array(4), packet.subarray(at + 4)));
  return read32(packet.slice(at, at + 4).reverse(), 0) === crc ? "good" : "bad";
}

function l4State(ip: IpPacket): ChecksumState {
  const { payload, protocol } = ip;
  const whole = payload.length >= ip.payloadLength && ip.fragmentOffset === 0 && !ip.moreFragments;
  const covered = whole ? payload.subarray(0, coveredLength(protocol, payload)) : new Uint8Array(0);
  if (covered.length === 0) return "absent";
  if (protocol === wire.PROTO_ICMP) return judge(covered);
  if (protocol === wire.PROTO_SCTP) return judgeCrc(covered);
  return judge(concat(pseudoHeader(ip.src, ip.dst, protocol, covered.length), covered));
}

/** How many octets of an IP payload its checksum covers; 0 when it has none. */
function coveredLength(protocol: number, payload: Uint8Array): number {
  const { length } = payload;
  switch (protocol) {
    case wire.PROTO_TCP:
      return length < wire.TCP_LEN ? 0 : length;
    case wire.PROTO_UDP:
      return udpCoveredLength(payload);
    case wire.PROTO_SCTP:
      return length < wire.SCTP_LEN ? 0 : length;
    case wire.PROTO_ICMP:
    case wire.PROTO_ICMP6:
      return length < wire.ICMP_LEN ? 0 : length;
    default:
      return 0;
  }
}

function udpCoveredLength(payload: Uint8Array): number {
  const udp = readUdp(payload);
  if (udp === undefined || udp.checksum === 0) return 0;
  const length = udp.length || payload.length;
  return length < wire.UDP_LEN || length > payload.length ? 0 : length;
}

function innerStates(ip: IpPacket, depth: number): ChecksumStates | undefined {
  const udp = ip.protocol === wire.PROTO_UDP && ip.fragmentOffset === 0 ? readUdp(ip.payload) : undefined;
  if (udp === undefined || depth >= NESTING_LIMIT) return undefined;
  const inner = tunnelledFrame(udp);
  return inner === undefined ? undefined : checksumStates(inner, depth + 1);
}

function checksumStates(frame: Uint8Array, depth: number): ChecksumStates {
  const eth = readEth(frame);
  const ip4 = eth?.type === wire.ETH_TYPE_IP4 ? readIp4(eth.payload) : undefined;
  const ip = ip4 ?? (eth?.type === wire.ETH_TYPE_IP6 ? readIp6(eth.payload) : undefined);
  if (ip === undefined || ip.problem !== undefined) return { ip: "absent", l4: "absent" };
  const inner = innerStates(ip, depth);
  return {
    ip: ip4 === undefined ? "absent" : judge(ip4.header),
    l4: l4State(ip),
    ...(inner === undefined ? {} : { inner }),
  };
}

/** Judges the checksums of an Ethernet frame's IP header and its TCP, UDP, SCTP, ICMP or ICMPv6; never throws. */
export function verifyChecksums(frame: Uint8Array): ChecksumStates {
  return checksumStates(frame, 0);
}
