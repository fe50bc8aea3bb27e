import {
  CTSTATE_UNTRACKED,
  RULE_ENTRY_LEN,
  RULE_MATCHES,
  RULE_OPERAND,
  RULE_TARGET,
  RULE_WORDS,
  TARGET_ACCEPT,
  TARGET_CONNMARK,
  TARGET_DNAT,
  TARGET_DNAT6,
  TARGET_DROP,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_MARK,
  TARGET_MASQUERADE,
  TARGET_NAT,
  TARGET_NETMAP,
  TARGET_NONE,
  TARGET_NOTRACK,
  TARGET_NUMGEN,
  TARGET_REDIRECT,
  TARGET_REJECT,
  TARGET_RETURN,
  TARGET_UNDECIDED,
  TARGET_VMAP,
  WORD_CHAIN_SHIFT,
} from "../../abi/entry";
import { EVENT_NUMGEN, EVENT_RULE, EVENT_VMAP } from "../../abi/trace";
import { DROP_CHAIN_DEPTH, DROP_UNDECIDED } from "../../abi/verdict";
import { Packet } from "../../packet";
import { drawBelow } from "../../random";
import { record, recordEnds } from "../../trace";
import { changeConnmark } from "./connmark";
import { CHAIN_DEPTH_MAX, PIECE_LEN } from "./layout";
import { fieldsMatch, matchesHold } from "./match";
import { giveDst, giveDst6, giveNetwork, giveOneOf, masqueradeLater, redirectToNode } from "./nat";
import { HANDOVERS_MAX, PLACE_LEN, Place } from "./place";
import { findByKey } from "./sets";

/** The first rule from here on whose fields match, or `end`. The loop that linear rule sets live in: it calls nothing. */
function nextFields(packet: Packet, from: usize, end: usize): usize {
  const src = packet.src;
  const dst = packet.dst;
  const protocol = packet.protocol;
  const port = packet.dstPort;
  let rule = from;
  while (rule != end && !fieldsMatch(rule, src, dst, protocol, port)) rule += RULE_ENTRY_LEN;
  packet.walked += <u32>(rule - from) / RULE_ENTRY_LEN + u32(rule != end);
  return rule;
}

/** The first rule of a chunk from here on whose fields and matches hold, or `end`. */
function matchInChunk(packet: Packet, place: Place): usize {
  const end = <usize>place.end;
  let rule = <usize>place.rule;
  while (true) {
    rule = nextFields(packet, rule, end);
    if (rule == end) return rule;
    const matches = <u32>load<u8>(rule, RULE_MATCHES);
    if (matches == 0 || matchesHold(packet, place.chunk + load<u32>(rule, RULE_WORDS), matches)) return rule;
    rule += RULE_ENTRY_LEN;
  }
}

/** As above, of the chain; `end` is then that of its last chunk. */
function nextMatch(packet: Packet, place: Place): usize {
  while (true) {
    const rule = matchInChunk(packet, place);
    if (rule != place.end || place.piece == place.lastPiece) return rule;
    place.open(packet.image, place.piece + PIECE_LEN);
  }
}

/** The verdict word that a rule's target gives; TARGET_NONE to go on with the next rule. */
function applyTarget(packet: Packet, rule: usize, words: usize): u32 {
  const target = <u32>load<u8>(rule, RULE_TARGET);
  switch (target) {
    case TARGET_MARK:
      packet.mark = (packet.mark & ~load<u32>(words, 4)) ^ load<u32>(words);
      return TARGET_NONE;
    case TARGET_DNAT:
      return giveDst(packet, i32x4.splat(0), load<u32>(words), load<u32>(words, 4));
    case TARGET_DNAT6:
      return giveDst6(packet, words);
    case TARGET_MASQUERADE:
      return masqueradeLater(packet, words);
    case TARGET_NAT:
      return giveOneOf(packet, words);
    case TARGET_NETMAP:
      return giveNetwork(packet, words);
    case TARGET_REDIRECT:
      return redirectToNode(packet, words);
    case TARGET_CONNMARK:
      changeConnmark(packet, words);
      packet.isAlone = 1;
      return TARGET_NONE;
    case TARGET_NOTRACK:
      if (packet.ctstate == 0) packet.ctstate = CTSTATE_UNTRACKED;
      return TARGET_NONE;
    case TARGET_UNDECIDED:
      packet.punt(DROP_UNDECIDED);
      return TARGET_DROP;
    case TARGET_VMAP: {
      const word = findByKey(packet, load<u32>(words), load<u32>(words, 4));
      if (TRACE) tellMap(packet, load<u32>(words), word);
      return word;
    }
    case TARGET_NUMGEN: {
      const n = load<u32>(words);
      packet.isAlone = 1;
      const outcome = drawBelow(packet, n);
      const word = load<u32>(words + (outcome << 2), 4);
      if (TRACE) record(packet, EVENT_NUMGEN, word >> WORD_CHAIN_SHIFT, outcome, n, 0, 0);
      return word;
    }
    default:
      return target | (load<u32>(rule, RULE_OPERAND) << WORD_CHAIN_SHIFT);
  }
}

