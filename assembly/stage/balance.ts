import { DROP_NO_DESTINATION, DROP_PROTOCOL } from "../abi/verdict";
import {
  ETH_LEN,
  ETH_TYPE,
  IP4_CHECKSUM,
  IP4_DST,
  IP4_FRAGMENT,
  IP4_LEN,
  IP4_PROTOCOL,
  IP4_SRC,
  IP4_TOTAL_LENGTH,
  IP4_TTL,
  PROTO_TCP,
  PROTO_UDP,
  TCP_CHECKSUM,
  UDP_CHECKSUM,
  UDP_DST,
  UDP_LEN,
} from "../abi/wire";
import { load16, load32 } from "../bytes";
import { Image } from "../image";
import { Packet } from "../packet";
import { REAL_ADDRESS, REAL_NONE, REAL_PORT, RING_SIZE } from "../table/ring/layout";
import { realOf, slotOfTuple, slotReal } from "../table/ring/lookup";
import { fold } from "../wire/checksum";
import { Tcp } from "../wire/tcp";
import { Udp } from "../wire/udp";

/** The ethertype of IPv4, and version and header length of a header without options, as they lie in memory. */
const PLAIN: u32 = 0x450008;
const PLAIN_MASK: u32 = 0xffffff;
/** MF and the fragment offset, as they lie in memory. */
const FRAGMENT: u32 = 0xff3f;
const FIRST_MULTICAST: u32 = 0xe0000000;

/** The sum over a header without options, with its words as they lie in memory. */
function sumPlain(ip: usize): u64 {
  return (
    <u64>load<u32>(ip) +
    load<u32>(ip, 4) +
    load<u32>(ip, IP4_TTL) +
    load<u32>(ip, IP4_SRC) +
    load<u32>(ip, IP4_DST)
  );
}

/** An address that a packet from outside may have: not of 0/8 or 127/8, not multicast. */
function isUnicast(address: u32): bool {
  const first = address >> 24;
  return first != 0 && first != 127 && address < FIRST_MULTICAST;
}

/**
 * Whether a frame is what nearly all are: a whole TCP or UDP segment in one IPv4 packet without options, which
 * stage/parse.ts would pass. Anything else is left to it.
 */
export function isPlain(frame: usize, length: u32): bool {
  if (length < ETH_LEN + IP4_LEN + UDP_LEN || (load<u32>(frame, ETH_TYPE) & PLAIN_MASK) != PLAIN)
    return false;
  const ip = frame + ETH_LEN;
  const total = load16(ip + IP4_TOTAL_LENGTH);
  if (total < IP4_LEN || total > length - ETH_LEN || fold(sumPlain(ip)) != 0xffff) return false;
  if ((load<u16>(ip, IP4_FRAGMENT) & FRAGMENT) != 0) return false;
  if (!isUnicast(load32(ip + IP4_SRC)) || !isUnicast(load32(ip + IP4_DST))) return false;
  const protocol: u32 = load<u8>(ip, IP4_PROTOCOL);
  if (protocol == PROTO_TCP) return Tcp.at(ip + IP4_LEN).isValid(total - IP4_LEN);
  return protocol == PROTO_UDP && Udp.at(ip + IP4_LEN).isValid(total - IP4_LEN);
}

/** A checksum after words changed, all as they lie in memory (RFC 1624 §3, eqn. 3): ~(~HC + ~m + m'). */
function patched(checksum: u32, change: u64): u32 {
  const kept = ~checksum & 0xffff;
  return ~fold(change + kept) & 0xffff;
}

/** Gives a plain packet another destination, and patches both checksums; a UDP checksum of 0 stays. */
function redirect(ip: usize, address: u32, port: u32): void {
  const segment = ip + IP4_LEN;
  const isUdp = load<u8>(ip, IP4_PROTOCOL) == PROTO_UDP;
  const newDst = bswap<u32>(address);
  const newPort: u32 = bswap<u16>(<u16>port);
  const oldDst = ~load<u32>(ip, IP4_DST);
  const oldPort = ~(<u32>load<u16>(segment, UDP_DST)) & 0xffff;
  const moved = <u64>oldDst + newDst;
  store<u16>(ip, patched(load<u16>(ip, IP4_CHECKSUM), moved), IP4_CHECKSUM);
  store<u32>(ip, newDst, IP4_DST);
  store<u16>(segment, newPort, UDP_DST);
  const at = segment + (isUdp ? UDP_CHECKSUM : TCP_CHECKSUM);
  const old: u32 = load<u16>(at);
  if (isUdp && old == 0) return;
  const checksum = patched(old, moved + oldPort + newPort);
  store<u16>(at, isUdp && checksum == 0 ? 0xffff : checksum);
}

/**
 * Sends a plain frame to the real server that its 5-tuple chooses among the `size` slots of a ring; false, with the
 * frame untouched, where none takes it.
 */
export function balance(image: Image, ring: usize, size: u32, frame: usize): bool {
  const ip = frame + ETH_LEN;
  const ports = load32(ip + IP4_LEN);
  const protocol: u32 = load<u8>(ip, IP4_PROTOCOL);
  const slot = slotOfTuple(load32(ip + IP4_SRC), load32(ip + IP4_DST), ports, protocol, size);
  const real = slotReal(image, ring, slot);
  if (real == REAL_NONE) return false;
  const server = realOf(image, ring, real);
  redirect(ip, load<u32>(server, REAL_ADDRESS), load<u32>(server, REAL_PORT));
  return true;
}

/** The same for a parsed packet, whose new destination is then to be written. */
export function balanceParsed(packet: Packet, ring: usize): bool {
  if (packet.protocol != PROTO_TCP && packet.protocol != PROTO_UDP) return packet.punt(DROP_PROTOCOL);
  const size = load<u32>(ring, RING_SIZE);
  const slot = slotOfTuple(packet.src, packet.dst, packet.ports, packet.protocol, size);
  const real = slotReal(packet.image, ring, slot);
  if (real == REAL_NONE) return packet.reject(DROP_NO_DESTINATION);
  const server = realOf(packet.image, ring, real);
  packet.dst = load<u32>(server, REAL_ADDRESS);
  packet.ports = (packet.ports & 0xffff0000) | load<u32>(server, REAL_PORT);
  return true;
}
