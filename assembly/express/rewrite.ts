import { IP4_CHECKSUM, IP4_LEN, IP4_SRC, IP4_TTL, PROTO_TCP, TCP_CHECKSUM, UDP_CHECKSUM } from "../abi/wire";

/** Four times all ones: keeps differences of up to four 16-bit words above zero, and is zero in their arithmetic. */
const ZERO: u32 = 0x3fffc;

/** A checksum, as it is loaded, after its words grew by a difference (RFC 1624 §3, eqn. 3, in the loaded byte order). */
function patched(checksum: u32, difference: u32): u32 {
  const sum = (~checksum & 0xffff) + difference;
  const half = (sum & 0xffff) + (sum >> 16);
  return ~((half & 0xffff) + (half >> 16)) & 0xffff;
}

function patchTransport(transport: usize, protocol: u32, difference: u32): void {
  if (protocol == PROTO_TCP) {
    store<u16>(transport, patched(load<u16>(transport, TCP_CHECKSUM), difference), TCP_CHECKSUM);
    return;
  }
  const old = load<u16>(transport, UDP_CHECKSUM);
  const sum = patched(old, difference);
  // 0 says that there is none, and a sum of 0 is sent as all ones (RFC 768).
  if (old != 0) store<u16>(transport, sum == 0 ? 0xffff : sum, UDP_CHECKSUM);
}

/** One hop nearer: TTL - 1, with its checksum. */
export function age(ip: usize): void {
  store<u8>(ip, load<u8>(ip, IP4_TTL) - 1, IP4_TTL);
  store<u16>(ip, patched(load<u16>(ip, IP4_CHECKSUM), 0xfffe), IP4_CHECKSUM);
}

/**
 * Writes the tuple that stands at `to` (dst, src, dst port << 16 | src port) over a packet's, with its checksums, and
 * takes 1 from its TTL where it ages.
 */
export function rewrite(ip: usize, protocol: u32, to: usize, ages: bool): void {
  const old = v128.load(ip, IP4_SRC);
  const next = i8x16.shuffle(v128.load(to), old, 7, 6, 5, 4, 3, 2, 1, 0, 9, 8, 11, 10, 28, 29, 30, 31);
  if (!v128.any_true(v128.xor(old, next))) {
    if (ages) age(ip);
    return;
  }
  const words = i32x4.sub(i32x4.extadd_pairwise_i16x8_u(next), i32x4.extadd_pairwise_i16x8_u(old));
  const addresses = <u32>(i32x4.extract_lane(words, 0) + i32x4.extract_lane(words, 1)) + ZERO;
  const ports = <u32>i32x4.extract_lane(words, 2);
  v128.store(ip, next, IP4_SRC);
  store<u8>(ip, load<u8>(ip, IP4_TTL) - u8(ages), IP4_TTL);
  store<u16>(ip, patched(load<u16>(ip, IP4_CHECKSUM), addresses + (ages ? 0xfffe : 0)), IP4_CHECKSUM);
  patchTransport(ip + IP4_LEN, protocol, addresses + ports + ZERO);
}
