import { IMAGE_FLAG_VERIFY } from "../abi/image";
import {
  ETH_LEN,
  ETH_TYPE,
  IP4_FRAGMENT,
  IP4_LEN,
  IP4_SRC,
  PROTO_ICMP,
  PROTO_SCTP,
  PROTO_TCP,
  PROTO_UDP,
  TCP_FLAG_FIN,
  TCP_FLAG_RST,
  TCP_FLAG_SYN,
  TCP_LEN,
  TCP_OFFSET,
  UDP_LEN,
} from "../abi/wire";
import { Image } from "../image";
import { Ip4 } from "../wire/ip4";
import { isSegmentIntact } from "../wire/transport";
import { Udp } from "../wire/udp";

/** Ethertype, version and header length of an IPv4 header without options, in the octets from the ethertype on. */
const PLAIN_MASK: u32 = 0xffffff;
const PLAIN: u32 = 0x450008;
/** Flag MF and the fragment's offset, as they are loaded. */
const FRAGMENT_MASK: u32 = 0xff3f;
/** TCP's octets of data offset and flags, as they are loaded: SYN, FIN and RST, and the offset. */
const UNUSUAL: u32 = (TCP_FLAG_SYN | TCP_FLAG_FIN | TCP_FLAG_RST) << 8;
const OFFSET_MASK: u32 = 0xf0;
/** Addresses and what follows them are loaded as 16 octets. */
const TOTAL_MIN: u32 = IP4_SRC + 16;

/** What `Plain.judge` says of a packet. */
export const NOT_EXPRESS: u32 = 0;
/** Nothing is remembered of its kind. */
export const UNTRACKED: u32 = 1;
export const TRACKED: u32 = 2;

/** 65535's inverse modulo 2^64, and the number of its multiples there: x is one iff x * inverse is no larger. */
const INVERSE: u64 = 0xfffefffefffeffff;
const MULTIPLES: u64 = 0x0001000100010001;

/**
 * Whether a header of 20 octets, which are not all 0, adds to all ones (RFC 1071). Modulo 65535, 2^16, 2^32 and 2^64
 * are 1: words of any width may be added, with the carry, and the sum is right iff 65535 divides it.
 */
function isIntact(ip: usize): bool {
  const first = load<u64>(ip);
  const two = first + load<u64>(ip, 8);
  const all = two + u64(two < first) + load<u32>(ip, 16);
  return (all + u64(all < two)) * INVERSE <= MULTIPLES;
}

/** Whether both addresses may be anyone's: not "this network", loopback, multicast or reserved (RFC 1122 §3.2.1.3). */
function areCommon(addresses: v128): bool {
  const network = i32x4.shr_u(addresses, 24);
  const isOutside = i32x4.gt_u(i32x4.sub(network, i32x4.splat(1)), i32x4.splat(222));
  return (i32x4.bitmask(v128.or(isOutside, i32x4.eq(network, i32x4.splat(127)))) & 3) == 0;
}

/** The header is whole, and no flag moves a connection on. */
function isPlainTcp(tcp: usize, room: u32): bool {
  if (room < TCP_LEN) return false;
  const word = <u32>load<u16>(tcp, TCP_OFFSET);
  const header = (word & OFFSET_MASK) >> 2;
  return (u32(header < TCP_LEN) | u32(header > room) | (word & UNUSUAL)) == 0;
}

function isPlainUdp(udp: usize, room: u32): bool {
  const length = Udp.at(udp).length;
  return (u32(length < UDP_LEN) | u32(length > room)) == 0;
}

@unmanaged
@final
export class Plain {
  /**
   * Whether a frame is as plain as nearly all are: a valid IPv4 header without options, unicast, no fragment, TTL to
   * spare and, of TCP, no flag that moves a connection on. Writes its tuple (16 octets). What is not, or is wrong in
   * any way, goes the way of all packets, which says why.
   */
  @inline
  static judge(image: Image, frame: usize, length: u32, tuple: usize): u32 {
    const room = length - ETH_LEN;
    if (length < ETH_LEN + TOTAL_MIN) return NOT_EXPRESS;
    const ip = frame + ETH_LEN;
    const total = bswap<u16>(load<u16>(ip, 2));
    const word = load<u32>(ip, IP4_FRAGMENT);
    const faults =
      ((load<u32>(frame, ETH_TYPE) & PLAIN_MASK) ^ PLAIN) |
      (word & FRAGMENT_MASK) |
      u32(<u32>total - TOTAL_MIN > room - TOTAL_MIN) |
      u32(((word >> 16) & 0xff) < 2);
    if (faults != 0 || !isIntact(ip)) return NOT_EXPRESS;
    const protocol = word >> 24;
    const words = i8x16.swizzle(
      v128.load(ip, IP4_SRC),
      i8x16(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12),
    );
    if (!areCommon(words)) return NOT_EXPRESS;
    const transport = ip + IP4_LEN;
    if (protocol == PROTO_TCP) {
      if (!isPlainTcp(transport, total - IP4_LEN)) return NOT_EXPRESS;
    } else if (protocol == PROTO_UDP) {
      if (!isPlainUdp(transport, total - IP4_LEN)) return NOT_EXPRESS;
    } else {
      if (protocol == PROTO_ICMP || protocol == PROTO_SCTP) return NOT_EXPRESS;
      v128.store(tuple, i32x4.replace_lane(i32x4.replace_lane(words, 2, 0), 3, protocol));
      return UNTRACKED;
    }
    v128.store(tuple, i32x4.replace_lane(words, 3, protocol));
    if ((image.flags & IMAGE_FLAG_VERIFY) != 0 && !isSegmentIntact(Ip4.at(ip))) return NOT_EXPRESS;
    return TRACKED;
  }
}
