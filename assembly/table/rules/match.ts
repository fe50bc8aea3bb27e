import {
  CTSTATE_INVALID,
  MATCH_ADDRESS_TYPE,
  MATCH_BITS,
  MATCH_BRIDGED,
  MATCH_CLIENT,
  MATCH_CTSTATE,
  MATCH_DST,
  MATCH_DST6,
  MATCH_IN,
  MATCH_IN_LIST,
  MATCH_INVERT,
  MATCH_LEN,
  MATCH_LOCAL,
  MATCH_MAC,
  MATCH_MARK,
  MATCH_MORE_SHIFT,
  MATCH_NOTE,
  MATCH_OUT,
  MATCH_OUT_LIST,
  MATCH_PORT_LIST,
  MATCH_PORTS,
  MATCH_RANGE6,
  MATCH_RECENT,
  MATCH_RPFILTER,
  MATCH_SET,
  MATCH_SPORT,
  MATCH_SRC,
  MATCH_SRC6,
  MATCH_STATISTIC,
  MATCH_UNDECIDED,
  MATCH_WITHIN,
  RULE_DPORT_FROM,
  RULE_DPORT_TO,
  RULE_DST,
  RULE_DST_MASK,
  RULE_FLAG_NOT_DPORT,
  RULE_FLAG_NOT_DST,
  RULE_FLAG_NOT_PROTOCOL,
  RULE_FLAG_NOT_SRC,
  RULE_FLAGS,
  RULE_PROTOCOL,
  RULE_SRC,
  RULE_SRC_MASK,
} from "../../abi/entry";
import { INTERFACE_NODE } from "../../abi/packet";
import { UNDECIDED_ALWAYS, UNDECIDED_NODE } from "../../abi/rule";
import { DROP_UNDECIDED } from "../../abi/verdict";
import { ETH_SRC, PROTO_SCTP, PROTO_TCP, PROTO_UDP } from "../../abi/wire";
import { load16, load32 } from "../../bytes";
import { Packet } from "../../packet";
import { chance } from "../../random";
import { hasType, isBridged, isFromThere, isSideLocal } from "./address";
import { isClient, isNoted, isRecent } from "./clients";
import { fieldOf, NO_FIELD } from "./field";
import { isLoopbackIn, isLoopbackOut, outOf } from "./interface";
import { isBetween6, isListed, isPortListed, isWithin4, isWithin6 } from "./lists";
import { findByKey } from "./sets";

/**
 * The fields every rule has. The destination first and alone, since nearly all rules of a long chain end there;
 * of the others a bit for each that differs, computed without branches: a rule matches when just the negated ones
 * differ. Of an IPv6 address it is the last word: MATCH_SRC6 and MATCH_DST6 ask for the rest.
 */
export function fieldsMatch(rule: usize, src: u32, dst: u32, protocol: u32, port: u32): bool {
  const flags = <u32>load<u8>(rule, RULE_FLAGS);
  const dstDiffers = u32((dst & load<u32>(rule, RULE_DST_MASK)) != load<u32>(rule, RULE_DST));
  if (dstDiffers * RULE_FLAG_NOT_DST != (flags & RULE_FLAG_NOT_DST)) return false;
  const from = <u32>load<u16>(rule, RULE_DPORT_FROM);
  const ruleProtocol = <u32>load<u8>(rule, RULE_PROTOCOL);
  const differs =
    (u32((src & load<u32>(rule, RULE_SRC_MASK)) != load<u32>(rule, RULE_SRC)) * RULE_FLAG_NOT_SRC) |
    ((u32(ruleProtocol != 0) & u32(ruleProtocol != protocol)) * RULE_FLAG_NOT_PROTOCOL) |
    (u32(port - from > <u32>load<u16>(rule, RULE_DPORT_TO) - from) * RULE_FLAG_NOT_DPORT);
  return differs == (flags & ~RULE_FLAG_NOT_DST);
}

function hasPorts(protocol: u32): bool {
  return protocol == PROTO_TCP || protocol == PROTO_UDP || protocol == PROTO_SCTP;
}

function isMac(packet: Packet, first: u32, last: u32): bool {
  const src = packet.frame + ETH_SRC;
  return load32(src) == first && load16(src + 4) == last;
}

/** The answer to what may be otherwise with the next packet of the same connection. */
function alone(packet: Packet, hit: bool): bool {
  packet.isAlone = 1;
  return hit;
}

