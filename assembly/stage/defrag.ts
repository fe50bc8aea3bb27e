import { BATCH_HEADER_LEN, INTERFACE_NODE, SLOT_HEADROOM } from "../abi/packet";
import { SETTING_FRAG6_TIMEOUT, SETTING_IPFRAG_MAX_DIST, SETTING_IPFRAG_TIME } from "../abi/setting";
import { EVENT_FRAGMENT, EVENT_WHOLE } from "../abi/trace";
import {
  DROP_DATAGRAM_TOO_LONG,
  DROP_FRAGMENT,
  DROP_FRAGMENT_CONFLICT,
  DROP_FRAGMENT_OVERLAP,
  DROP_FRAGMENT_REPEATED,
  DROP_FRAGMENTS_FULL,
  DROP_NONE,
  DROP_TRUNCATED,
  VERDICT_HOLD,
  VERDICT_NONE,
  VERDICT_PUNT,
} from "../abi/verdict";
import {
  ETH_LEN,
  FRAGMENT_LEN,
  IP_MAX_LENGTH,
  IP4_FLAG_DF,
  IP4_FRAGMENT,
  IP4_TOS,
  IP4_TOTAL_LENGTH,
  IP6_LEN,
  IP6_PAYLOAD_LENGTH,
} from "../abi/wire";
import { store16 } from "../bytes";
import { Packet } from "../packet";
import {
  datagramEmpty,
  datagramFind,
  datagramForget,
  fragmentHasRoom,
  fragmentInsert,
} from "../table/fragments/build";
import { DATAGRAM_FIRST, DATAGRAM_LAST, Datagram, Store } from "../table/fragments/layout";
import { copyDatagram, PLACE_OVERLAPS, PLACE_TAKEN, placeOf } from "../table/fragments/lookup";
import { hasRoomBehind, noteParts } from "../table/fragments/parts";
import { record, recordEnds } from "../trace";
import { ECN_DROP, ECN_MASK, joinedEcn } from "../wire/ecn";
import { Fragment6, isHeadCut, nextFieldOf } from "../wire/fragment6";
import { tosOf } from "../wire/ip";
import { Ip4 } from "../wire/ip4";
import { Ip6 } from "../wire/ip6";

/** Bits of a datagram's kind behind its family and protocol. */
const KIND_PROTOCOL: u32 = 8;
/** The node made it: netfilter keeps what leaves apart from what comes in. */
const KIND_OWN: u32 = 1 << 16;
const MS_PER_S: u64 = 1000;
/** A datagram that is wrong is forgotten with all its fragments, or the fragment alone. */
const WITH_ALL: bool = true;
const ALONE: bool = false;

/** What `parse` leaves alone. */
export function isFragment(packet: Packet): bool {
  return packet.verdict == VERDICT_PUNT && packet.reason == DROP_FRAGMENT;
}

/**
 * Takes a fragment in, as nf_defrag_ipv4 and nf_defrag_ipv6 do before connection tracking. True: it is to be parsed again,
 * since its datagram stands in the slot now, or it goes on as it is. Else it has a verdict: HOLD while others are missing.
 */
export function gather(packet: Packet): bool {
  if (packet.state.fragmentsAt == 0) return false;
  packet.decide(VERDICT_NONE, DROP_NONE);
  return packet.family == 6 ? gather6(packet) : gather4(packet);
}

function loosen(packet: Packet): bool {
  packet.isLoose = 1;
  return true;
}

function waitOf(packet: Packet): u64 {
  const code = packet.family == 6 ? SETTING_FRAG6_TIMEOUT : SETTING_IPFRAG_TIME;
  return MS_PER_S * packet.image.setting(code);
}

/** The datagram that a fragment is of; 0, with a verdict, where there is no room for it. */
function find(packet: Packet, protocol: u32, id: u32): u32 {
  const octets = packet.transport + packet.segment - packet.frame;
  if (!fragmentHasRoom(packet.state, octets)) {
    packet.drop(DROP_FRAGMENTS_FULL);
    return 0;
  }
  const own = packet.in == INTERFACE_NODE ? KIND_OWN : 0;
  const kind = packet.family | (protocol << KIND_PROTOCOL) | own;
  return datagramFind(packet.state, kind, id, packet.src6, packet.dst6, waitOf(packet));
}

