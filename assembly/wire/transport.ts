import {
  ICMP_LEN,
  PROTO_ICMP,
  PROTO_ICMP6,
  PROTO_SCTP,
  PROTO_TCP,
  PROTO_UDP,
  SCTP_LEN,
  TCP_LEN,
  UDP_LEN,
} from "../abi/wire";
import { load16, store16 } from "../bytes";
import { fold, isGoodSum, patchChecksum, sumWords } from "./checksum";
import { Icmp } from "./icmp";
import { pseudoSum } from "./ip";
import { Ip4 } from "./ip4";
import { Sctp } from "./sctp";
import { Tcp } from "./tcp";
import { Udp } from "./udp";

/** Octets of the shortest header of a transport that is looked into; 0 of others. */
export function transportHeaderLength(protocol: u32): u32 {
  if (protocol == PROTO_TCP) return TCP_LEN;
  if (protocol == PROTO_UDP) return UDP_LEN;
  if (protocol == PROTO_SCTP) return SCTP_LEN;
  return protocol == PROTO_ICMP || protocol == PROTO_ICMP6 ? ICMP_LEN : 0;
}

/**
 * Whether the checksum of `length` octets of a transport, its whole header among them, is right; `ip` is the address of
 * the IP header. A UDP checksum of 0 is, in either family, as in conntrack (udp_error); so is what has none.
 */
export function isTransportIntact(ip: usize, transport: usize, length: u32, protocol: u32): bool {
  if (protocol == PROTO_SCTP) return Sctp.at(transport).isIntact(length);
  if (protocol == PROTO_ICMP) return isGoodSum(transport, length);
  if (protocol != PROTO_TCP && protocol != PROTO_UDP && protocol != PROTO_ICMP6) return true;
  if (protocol == PROTO_UDP && Udp.at(transport).checksum == 0) return true;
  return fold(pseudoSum(ip, protocol, length) + sumWords(transport, length)) == 0xffff;
}

/** The same of the segment behind an IPv4 header that is whole. */
export function isSegmentIntact(ip: Ip4): bool {
  const header = ip.headerLength;
  const at = changetype<usize>(ip);
  return isTransportIntact(at, at + header, ip.totalLength - header, ip.protocol);
}

/** The same of a UDP datagram as its receiver sees it: it ends where its length says, whatever stands behind. */
export function isDatagramIntact(ip: usize, udp: usize): bool {
  return isTransportIntact(ip, udp, Udp.at(udp).length, PROTO_UDP);
}

/**
 * Patches a transport's checksum for words of the pseudo-header, and of the header itself, that changed (sums of 16-bit
 * words). UDP's 0 means that there is none and stays, in either family, and a sum of 0 is sent as all ones (RFC 768).
 * ICMP has no pseudo-header; SCTP's checksum is no sum (`Sctp.seal`).
 */
export function patchTransport(transport: usize, protocol: u32, removed: u32, added: u32): void {
  if (protocol == PROTO_TCP) {
    const at = Tcp.at(transport).checksumAt;
    store16(at, patchChecksum(load16(at), removed, added));
  } else if (protocol == PROTO_UDP) {
    const at = Udp.at(transport).checksumAt;
    const old = load16(at);
    if (old == 0) return;
    const patched = patchChecksum(old, removed, added);
    store16(at, patched == 0 ? 0xffff : patched);
  } else if (protocol == PROTO_ICMP6) {
    Icmp.at(transport).patch(removed, added);
  }
}