/** MATCH_BITS and MATCH_WITHIN. A packet without that field does not match, whatever the rule negates. */
function fieldHolds(packet: Packet, match: usize, isRange: bool): bool {
  const field = fieldOf(packet, load<u32>(match, 4));
  if (field == NO_FIELD) return (load<u32>(match) & MATCH_INVERT) != 0;
  const a = load<u32>(match, 8);
  const b = load<u32>(match, 12);
  return isRange ? <u32>field - a <= b - a : (<u32>field & b) == a;
}

/** Whether a match says nothing of this packet that is known. */
function isUnknown(packet: Packet, match: usize): bool {
  const code = load<u32>(match, 4);
  if (code == UNDECIDED_ALWAYS) return true;
  return code == UNDECIDED_NODE ? packet.in == INTERFACE_NODE : isBridged(packet);
}

function holds(packet: Packet, match: usize): bool {
  const a = load<u32>(match, 4);
  const b = load<u32>(match, 8);
  switch (load<u32>(match) & 0xff) {
    case MATCH_STATISTIC:
      return alone(packet, chance(packet, a));
    case MATCH_MARK:
      return (packet.mark & b) == a;
    case MATCH_LOCAL:
      return isSideLocal(packet, a != 0);
    case MATCH_SET:
      return findByKey(packet, a, b) != 0;
    case MATCH_IN:
      return isLoopbackIn(packet) ? b != 0 : packet.in == a;
    case MATCH_OUT:
      return isLoopbackOut(packet) ? b != 0 : outOf(packet) == a;
    case MATCH_IN_LIST:
      return isLoopbackIn(packet) ? b != 0 : isListed(match, packet.in);
    case MATCH_OUT_LIST:
      return isLoopbackOut(packet) ? b != 0 : isListed(match, outOf(packet));
    case MATCH_SPORT:
      return packet.srcPort - a <= b - a;
    case MATCH_BRIDGED:
      return isBridged(packet);
    case MATCH_PORTS:
      return hasPorts(packet.protocol);
    case MATCH_SRC:
      return isWithin4(match, packet.src);
    case MATCH_DST:
      return isWithin4(match, packet.dst);
    case MATCH_SRC6:
      return isWithin6(match, packet.src6);
    case MATCH_DST6:
      return isWithin6(match, packet.dst6);
    case MATCH_RANGE6:
      return isBetween6(packet, match);
    case MATCH_BITS:
      return alone(packet, fieldHolds(packet, match, false));
    case MATCH_WITHIN:
      return alone(packet, fieldHolds(packet, match, true));
    case MATCH_PORT_LIST:
      return isPortListed(packet, match);
    case MATCH_MAC:
      return alone(packet, isMac(packet, a, b));
    case MATCH_ADDRESS_TYPE:
      return hasType(packet, a, b, load<u32>(match, 12));
    case MATCH_RECENT:
      return alone(packet, isRecent(packet, match));
    case MATCH_CLIENT:
      return alone(packet, isClient(packet, a, b, load<u32>(match, 12)));
    case MATCH_NOTE:
      return alone(packet, isNoted(packet, match));
    case MATCH_RPFILTER:
      return isFromThere(packet, a);
    default:
      return false;
  }
}

/** ctstate stands in nearly every base chain: it is asked without the switch. Before conntrack there is none. */
function ctstateHolds(packet: Packet, states: u32): bool {
  return ((packet.ctstate == 0 ? CTSTATE_INVALID : packet.ctstate) & states) != 0;
}

/**
 * Whether all of a rule's further matches, which take so many slots, hold: asked in their order. Where one cannot be
 * told the packet is punted, and that is all that is known.
 */
export function matchesHold(packet: Packet, matches: usize, slots: u32): bool {
  const end = matches + slots * MATCH_LEN;
  let match = matches;
  while (match != end) {
    const word = load<u32>(match);
    const kind = word & 0xff;
    let hit: bool;
    if (kind == MATCH_CTSTATE) hit = ctstateHolds(packet, load<u32>(match, 4));
    else if (kind != MATCH_UNDECIDED) hit = holds(packet, match);
    else if (isUnknown(packet, match)) return !packet.punt(DROP_UNDECIDED);
    else hit = load<u32>(match, 8) != 0;
    if (kind == MATCH_RECENT && !packet.isUndecided) return true;
    if (hit == ((word & MATCH_INVERT) != 0)) return false;
    match += MATCH_LEN + (word >> MATCH_MORE_SHIFT) * MATCH_LEN;
  }
  return true;
}