function refuse(packet: Packet, number: u32, reason: u32, withAll: bool): bool {
  if (withAll) datagramForget(packet.state, number);
  return packet.drop(reason);
}

function tell(packet: Packet, offset: u32, more: bool, id: u32): void {
  const octets = packet.segment | (u32(more) << 31);
  recordEnds(packet, EVENT_FRAGMENT, packet.src, packet.dst, offset, octets, id, packet.src6, packet.dst6);
}

/** A source that sent too many others since the last fragment of a datagram has begun it anew (ip_frag_too_far). */
function forgetFar(packet: Packet, datagram: Datagram): void {
  const most = packet.image.setting(SETTING_IPFRAG_MAX_DIST);
  if (most != 0 && datagram.count != 0 && datagram.distance > most) {
    datagramEmpty(Store.of(packet.state), datagram);
    datagram.expires = packet.state.now + waitOf(packet);
  }
  datagram.distance = 0;
}

/** Takes in where a fragment ends; false where that contradicts what is known of the datagram's end. */
function reaches(datagram: Datagram, end: u32, more: bool): bool {
  const isEndKnown = (datagram.flags & DATAGRAM_LAST) != 0;
  if (more) {
    if (end <= datagram.length) return true;
    if (isEndKnown) return false;
  } else {
    if (end < datagram.length || (isEndKnown && end != datagram.length)) return false;
    datagram.flags |= DATAGRAM_LAST;
  }
  datagram.length = end;
  return true;
}

/** Octets before the packet where it came in: a tunnel's, taken off. */
function takenOff(packet: Packet): u32 {
  const arrived = packet.batch + load<u32>(packet.batch + BATCH_HEADER_LEN + (packet.index << 2));
  return packet.frame - min<u32>(packet.frame, arrived);
}

/**
 * Keeps a fragment's data, at packet.transport, which goes from `offset` to `end`, if it has a place there. `size` is that of
 * its IP packet, `whole` whether that has DF.
 */
function keep(packet: Packet, number: u32, offset: u32, end: u32, size: u32, whole: bool): bool {
  const kept = Store.of(packet.state);
  const datagram = kept.datagram(number);
  const before = placeOf(kept, datagram, offset, end);
  if (before == PLACE_TAKEN) return packet.drop(DROP_FRAGMENT_REPEATED);
  if (before == PLACE_OVERLAPS) return refuse(packet, number, DROP_FRAGMENT_OVERLAP, WITH_ALL);
  const head = offset == 0 ? packet.transport - packet.frame : 0;
  const fragment = fragmentInsert(kept, datagram, before, offset, end - offset, packet.transport, head);
  fragment.reach = packet.transport - packet.ip + takenOff(packet);
  datagram.ecn |= 1 << (tosOf(packet.ip) & ECN_MASK);
  datagram.largest = max<u32>(datagram.largest, size);
  if (whole) datagram.largestWhole = max<u32>(datagram.largestWhole, size);
  if (offset == 0) {
    datagram.flags |= DATAGRAM_FIRST;
    datagram.head = head;
  }
  const isComplete = datagram.flags == (DATAGRAM_FIRST | DATAGRAM_LAST) && datagram.here == datagram.length;
  return isComplete ? assemble(packet, number) : packet.decide(VERDICT_HOLD, DROP_FRAGMENT);
}

function gather4(packet: Packet): bool {
  const ip = Ip4.at(packet.ip);
  const header = ip.headerLength;
  const offset = ip.fragmentOffset << 3;
  const more = ip.moreFragments;
  packet.transport = packet.ip + header;
  packet.segment = ip.totalLength - header;
  if (TRACE) tell(packet, offset, more, ip.id);
  const number = find(packet, ip.protocol, ip.id);
  if (number == 0) return false;
  const datagram = Store.of(packet.state).datagram(number);
  forgetFar(packet, datagram);
  const end = more ? (offset + packet.segment) & ~7 : offset + packet.segment;
  if (!reaches(datagram, end, more) || end == offset)
    return refuse(packet, number, DROP_FRAGMENT_CONFLICT, WITH_ALL);
  return keep(packet, number, offset, end, end - offset + header, ip.dontFragment);
}