/** A map was asked for the packet's destination, protocol and port. */
function tellMap(packet: Packet, table: u32, word: u32): void {
  const protoPort = (packet.protocol << 16) | packet.dstPort;
  recordEnds(packet, EVENT_VMAP, table, packet.dst, protoPort, word, 0, packet.dst6, i32x4.splat(0));
}

function tooDeep(packet: Packet): u32 {
  packet.drop(DROP_CHAIN_DEPTH);
  return TARGET_DROP;
}

/** The rule that could not be evaluated, for the host to name. */
function leaveUndecided(packet: Packet, place: Place, rule: usize): u32 {
  packet.undecidedIn = place.chain;
  packet.hop = place.indexOf(packet.image, rule);
  if (TRACE) record(packet, EVENT_RULE, place.chain, packet.hop, TARGET_UNDECIDED, 0, packet.walked);
  return TARGET_DROP;
}

/**
 * Walks a base chain rule by rule, as ipt_do_table and nft_do_chain do, on a stack of WALK_STACK_LEN octets.
 * TARGET_ACCEPT, TARGET_DROP, or TARGET_REJECT | operand << WORD_CHAIN_SHIFT; TARGET_NONE when no rule decided. A packet
 * that nests too deep, or whose rule cannot be evaluated, has its verdict and reason set.
 */
export function walk(packet: Packet, chain: u32, stack: usize): u32 {
  let depth: u32 = 0;
  let handovers: u32 = 0;
  let place = changetype<Place>(stack);
  place.enter(packet.image, chain);
  while (true) {
    const rule = nextMatch(packet, place);
    let word: u32 = TARGET_RETURN;
    if (rule != place.end) {
      place.rule = <u32>rule + RULE_ENTRY_LEN;
      const words = place.chunk + load<u32>(rule, RULE_WORDS) + ((<u32>load<u8>(rule, RULE_MATCHES)) << 4);
      if (TRACE && packet.isUndecided && <u32>load<u8>(rule, RULE_TARGET) != TARGET_UNDECIDED)
        record(
          packet,
          EVENT_RULE,
          place.chain,
          place.indexOf(packet.image, rule),
          load<u8>(rule, RULE_TARGET),
          load<u32>(rule, RULE_OPERAND),
          packet.walked,
        );
      if (packet.isUndecided) word = applyTarget(packet, rule, words);
      if (!packet.isUndecided && packet.reason == DROP_UNDECIDED) {
        // A rule whose target does nothing to the packet need not be decided.
        if (<u32>load<u8>(rule, RULE_TARGET) != TARGET_NONE) return leaveUndecided(packet, place, rule);
        packet.verdict = packet.reason = 0;
        continue;
      }
    }
    const target = word & 0xff;
    if (target == TARGET_JUMP) {
      if (++depth > CHAIN_DEPTH_MAX || ++handovers > HANDOVERS_MAX) return tooDeep(packet);
      place = changetype<Place>(changetype<usize>(place) + PLACE_LEN);
      place.enter(packet.image, word >> WORD_CHAIN_SHIFT);
    } else if (target == TARGET_GOTO) {
      if (++handovers > HANDOVERS_MAX) return tooDeep(packet);
      place.enter(packet.image, word >> WORD_CHAIN_SHIFT);
    } else if (target == TARGET_RETURN) {
      if (depth-- == 0) return TARGET_NONE;
      place = changetype<Place>(changetype<usize>(place) - PLACE_LEN);
    } else if (target == TARGET_ACCEPT || target == TARGET_DROP) {
      return target;
    } else if (target == TARGET_REJECT) {
      return word;
    }
  }
}
