import {
  CTSTATE_UNTRACKED,
  EXACT_TABLES_MAX,
  KEY_DST,
  KEY_DST_PROTO_DPORT,
  KEY_DST_PROTO_DPORT_SRC,
  KEY_PROTO_DPORT,
  KEY_SRC,
  MATCH_BRIDGED,
  MATCH_CTSTATE,
  MATCH_DST,
  MATCH_IN,
  MATCH_INVERT,
  MATCH_LEN,
  MATCH_LOCAL,
  MATCH_MARK,
  MATCH_OUT,
  MATCH_PORTS,
  MATCH_SET,
  MATCH_SPORT,
  MATCH_SRC,
  MATCH_STATISTIC,
  NEXT_HOP_FLAG_BRIDGE,
  NEXT_HOP_KIND_LOCAL,
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
import { EXACT_DIRECTORY_AT, Image } from "../../image";
import { Packet } from "../../packet";
import { draw } from "../../random";
import { exactFind } from "../exact/lookup";
import { fib4NextHop } from "../fib4/layout";
import { fib4Lookup } from "../fib4/lookup";
import { HOP_FLAGS, HOP_KIND, HOP_OUT } from "../nexthop/layout";
import { nextHopAt } from "../nexthop/lookup";

/**
 * The fields every rule has. The destination first and alone, since nearly all rules of a long chain end there;
 * of the others a bit for each that differs, computed without branches: a rule matches when just the negated ones
 * differ.
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

/** Whether an address is one of the node's own. */
export function isLocal(image: Image, address: u32): bool {
  const leaf = fib4Lookup(image, address);
  return leaf != 0 && load<u16>(nextHopAt(image, fib4NextHop(leaf)), HOP_KIND) == NEXT_HOP_KIND_LOCAL;
}

/** The value of the packet's key in an exact table; 0 where there is none, or no such table. */
export function findByKey(packet: Packet, table: u32, key: u32): u32 {
  const image = packet.image;
  const head = load<u32>(image.to(EXACT_DIRECTORY_AT + (table & (EXACT_TABLES_MAX - 1)) * 4));
  packet.walked++;
  if (head == 0) return 0;
  const port = (packet.protocol << 16) | packet.dstPort;
  if (key == KEY_DST_PROTO_DPORT) return exactFind(image, head, packet.dst, port);
  if (key == KEY_PROTO_DPORT) return exactFind(image, head, 0, port);
  if (key == KEY_DST) return exactFind(image, head, packet.dst, 0);
  if (key == KEY_SRC) return exactFind(image, head, packet.src, 0);
  if (key == KEY_DST_PROTO_DPORT_SRC)
    return packet.src == packet.dst ? exactFind(image, head, packet.dst, port) : 0;
  return exactFind(image, head, packet.src, (packet.protocol << 16) | packet.srcPort);
}

function hasPorts(protocol: u32): bool {
  return protocol == PROTO_TCP || protocol == PROTO_UDP || protocol == PROTO_SCTP;
}

/** The bridge that the packet came in by: its interface has bridged next hops. */
function isBridged(packet: Packet): bool {
  const leaf = fib4Lookup(packet.image, packet.frameSrc);
  if (leaf == 0) return false;
  const hop = nextHopAt(packet.image, fib4NextHop(leaf));
  return (<u32>load<u16>(hop, HOP_FLAGS) & NEXT_HOP_FLAG_BRIDGE) != 0 && load<u32>(hop, HOP_OUT) == packet.in;
}

function holds(packet: Packet, match: usize): bool {
  const a = load<u32>(match, 4);
  switch (load<u32>(match) & 0xff) {
    case MATCH_STATISTIC:
      return (draw(packet.state) & 0x7fffffff) < a;
    case MATCH_MARK:
      return (packet.mark & load<u32>(match, 8)) == a;
    case MATCH_LOCAL:
      return isLocal(packet.image, a == 0 ? packet.src : packet.dst);
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
      return (packet.src & load<u32>(match, 8)) == a;
    case MATCH_DST:
      return (packet.dst & load<u32>(match, 8)) == a;
    default:
      return false;
  }
}

/** ctstate stands in nearly every base chain: it is asked without the switch. */
function ctstateHolds(packet: Packet, states: u32): bool {
  return ((packet.ctstate == 0 ? CTSTATE_UNTRACKED : packet.ctstate) & states) != 0;
}

/** Whether all of a rule's further matches hold, asked in their order. */
export function matchesHold(packet: Packet, matches: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const match = matches + i * MATCH_LEN;
    const word = load<u32>(match);
    const isCtstate = (word & 0xff) == MATCH_CTSTATE;
    const hit = isCtstate ? ctstateHolds(packet, load<u32>(match, 4)) : holds(packet, match);
    if (hit == ((word & MATCH_INVERT) != 0)) return false;
  }
  return true;
}