/** Its fragment header is where `parse` came to, at packet.transport. */
function gather6(packet: Packet): bool {
  const ip = Ip6.at(packet.ip);
  const header = Fragment6.at(packet.transport);
  if (ip.payloadLength == 0 || isHeadCut(packet.transport, packet.segment)) return loosen(packet);
  if (packet.segment < FRAGMENT_LEN) return packet.drop(DROP_TRUNCATED);
  const offset = header.offset;
  const more = header.moreFragments;
  packet.transport += FRAGMENT_LEN;
  packet.segment -= FRAGMENT_LEN;
  if (TRACE) tell(packet, offset, more, header.id);
  const number = find(packet, 0, header.id);
  if (number == 0) return false;
  const datagram = Store.of(packet.state).datagram(number);
  const end = offset + packet.segment;
  if (end > IP_MAX_LENGTH) return refuse(packet, number, DROP_FRAGMENT_CONFLICT, ALONE);
  if (more && (end & 7) != 0) {
    datagramForget(packet.state, number);
    return loosen(packet);
  }
  if (!reaches(datagram, end, more) || end == offset)
    return refuse(packet, number, DROP_FRAGMENT_CONFLICT, ALONE);
  if (offset == 0) datagram.nextAt = nextFieldOf(packet.ip, packet.transport - FRAGMENT_LEN);
  return keep(packet, number, offset, end, IP6_LEN + ip.payloadLength, false);
}

/** Puts a complete datagram into the slot, in the place of its last fragment. */
function assemble(packet: Packet, number: u32): bool {
  const kept = Store.of(packet.state);
  const datagram = kept.datagram(number);
  const ecn = joinedEcn(datagram.ecn);
  const fragmentHeader = packet.family == 6 ? FRAGMENT_LEN : 0;
  const length = datagram.head - fragmentHeader + datagram.length;
  const counted = length - ETH_LEN - (packet.family == 6 ? IP6_LEN : 0);
  if (ecn == ECN_DROP || counted > IP_MAX_LENGTH)
    return refuse(packet, number, DROP_FRAGMENT_CONFLICT, WITH_ALL);
  const frame = packet.slot + SLOT_HEADROOM;
  if (!hasRoomBehind(packet, frame + length, datagram.count)) {
    datagramForget(packet.state, number);
    return packet.punt(DROP_DATAGRAM_TOO_LONG);
  }
  copyDatagram(kept, datagram, frame - fragmentHeader);
  packet.frame = frame;
  packet.length = length;
  packet.ip = frame + ETH_LEN;
  if (packet.family == 6) mend6(packet, datagram, ecn);
  else mend4(packet, datagram, ecn);
  noteParts(packet, kept, datagram);
  if (TRACE) record(packet, EVENT_WHOLE, length, datagram.count, 0, 0, 0);
  datagramForget(packet.state, number);
  return true;
}

/** The first fragment's header becomes the datagram's, which has DF if the largest of its fragments had it (ip_frag_reasm). */
function mend4(packet: Packet, datagram: Datagram, ecn: u32): void {
  const ip = Ip4.at(packet.ip);
  store16(packet.ip + IP4_TOTAL_LENGTH, packet.length - ETH_LEN);
  store16(packet.ip + IP4_FRAGMENT, datagram.largest == datagram.largestWhole ? IP4_FLAG_DF : 0);
  store<u8>(packet.ip, ip.tos | ecn, IP4_TOS);
  ip.seal();
}

/** The same of IPv6, whose fragment header, which is before the frame's data, goes (nf_ct_frag6_reasm). */
function mend6(packet: Packet, datagram: Datagram, ecn: u32): void {
  const head = datagram.head - FRAGMENT_LEN;
  const next = load<u8>(packet.frame - FRAGMENT_LEN + head);
  memory.copy(packet.frame, packet.frame - FRAGMENT_LEN, head);
  store<u8>(packet.ip + datagram.nextAt, next);
  const ip = Ip6.at(packet.ip);
  store16(packet.ip + IP6_PAYLOAD_LENGTH, packet.length - ETH_LEN - IP6_LEN);
  ip.trafficClass |= ecn;
}
