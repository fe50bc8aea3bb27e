import {
  ETH_DST,
  ETH_GROUP,
  ETH_LEN,
  ETH_TYPE,
  IP4_LEN,
  PROTO_TCP,
  PROTO_UDP,
  TCP_FLAG_ACK,
  TCP_FLAG_FIN,
  TCP_FLAG_RST,
  TCP_FLAG_SYN,
  TCP_LEN,
  TCP_OFFSET,
  UDP_LEN,
} from "../abi/wire";
import { HALF, Lanes } from "./lanes";
import { DSTS, KEYS, LENGTHS, PORTS, PROTOCOLS, SRCS, STARTS } from "./layout";

/** Ethertype, version and header length of an IPv4 header without options, as they are loaded. */
const PLAIN_MASK: i32 = 0xffffff;
const PLAIN: i32 = 0x450008;
/** Flag MF and the fragment's offset, behind the identification. */
const FRAGMENT: i32 = 0xff3f0000;
/** TCP's flags that say what a segment is, behind the octet that has the data offset in its upper half. */
const WAY: i32 = (TCP_FLAG_SYN | TCP_FLAG_FIN | TCP_FLAG_RST | TCP_FLAG_ACK) << 8;
/** One that moves nothing on. */
const ONWARD: i32 = TCP_FLAG_ACK << 8;
const OFFSET: i32 = 0xf0;
/** A TTL without these bits is 0 or 1. */
const TTL_LASTS: i32 = 0xfe;
const OCTET: i32 = 0xff;
/** First octets of addresses. */
const LOOPBACK: i8 = 127;
const UNICAST_MAX: i8 = <i8>223;
/** Stands for an address where there is none. */
const NO_ADDRESS: i32 = 0x01010000;

/** Octets that are read of every frame, whatever is in it. */
export const JUDGED_LEN: u32 = ETH_LEN + IP4_LEN + TCP_LEN;

/** Of `judgeFour`, a bit for each of four frames: unicast IPv4 without options, whole and no fragment. */
export const WHOLE: u32 = 1;
/** And it is TCP or UDP, with a header that fits. */
export const SEGMENT: u32 = 1 << 4;
/** And it has TTL to spare, and nothing that moves a connection on. */
export const CALM: u32 = 1 << 8;
/** A segment of UDP. */
export const DATAGRAM: u32 = 1 << 12;
/** All four of one kind. */
export const FOUR: u32 = 15;

/** What is asked of four headers abreast; words are as they are loaded. 0 is no fault. */
@unmanaged
@final
class Judge {
  /** Both addresses are anyone's: not "this network", loopback, multicast or reserved (RFC 1122 §3.2.1.3). */
  @inline
  static ends(src: v128, dst: v128): v128 {
    const octet = i32x4.splat(OCTET);
    const pairs = v128.or(v128.and(src, octet), i32x4.shl(v128.and(dst, octet), 8));
    const octets = v128.or(pairs, i32x4.splat(NO_ADDRESS));
    const isNobody = v128.or(i8x16.eq(octets, i8x16.splat(0)), i8x16.eq(octets, i8x16.splat(LOOPBACK)));
    return v128.or(isNobody, i8x16.sub_sat_u(octets, i8x16.splat(UNICAST_MAX)));
  }

  /** The header adds to all ones (RFC 1071). */
  @inline
  static sum(a: v128, b: v128, c: v128, d: v128, e: v128): v128 {
    const abc = i32x4.add(i32x4.add(Lanes.halves(a), Lanes.halves(b)), Lanes.halves(c));
    const sum = i32x4.add(abc, i32x4.add(Lanes.halves(d), Lanes.halves(e)));
    return v128.xor(Lanes.folded(sum), i32x4.splat(HALF));
  }

  /** The frame is one host's; Ethertype, version and header length are IPv4's without options, and it is no fragment. */
  @inline
  static kind(mac: v128, type: v128, fragment: v128): v128 {
    const kind = v128.xor(v128.and(type, i32x4.splat(PLAIN_MASK)), i32x4.splat(PLAIN));
    const many = v128.and(mac, i32x4.splat(ETH_GROUP));
    return v128.or(v128.or(kind, many), v128.and(fragment, i32x4.splat(FRAGMENT)));
  }

  /** The packet is in its frame. */
  @inline
  static total(total: v128, frame: v128): v128 {
    const room = i32x4.sub(frame, i32x4.splat(ETH_LEN));
    return v128.or(i32x4.gt_s(total, room), i32x4.gt_s(i32x4.splat(IP4_LEN), total));
  }

