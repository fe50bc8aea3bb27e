import {
  CTSTATE_UNTRACKED,
  MATCH_BRIDGED,
  MATCH_CTSTATE,
  MATCH_DST,
  MATCH_DST6,
  MATCH_IN,
  MATCH_INVERT,
  MATCH_LEN,
  MATCH_LOCAL,
  MATCH_MARK,
  MATCH_MORE_SHIFT,
  MATCH_OUT,
  MATCH_PORTS,
  MATCH_SET,
  MATCH_SPORT,
  MATCH_SRC,
  MATCH_SRC6,
  MATCH_STATISTIC,
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
import { PROTO_SCTP, PROTO_TCP, PROTO_UDP } from "../../abi/wire";
import { Packet } from "../../packet";
import { draw } from "../../random";
import { HOP_OUT } from "../nexthop/layout";
import { isBridged, isSideLocal, isWithin4, isWithin6 } from "./address";
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

function holds(packet: Packet, match: usize): bool {
  const a = load<u32>(match, 4);
  switch (load<u32>(match) & 0xff) {
    case MATCH_STATISTIC:
      return (draw(packet.state) & 0x7fffffff) < a;
    case MATCH_MARK:
      return (packet.mark & load<u32>(match, 8)) == a;
    case MATCH_LOCAL:
      return isSideLocal(packet, a != 0);
    case MATCH_SET:
      return findByKey(packet, a, load<u32>(match, 8)) != 0;
    case MATCH_IN:
      return packet.in == a;
    case MATCH_OUT:
      return packet.hopAddress != 0 && load<u32>(packet.hopAddress, HOP_OUT) == a;
    case MATCH_SPORT:
      return packet.srcPort - a <= load<u32>(match, 8) - a;
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
    default:
      return false;
  }
}

/** ctstate stands in nearly every base chain: it is asked without the switch. */
function ctstateHolds(packet: Packet, states: u32): bool {
  return ((packet.ctstate == 0 ? CTSTATE_UNTRACKED : packet.ctstate) & states) != 0;
}

/** Whether all of a rule's further matches, which take so many slots, hold: asked in their order. */
export function matchesHold(packet: Packet, matches: usize, slots: u32): bool {
  const end = matches + slots * MATCH_LEN;
  let match = matches;
  while (match != end) {
    const word = load<u32>(match);
    const isCtstate = (word & 0xff) == MATCH_CTSTATE;
    const hit = isCtstate ? ctstateHolds(packet, load<u32>(match, 4)) : holds(packet, match);
    if (hit == ((word & MATCH_INVERT) != 0)) return false;
    match += MATCH_LEN + (word >> MATCH_MORE_SHIFT) * MATCH_LEN;
  }
  return true;
}
