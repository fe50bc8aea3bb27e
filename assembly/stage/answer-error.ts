import {
  ETH_LEN,
  ETH_TYPE,
  ETH_TYPE_IP4,
  ETH_TYPE_IP6,
  ICMP_CHECKSUM,
  ICMP_LEN,
  IP4_CHECKSUM,
  IP4_DST,
  IP4_FRAGMENT,
  IP4_ID,
  IP4_LEN,
  IP4_SRC,
  IP4_TTL,
  IP6_LEN,
  IP6_PAYLOAD_LENGTH,
  PROTO_ICMP,
  PROTO_ICMP6,
  PROTO_SCTP,
  SCTP_LEN,
} from "../abi/wire";
import { store16, store32 } from "../bytes";
import { Packet } from "../packet";
import { fold, sumWords } from "../wire/checksum";
import { decrementTtl, pseudoSum, tosOf } from "../wire/ip";
import { Ip4 } from "../wire/ip4";
import { Ip6 } from "../wire/ip6";
import { Sctp } from "../wire/sctp";

/** ICMP errors as a kernel makes them (__icmp_send, icmp6_send): before the packet in its slot, which they quote. */

/** Octets of the longest error: all hosts take such packets (RFC 1812 §4.3.2.3, RFC 4443 §2.4(c)). */
const ERROR4_MAX: u32 = 576;
const ERROR6_MAX: u32 = 1280;
/** Internetwork control (RFC 1812 §4.3.2.5), with the type of service of the packet in question. */
const ERROR_PRECEDENCE: u32 = 0xc0;
const TOS_MASK: u32 = 0x1e;
const HOPS: u32 = 64;

/** Octets that stand before what is quoted. */
export function errorHeadroom(packet: Packet): u32 {
  return ICMP_LEN + (packet.family == 6 ? IP6_LEN : IP4_LEN);
}

/** Octets of the packet that are quoted on a way out of such an MTU; 0: no error fits it. */
function quotedLength(packet: Packet, mtu: u32): u32 {
  const most = packet.family == 6 ? ERROR6_MAX : min<u32>(mtu, ERROR4_MAX);
  const heads = errorHeadroom(packet);
  return most <= heads + IP4_LEN ? 0 : min<u32>(packet.ipLength, most - heads);
}

/** NAT turns the quote back as the sender knows it, which costs SCTP its old checksum, however little is quoted. */
function resealQuote(packet: Packet, length: u32): void {
  const room = packet.ip + length - packet.transport;
  if (packet.protocol == PROTO_SCTP && packet.ip + length >= packet.transport + SCTP_LEN)
    Sctp.at(packet.transport).seal(room);
}

function writeIp4(ip: usize, tos: u32, total: u32, id: u32, src: u32, dst: u32): void {
  store32(ip, (0x45 << 24) | (tos << 16) | total);
  store16(ip + IP4_ID, id);
  store16(ip + IP4_FRAGMENT, 0);
  store32(ip + IP4_TTL, (HOPS << 24) | (PROTO_ICMP << 16));
  store32(ip + IP4_SRC, src);
  store32(ip + IP4_DST, dst);
  store16(ip + IP4_CHECKSUM, ~sumWords(ip, IP4_LEN));
}

/** The flow label, which a kernel takes from a hash of its own, is 0. */
function writeIp6(ip: usize, length: u32, src: v128, dst: v128): void {
  store32(ip, 6 << 28);
  store32(ip + IP6_PAYLOAD_LENGTH, (length << 16) | (PROTO_ICMP6 << 8) | HOPS);
  Ip6.at(ip).src = src;
  Ip6.at(ip).dst = dst;
}

function writeIcmp(ip: usize, icmp: usize, length: u32, error: u32, value: u32, is6: bool): void {
  store32(icmp, error << 16);
  store32(icmp + ICMP_LEN - 4, value);
  const pseudo = is6 ? pseudoSum(ip, PROTO_ICMP6, length) : 0;
  store16(icmp + ICMP_CHECKSUM, ~fold(pseudo + sumWords(icmp, length)));
}

/**
 * Puts an ICMP error of type << 8 | code before the packet, with `value` in its second word (the next hop's MTU, or 0),
 * from the descriptor's src to its dst. `ages` and `reseals` say what had become of the packet before it was refused.
 * False, and nothing written, where no error fits the way out. The slot has errorHeadroom octets before the frame.
 */
export function writeError(
  packet: Packet,
  error: u32,
  value: u32,
  id: u32,
  mtu: u32,
  ages: bool,
  reseals: bool,
): bool {
  const length = quotedLength(packet, mtu);
  if (length == 0) return false;
  const is6 = packet.family == 6;
  if (ages) decrementTtl(packet.ip);
  if (reseals) resealQuote(packet, length);
  const icmp = packet.ip - ICMP_LEN;
  const ip = packet.ip - errorHeadroom(packet);
  const tos = (tosOf(packet.ip) & TOS_MASK) | ERROR_PRECEDENCE;
  if (is6) writeIp6(ip, ICMP_LEN + length, packet.src6, packet.dst6);
  else writeIp4(ip, tos, IP4_LEN + ICMP_LEN + length, id, packet.src, packet.dst);
  writeIcmp(ip, icmp, ICMP_LEN + length, error, value, is6);
  packet.frame = <u32>(ip - ETH_LEN);
  packet.length = <u32>(packet.ip - packet.frame) + length;
  memory.fill(packet.frame, 0, ETH_TYPE);
  store16(packet.frame + ETH_TYPE, is6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4);
  return true;
}

/** NAT gives an answer the source that its receiver asked (nf_nat_icmp_reply_translation). */
export function comeFromAsked(packet: Packet): void {
  if (packet.answered == 0) return;
  if (packet.family == 6) packet.src6 = Ip6.at(packet.answered).dst;
  else packet.src = Ip4.at(packet.answered).dst;
}
