import {
  RULE_ENTRY_LEN,
  RULE_MATCHES,
  RULE_OPERAND,
  RULE_TARGET,
  RULE_WORDS,
  TARGET_ACCEPT,
  TARGET_DNAT,
  TARGET_DNAT6,
  TARGET_DROP,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_MARK,
  TARGET_MASQUERADE,
  TARGET_NONE,
  TARGET_NUMGEN,
  TARGET_REJECT,
  TARGET_RETURN,
  TARGET_VMAP,
  WORD_CHAIN_SHIFT,
} from "../../abi/entry";
import { EVENT_DNAT, EVENT_NUMGEN, EVENT_RULE, EVENT_VMAP } from "../../abi/trace";
import { DROP_CHAIN_DEPTH } from "../../abi/verdict";
import { Packet } from "../../packet";
import { drawBelow } from "../../random";
import { record } from "../../trace";
import { CHAIN_DEPTH_MAX, PIECE_LEN } from "./layout";
import { fieldsMatch, matchesHold } from "./match";
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

/** Gives the packet an address, by its last word and the three before it, and a port if that is not 0. */
function setDnat(packet: Packet, high: v128, last: u32, port: u32): u32 {
  const ports = (packet.ports & 0xffff0000) | (port == 0 ? packet.dstPort : port);
  if (TRACE) record(packet, EVENT_DNAT, packet.dst, packet.ports, last, ports, 0);
  packet.dst = last;
  packet.dstHigh = high;
  packet.ports = ports;
  return TARGET_ACCEPT;
}

function setDnat6(packet: Packet, words: usize): u32 {
  const high = v128.replace_lane<u32>(v128.load(words), 3, 0);
  return setDnat(packet, high, load<u32>(words, 12), load<u32>(words, 16));
}

/** The verdict word that a rule's target gives; TARGET_NONE to go on with the next rule. */
function applyTarget(packet: Packet, rule: usize, words: usize): u32 {
  const target = <u32>load<u8>(rule, RULE_TARGET);
  switch (target) {
    case TARGET_MARK:
      packet.mark = (packet.mark & ~load<u32>(words, 4)) ^ load<u32>(words);
      return TARGET_NONE;
    case TARGET_DNAT:
      return setDnat(packet, i32x4.splat(0), load<u32>(words), load<u32>(words, 4));
    case TARGET_DNAT6:
      return setDnat6(packet, words);
    case TARGET_MASQUERADE:
      packet.masquerade = 1 + load<u32>(words);
      return TARGET_ACCEPT;
    case TARGET_VMAP: {
      const word = findByKey(packet, load<u32>(words), load<u32>(words, 4));
      if (TRACE)
        record(
          packet,
          EVENT_VMAP,
          load<u32>(words),
          packet.dst,
          (packet.protocol << 16) | packet.dstPort,
          word,
          0,
        );
      return word;
    }
    case TARGET_NUMGEN: {
      const n = load<u32>(words);
      const outcome = drawBelow(packet.state, n);
      const word = load<u32>(words + (outcome << 2), 4);
      if (TRACE) record(packet, EVENT_NUMGEN, word >> WORD_CHAIN_SHIFT, outcome, n, 0, 0);
      return word;
    }
    default:
      return target | (load<u32>(rule, RULE_OPERAND) << WORD_CHAIN_SHIFT);
  }
}

function tooDeep(packet: Packet): u32 {
  packet.drop(DROP_CHAIN_DEPTH);
  return TARGET_DROP;
}

/**
 * Walks a base chain rule by rule, as ipt_do_table and nft_do_chain do, on a stack of WALK_STACK_LEN octets.
 * TARGET_ACCEPT, TARGET_DROP or TARGET_REJECT; TARGET_NONE when no rule decided. A packet that nests too deep is
 * dropped with its reason set.
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
      if (TRACE)
        record(
          packet,
          EVENT_RULE,
          place.chain,
          place.indexOf(packet.image, rule),
          load<u8>(rule, RULE_TARGET),
          load<u32>(rule, RULE_OPERAND),
          0,
        );
      word = applyTarget(packet, rule, words);
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
    } else if (target == TARGET_ACCEPT || target == TARGET_DROP || target == TARGET_REJECT) {
      return target;
    }
  }
}
