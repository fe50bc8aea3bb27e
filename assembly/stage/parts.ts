import { NEXT_HOP_KIND_LOCAL } from "../abi/entry";
import {
  INTERFACE_NODE,
  PARTS_COUNT,
  PARTS_FLAG_DF,
  PARTS_FLAG_OPTIONS,
  PARTS_FLAGS,
  PARTS_HEADER,
  PARTS_ID,
  PARTS_IP,
  PARTS_LENGTHS,
} from "../abi/packet";
import { DROP_NEEDS_FRAGMENTING } from "../abi/verdict";
import {
  ETH_LEN,
  FRAGMENT_LEN,
  IP_MAX_LENGTH,
  IP6_MIN_MTU,
  PROTO_SCTP,
  PROTO_TCP,
  SCTP_LEN,
  TCP_LEN,
} from "../abi/wire";
import { Packet } from "../packet";
import { draw } from "../random";
import { State } from "../state";
import { fragmentsPass } from "../table/fragments/build";
import { hasRoomBehind, placeBehind, REACH } from "../table/fragments/parts";
import { HOP_MTU } from "../table/nexthop/layout";
import { isSwitched } from "../table/nexthop/lookup";
import { dstStays, srcStays } from "../track/tuple";
import { repeatedLength } from "../wire/fragment6";
import { Ip4, nextId } from "../wire/ip4";

/** What is for the node itself goes by the loopback interface, which takes all there is. */
function mtuOf(packet: Packet): u32 {
  if (packet.hopKind == NEXT_HOP_KIND_LOCAL) return IP_MAX_LENGTH;
  return load<u16>(packet.hopAddress, HOP_MTU);
}

/**
 * Whether a packet leaves in fragments: what is longer than its way takes; an IPv4 datagram that came in some, and an IPv6
 * one that is longer than each of them was (__ip_finish_output, __ip6_finish_output).
 */
function isCut(packet: Packet): bool {
  const length = packet.ipLength;
  if (length > mtuOf(packet)) return true;
  return packet.largest != 0 && (packet.family != 6 || length > packet.largest);
}

/** Octets of the headers that each fragment has, without IPv6's fragment header. */
function headerOf(packet: Packet): u32 {
  if (packet.family != 6) return Ip4.at(packet.ip).headerLength;
  return repeatedLength(packet.ip, packet.ip + packet.ipLength);
}

/** Octets of data that the largest fragment may have, behind headers of so many: no fragment is larger than those that came. */
function roomOf(packet: Packet, header: u32): u32 {
  const mtu = mtuOf(packet);
  const largest = packet.largest;
  const is6 = packet.family == 6;
  const limit = is6 ? max<u32>(largest, IP6_MIN_MTU) : largest != 0 ? min<u32>(largest, mtu) : mtu;
  const headers = header + (is6 ? FRAGMENT_LEN : 0);
  return limit - min<u32>(limit, headers);
}

/** How many fragments of at most `room` octets, all but the last of a multiple of 8, so many octets come to; 0: no number is enough. */
function countOf(octets: u32, room: u32): u32 {
  const step = room & ~7;
  if (octets <= room) return 1;
  return step == 0 ? 0 : 1 + (octets - room + step - 1) / step;
}

/** There is room to say in which fragments the packet leaves, if in any. */
export function checkParts(packet: Packet): bool {
  if (!isCut(packet)) return true;
  const header = headerOf(packet);
  const count = countOf(packet.ipLength - header, roomOf(packet, header));
  const fits = count != 0 && hasRoomBehind(packet, packet.ip + packet.ipLength, count);
  return fits || packet.punt(DROP_NEEDS_FRAGMENTING);
}

/** Whether the node looked for a socket of its own before it routed the packet (tcp_v4_early_demux). */
function wasReceived(packet: Packet): bool {
  return packet.family != 6 && packet.in != INTERFACE_NODE && !isSwitched(packet);
}

/**
 * Octets of a transport header that a kernel has in one piece: TCP's of what it has received, and those of what it has
 * translated (nf_nat_l4proto_manip_pkt). IPv6 takes no first fragment that ends before them.
 */
function heldTogether(packet: Packet): u32 {
  const isTcp = packet.protocol == PROTO_TCP;
  if (isTcp && wasReceived(packet)) return TCP_LEN;
  if (dstStays(packet) && srcStays(packet)) return 0;
  if (isTcp) return TCP_LEN;
  return packet.protocol == PROTO_SCTP ? SCTP_LEN : 0;
}