  /** A TCP header, or a UDP datagram, is in its packet. */
  @inline
  static segment(tcp: v128, udp: v128, total: v128, isTcp: v128): v128 {
    const header = i32x4.shr_u(v128.and(tcp, i32x4.splat(OFFSET)), 2);
    const datagram = v128.and(Lanes.swapped(udp), i32x4.splat(HALF));
    const length = v128.bitselect(header, datagram, isTcp);
    const least = v128.bitselect(i32x4.splat(TCP_LEN), i32x4.splat(UDP_LEN), isTcp);
    const room = i32x4.sub(total, i32x4.splat(IP4_LEN));
    return v128.or(i32x4.gt_s(length, room), i32x4.gt_s(least, length));
  }

  /** TTL to spare, and of TCP an ACK and no flag that moves a connection on. */
  @inline
  static calm(ttl: v128, tcp: v128, isTcp: v128): v128 {
    const isLast = i32x4.eq(v128.and(ttl, i32x4.splat(TTL_LASTS)), i32x4.splat(0));
    const flags = v128.xor(v128.and(tcp, i32x4.splat(WAY)), i32x4.splat(ONWARD));
    return v128.or(isLast, v128.and(flags, isTcp));
  }

  @inline
  static bits(lanes: v128): u32 {
    return i32x4.bitmask(lanes);
  }
}

/** Writes four tuples, side by side and one behind another. */
function keep(entry: usize, tuples: usize, src: v128, dst: v128, ports: v128, protocol: v128): void {
  v128.store(entry, dst, KEYS);
  v128.store(entry, src, SRCS);
  v128.store(entry, dst, DSTS);
  v128.store(entry, ports, PORTS);
  v128.store(entry, protocol, PROTOCOLS);
  Lanes.storeRows(tuples, src, dst, ports, protocol);
}

/**
 * Judges the four frames whose addresses and lengths stand in an entry's columns, each of JUDGED_LEN octets or more,
 * and writes their tuples, destinations and lengths without what stands behind the packet. What is not plain, or is
 * wrong in any way, goes the way of all packets, which says why.
 */
export function judgeFour(entry: usize, tuples: usize): u32 {
  const f0 = <usize>load<u32>(entry, STARTS);
  const f1 = <usize>load<u32>(entry, STARTS + 4);
  const f2 = <usize>load<u32>(entry, STARTS + 8);
  const f3 = <usize>load<u32>(entry, STARTS + 12);
  const a0 = v128.load(f0, ETH_LEN);
  const a1 = v128.load(f1, ETH_LEN);
  const a2 = v128.load(f2, ETH_LEN);
  const a3 = v128.load(f3, ETH_LEN);
  const b0 = v128.load(f0, ETH_LEN + 16);
  const b1 = v128.load(f1, ETH_LEN + 16);
  const b2 = v128.load(f2, ETH_LEN + 16);
  const b3 = v128.load(f3, ETH_LEN + 16);
  const mac = Lanes.gather(f0, f1, f2, f3, ETH_DST);
  const type = Lanes.gather(f0, f1, f2, f3, ETH_TYPE);
  const tcp = Lanes.gather(f0, f1, f2, f3, ETH_LEN + IP4_LEN + TCP_OFFSET);
  const head = Lanes.first(a0, a1, a2, a3);
  const fragment = Lanes.second(a0, a1, a2, a3);
  const ttl = Lanes.third(a0, a1, a2, a3);
  const src = Lanes.fourth(a0, a1, a2, a3);
  const dst = Lanes.first(b0, b1, b2, b3);
  const ports = Lanes.second(b0, b1, b2, b3);
  const udp = Lanes.third(b0, b1, b2, b3);
  const total = i32x4.shr_u(Lanes.swapped(head), 16);
  const protocol = v128.and(i32x4.shr_u(ttl, 8), i32x4.splat(OCTET));
  const isTcp = i32x4.eq(protocol, i32x4.splat(PROTO_TCP));
  const isUdp = i32x4.eq(protocol, i32x4.splat(PROTO_UDP));
  const isSegment = v128.or(isTcp, isUdp);
  const header = v128.or(Judge.kind(mac, type, fragment), Judge.sum(head, fragment, ttl, src, dst));
  const ends = v128.or(Judge.total(total, v128.load(entry, LENGTHS)), Judge.ends(src, dst));
  const segment = v128.and(Judge.segment(tcp, udp, total, isTcp), isSegment);
  const isWhole = i32x4.eq(v128.or(v128.or(header, ends), segment), i32x4.splat(0));
  const isCalm = i32x4.eq(Judge.calm(ttl, tcp, isTcp), i32x4.splat(0));
  v128.store(entry, i32x4.add(total, i32x4.splat(ETH_LEN)), LENGTHS);
  keep(
    entry,
    tuples,
    Lanes.turned(src),
    Lanes.turned(dst),
    v128.and(Lanes.turned(ports), isSegment),
    protocol,
  );
  const isGood = v128.and(isWhole, isSegment);
  return (
    Judge.bits(isWhole) * WHOLE +
    Judge.bits(isGood) * SEGMENT +
    Judge.bits(v128.and(isGood, isCalm)) * CALM +
    Judge.bits(v128.and(isWhole, isUdp)) * DATAGRAM
  );
}
