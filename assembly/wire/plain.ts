import {
  ETH_LEN,
  ETH_TYPE,
  IP4_CHECKSUM,
  IP4_DST,
  IP4_LEN,
  IP4_PROTOCOL,
  IP4_SRC,
  PROTO_TCP,
  PROTO_UDP,
  TCP_CHECKSUM,
  UDP_CHECKSUM,
  UDP_DST,
  UDP_LEN,
} from "../abi/wire";
import { fold } from "./checksum";
import { Tcp } from "./tcp";
import { Udp } from "./udp";

/** The ethertype of IPv4, and version and header length of a header without options, as they lie in memory. */
const PLAIN: u32 = 0x450008;
const PLAIN_MASK: u32 = 0xffffff;
/** MF and the fragment offset, as they lie in memory. */
const FRAGMENT: u32 = 0xff3f;
/** First octets of addresses. */
const MULTICAST: u32 = 224;
const LOOPBACK: u32 = 127;
const LOW: u64 = 0xffffffff;
const IP: u32 = ETH_LEN;
const SEGMENT: u32 = ETH_LEN + IP4_LEN;

/**
 * A frame of the kind that nearly all are, seen in place: one whole TCP or UDP segment in an IPv4 packet without
 * options. Accessors trust their caller; ask `isPlain` once, first.
 */
@unmanaged
@final
export class PlainFrame {
  @inline
  static at(address: usize): PlainFrame {
    return changetype<PlainFrame>(address);
  }

  /**
   * Whether `length` octets are such a frame, with a right IPv4 checksum, which stage/parse.ts would pass. Two loads
   * hold the IPv4 header but for its destination; what is asked of it is asked without branches.
   */
  @inline
  isPlain(length: u32): bool {
    const frame = changetype<usize>(this);
    if (length < SEGMENT + UDP_LEN || (load<u32>(frame, ETH_TYPE) & PLAIN_MASK) != PLAIN) return false;
    const first = load<u64>(frame, IP);
    const second = load<u64>(frame, IP + 8);
    const dst = load<u32>(frame, IP + IP4_DST);
    const room = <u32>bswap<u16>(<u16>(first >> 16)) - IP4_LEN;
    const sum = (first & LOW) + (first >> 32) + (second & LOW) + (second >> 32) + dst;
    const faults = u32(room > length - SEGMENT) | u32(fold(sum) != 0xffff) | (<u32>(first >> 48) & FRAGMENT);
    if ((faults | isOutside(<u32>(second >> 32)) | isOutside(dst)) != 0) return false;
    const protocol = <u32>(second >> 8) & 0xff;
    if (protocol == PROTO_TCP) return Tcp.at(frame + SEGMENT).isValid(room);
    return protocol == PROTO_UDP && Udp.at(frame + SEGMENT).isValid(room);
  }

  /** dst << 32 | src, and (something else) << 32 | ports, in one turn of 16 octets. */
  @inline
  get ends(): v128 {
    const octets = v128.load(changetype<usize>(this) + IP + IP4_SRC);
    return v128.shuffle<u8>(octets, octets, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
  }

  @inline
  get protocol(): u32 {
    return load<u8>(changetype<usize>(this), IP + IP4_PROTOCOL);
  }

  /** Gives the segment another destination, and patches both checksums (RFC 1624); a UDP checksum of 0 stays. */
  @inline
  redirect(address: u32, port: u32): void {
    const frame = changetype<usize>(this);
    const isUdp = this.protocol == PROTO_UDP;
    const newDst = bswap<u32>(address);
    const newPort: u32 = bswap<u16>(<u16>port);
    const oldDst = ~load<u32>(frame, IP + IP4_DST);
    const oldPort = ~(<u32>load<u16>(frame, SEGMENT + UDP_DST)) & 0xffff;
    const moved = fold(<u64>oldDst + newDst);
    store<u16>(frame, patched(load<u16>(frame, IP + IP4_CHECKSUM), moved), IP + IP4_CHECKSUM);
    store<u32>(frame, newDst, IP + IP4_DST);
    store<u16>(frame, newPort, SEGMENT + UDP_DST);
    const at = frame + SEGMENT + (isUdp ? UDP_CHECKSUM : TCP_CHECKSUM);
    const old: u32 = load<u16>(at);
    if (isUdp && old == 0) return;
    const checksum = patched(old, moved + oldPort + newPort);
    store<u16>(at, isUdp && checksum == 0 ? 0xffff : checksum);
  }
}

/** 1 for an address (as it lies in memory) that no packet from outside may have: of 0/8, of 127/8, multicast or above. */
function isOutside(address: u32): u32 {
  const first = address & 0xff;
  return u32(first - 1 >= MULTICAST - 1) | u32(first == LOOPBACK);
}

/** A checksum after words changed, all as they lie in memory (RFC 1624 §3, eqn. 3): ~(~HC + ~m + m'), for small sums ~m + m'. */
function patched(checksum: u32, change: u32): u32 {
  const sum = (~checksum & 0xffff) + change;
  return (~(sum + rotl<u32>(sum, 16)) >> 16) & 0xffff;
}