/** A tunnel's headers stand before it. */
function isEnclosed(packet: Packet): bool {
  return packet.ip - packet.frame > ETH_LEN;
}

/** The node's own programs leave room for the headers of the way that they send by. */
function isMadeForTunnel(packet: Packet): bool {
  return packet.in == INTERFACE_NODE && dstStays(packet);
}

/**
 * Whether the packet leaves in the fragments that it came in (ip_do_fragment's and ip6_fragment's fast path): each fits, has
 * room for the first one's headers before it, and for a tunnel's that are to stand there too. Of `lengths`, where those of
 * the fragments stand, the first becomes what is behind the headers that are repeated.
 */
function isKept(packet: Packet, header: u32, room: u32): bool {
  const at = packet.parts;
  if (at == 0 || (isEnclosed(packet) && !isMadeForTunnel(packet)) || load<u32>(at, REACH) < header)
    return false;
  const lengths = at + PARTS_LENGTHS;
  let rest = packet.ipLength - header;
  for (let i: u32 = 1; i < load<u16>(at, PARTS_COUNT); i++) {
    const length: u32 = load<u16>(lengths + 2 * i);
    if (length > room) return false;
    rest -= length;
  }
  if (rest > room || (rest & 7) != 0) return false;
  if (header + rest < packet.transport - packet.ip + heldTogether(packet)) return false;
  store<u16>(lengths, <u16>rest);
  return true;
}

/** Lays fragments of at most `room` octets out. */
function layOut(packet: Packet, at: u32, header: u32, room: u32): void {
  let rest = packet.ipLength - header;
  let count: u32 = 0;
  while (rest != 0) {
    const length = rest <= room ? rest : room & ~7;
    store<u16>(at + PARTS_LENGTHS + 2 * count++, <u16>length);
    rest -= length;
  }
  store<u16>(at, <u16>count, PARTS_COUNT);
}

/** IPv4's fragments that are copies have the datagram's DF; the options of what the node's own programs wrote are not read. */
function flagsOf(packet: Packet, kept: bool): u32 {
  if (packet.family == 6) return 0;
  const whole = !kept && Ip4.at(packet.ip).dontFragment ? PARTS_FLAG_DF : 0;
  return packet.in == INTERFACE_NODE ? whole | PARTS_FLAG_OPTIONS : whole;
}

/** An identification for fragments of IPv6: any but 0 (__ipv6_select_ident). */
function drawId(state: State): u32 {
  const id = draw(state);
  return id == 0 ? 1 : id;
}

/** Says behind a packet that is about to leave in which fragments it does so, if in any (`checkParts` came before). */
export function cut(packet: Packet): void {
  if (!isCut(packet)) {
    packet.parts = 0;
    return;
  }
  const header = headerOf(packet);
  const room = roomOf(packet, header);
  const kept = isKept(packet, header, room);
  const at = placeBehind(packet, packet.ip + packet.ipLength);
  if (!kept) layOut(packet, at, header, room);
  store<u32>(at, packet.family == 6 ? drawId(packet.state) : 0, PARTS_ID);
  store<u16>(at, <u16>(packet.ip - packet.frame), PARTS_IP);
  store<u16>(at, <u16>header, PARTS_HEADER);
  store<u16>(at, <u16>flagsOf(packet, kept), PARTS_FLAGS);
  packet.parts = at;
  // Of a tunnel's packets each has an identification.
  if (!isEnclosed(packet)) return;
  for (let i: u32 = 1; i < load<u16>(at, PARTS_COUNT); i++)
    packet.state.outerId = nextId(packet.state.outerId);
}

/**
 * What came in fragments goes through the loopback interface in such. IPv4's are put together again: they lose their DF if they
 * are those that came (ip_fraglist_init), and are fragments of their source once more to those that still wait. IPv6's go by
 * the rules one by one (ipv6_defrag knows what conntrack has seen): true for these.
 */
export function loopParts(packet: Packet): bool {
  if (packet.largest == 0) return false;
  if (packet.family == 6) return isCut(packet);
  const ip = Ip4.at(packet.ip);
  const header = headerOf(packet);
  const room = roomOf(packet, header);
  const kept = isKept(packet, header, room);
  const count: u32 = kept ? load<u16>(packet.parts, PARTS_COUNT) : countOf(packet.ipLength - header, room);
  fragmentsPass(packet.state, packet.src6, count);
  if (kept && ip.dontFragment) ip.clearFlags();
  return false;
}
