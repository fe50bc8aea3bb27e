import { ETH_LEN, IP4_LEN, IP4_TTL, PROTO_TCP, TCP_CHECKSUM, UDP_CHECKSUM } from "../abi/wire";
import { GIVEN_TUPLE } from "./follow";
import { HALF, Lanes } from "./lanes";
import {
  CHECKSUMS,
  CHECKSUMS_AT,
  DSTS,
  GIVEN,
  GROWTH,
  PORTS,
  PROTOCOLS,
  SRCS,
  STARTS,
  TTLS,
  WIRE_ENDS,
  WIRE_PORTS,
} from "./layout";

/** Four times all ones: keeps differences of up to four 16-bit words above zero, and is zero in their arithmetic. */
const ZERO: i32 = 0x3fffc;
/** A TTL one less, as a difference of its word, in one's complement and the loaded byte order. */
const ONE_LESS: i32 = 0xfffe;

/** The transport checksums' addresses and, after words grew so much, values. */
function planChecksums(entry: usize, growth: v128): void {
  const isTcp = i32x4.eq(v128.load(entry, PROTOCOLS), i32x4.splat(PROTO_TCP));
  const tcp = i32x4.splat(ETH_LEN + IP4_LEN + TCP_CHECKSUM);
  const udp = i32x4.splat(ETH_LEN + IP4_LEN + UDP_CHECKSUM);
  const at = i32x4.add(v128.load(entry, STARTS), v128.bitselect(tcp, udp, isTcp));
  let old = i32x4.splat(0);
  old = v128.load_lane<u16>(Lanes.address0(at), old, 0);
  old = v128.load_lane<u16>(Lanes.address1(at), old, 2);
  old = v128.load_lane<u16>(Lanes.address2(at), old, 4);
  old = v128.load_lane<u16>(Lanes.address3(at), old, 6);
  const sums = Lanes.patched(old, growth);
  // Of UDP 0 says that there is none, and a sum of 0 is sent as all ones (RFC 768).
  const isNone = v128.andnot(i32x4.eq(old, i32x4.splat(0)), isTcp);
  const isZero = v128.andnot(i32x4.eq(sums, i32x4.splat(0)), isTcp);
  v128.store(entry, at, CHECKSUMS_AT);
  v128.store(entry, v128.andnot(v128.or(sums, v128.and(isZero, i32x4.splat(HALF))), isNone), CHECKSUMS);
}

/** How much two columns of words in the frame's byte order grow to be two others. */
function grown(a: v128, b: v128, fromA: v128, fromB: v128): v128 {
  const to = i32x4.add(Lanes.halves(a), Lanes.halves(b));
  const from = i32x4.add(Lanes.halves(Lanes.turned(fromA)), Lanes.halves(Lanes.turned(fromB)));
  return i32x4.add(i32x4.sub(to, from), i32x4.splat(ZERO));
}

/** Of packets i … i + 3, some of connections: the tuples that they leave with, and what follows for checksums. */
export function planTuples(scratch: usize, i: u32): void {
  const entry = scratch + (i << 2);
  const given = v128.load(entry, GIVEN);
  const isGiven = i32x4.ne(given, i32x4.splat(0));
  const places = v128.and(given, i32x4.splat(GIVEN_TUPLE));
  const g0 = v128.load(Lanes.address0(places));
  const g1 = v128.load(Lanes.address1(places));
  const g2 = v128.load(Lanes.address2(places));
  const g3 = v128.load(Lanes.address3(places));
  const oldSrc = v128.load(entry, SRCS);
  const oldDst = v128.load(entry, DSTS);
  const oldPorts = v128.load(entry, PORTS);
  const backwards = Lanes.third(g0, g1, g2, g3);
  const newPorts = v128.or(i32x4.shl(backwards, 16), i32x4.shr_u(backwards, 16));
  const dst = v128.bitselect(Lanes.first(g0, g1, g2, g3), oldDst, isGiven);
  const src = v128.bitselect(Lanes.second(g0, g1, g2, g3), oldSrc, isGiven);
  const ports = v128.bitselect(newPorts, oldPorts, isGiven);
  v128.store(entry, src, SRCS);
  v128.store(entry, dst, DSTS);
  v128.store(entry, ports, PORTS);
  const wireSrc = Lanes.turned(src);
  const wireDst = Lanes.turned(dst);
  const wirePorts = Lanes.turned(ports);
  v128.store(scratch + (i << 3), Lanes.low(wireSrc, wireDst), WIRE_ENDS);
  v128.store(scratch + (i << 3), Lanes.high(wireSrc, wireDst), WIRE_ENDS + 16);
  v128.store(entry, wirePorts, WIRE_PORTS);
  const none = i32x4.splat(0);
  const growth = grown(wireSrc, wireDst, oldSrc, oldDst);
  planChecksums(entry, i32x4.add(growth, grown(wirePorts, none, oldPorts, none)));
  const differs = v128.or(v128.or(v128.xor(src, oldSrc), v128.xor(dst, oldDst)), v128.xor(ports, oldPorts));
  v128.store(entry, v128.and(growth, i32x4.ne(differs, none)), GROWTH);
}

/** The words of TTL, protocol and checksum, of packets of which some age. */
export function planTtls(entry: usize, ages: v128): void {
  const words = Lanes.gatherAt(v128.load(entry, STARTS), ETH_LEN + IP4_TTL);
  const less = v128.and(ages, i32x4.splat(ONE_LESS));
  const checksums = Lanes.patched(i32x4.shr_u(words, 16), i32x4.add(v128.load(entry, GROWTH), less));
  // A lane that ages is -1.
  const ttls = i32x4.add(v128.and(words, i32x4.splat(HALF)), ages);
  v128.store(entry, v128.or(ttls, i32x4.shl(checksums, 16)), TTLS);
}
