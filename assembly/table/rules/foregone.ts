import {
  MATCH_CLIENT,
  MATCH_CTSTATE,
  MATCH_INVERT,
  MATCH_LEN,
  MATCH_MARK,
  MATCH_MORE_SHIFT,
  MATCH_NOTE,
  MATCH_RECENT,
  MATCH_SET,
  MATCH_STATISTIC,
  MATCH_UNDECIDED,
  RULE_DPORT_FROM,
  RULE_DPORT_TO,
  RULE_DST_MASK,
  RULE_ENTRY_LEN,
  RULE_FLAGS,
  RULE_MATCHES,
  RULE_OPERAND,
  RULE_PROTOCOL,
  RULE_SRC_MASK,
  RULE_TARGET,
  RULE_WORDS,
  TARGET_ACCEPT,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_NONE,
  TARGET_RETURN,
} from "../../abi/entry";
import { Image } from "../../image";
import { CHAIN_DEPTH_MAX, PIECE_LEN } from "./layout";
import { HANDOVERS_MAX, PLACE_LEN, Place } from "./place";

/**
 * What a walk comes to for every packet of one ctstate without a mark: most chains that packets of known connections
 * walk say in their first rules that those may pass. What else a packet is may then be left unasked.
 */

/** A rule matches no such packet, every one, or some; or it has to be asked, since asking counts or draws. */
const NONE: u32 = 0;
const EVERY: u32 = 1;
const SOME: u32 = 2;
const ASKED: u32 = 3;

/** The packet's other properties decide, or the verdict is not that it passes. */
export const NOT_FOREGONE: u32 = 0xffffffff;

function fieldsTake(rule: usize): u32 {
  const asks =
    load<u32>(rule, RULE_SRC_MASK) |
    load<u32>(rule, RULE_DST_MASK) |
    load<u8>(rule, RULE_PROTOCOL) |
    load<u8>(rule, RULE_FLAGS) |
    load<u16>(rule, RULE_DPORT_FROM) |
    (0xffff ^ load<u16>(rule, RULE_DPORT_TO));
  return asks == 0 ? EVERY : SOME;
}

function matchesTake(ctstate: u32, matches: usize, slots: u32): u32 {
  let take = EVERY;
  const end = matches + slots * MATCH_LEN;
  let match = matches;
  while (match != end) {
    const word = load<u32>(match);
    const kind = word & 0xff;
    const a = load<u32>(match, 4);
    if (kind == MATCH_SET || kind == MATCH_STATISTIC) return ASKED;
    if (kind == MATCH_RECENT || kind == MATCH_CLIENT || kind == MATCH_NOTE) return ASKED;
    // Where it cannot be told, what stands behind it is not asked (matchesHold).
    if (kind == MATCH_UNDECIDED) return SOME;
    if (kind == MATCH_CTSTATE || kind == MATCH_MARK) {
      const hit = kind == MATCH_CTSTATE ? (ctstate & a) != 0 : a == 0;
      if (hit == ((word & MATCH_INVERT) != 0)) return NONE;
    } else {
      take = SOME;
    }
    match += MATCH_LEN + (word >> MATCH_MORE_SHIFT) * MATCH_LEN;
  }
  return take;
}

function takes(rule: usize, chunk: u32, ctstate: u32): u32 {
  const byMatches = matchesTake(ctstate, chunk + load<u32>(rule, RULE_WORDS), load<u8>(rule, RULE_MATCHES));
  return byMatches == EVERY ? fieldsTake(rule) : byMatches;
}

/**
 * Rules that every unmarked packet of a ctstate walks in a base chain until it passes (`passes` says whether it does at
 * the chain's end); NOT_FOREGONE where that is not so. `stack` is scratch of WALK_STACK_LEN octets.
 */
export function foregone(image: Image, chain: u32, ctstate: u32, passes: bool, stack: usize): u32 {
  let walked: u32 = 0;
  let depth: u32 = 0;
  let handovers: u32 = 0;
  let place = changetype<Place>(stack);
  place.enter(image, chain);
  while (true) {
    if (place.rule == place.end && place.piece != place.lastPiece) {
      place.open(image, place.piece + PIECE_LEN);
      continue;
    }
    let target = TARGET_RETURN;
    let operand: u32 = 0;
    if (place.rule != place.end) {
      const rule = <usize>place.rule;
      place.rule += RULE_ENTRY_LEN;
      walked++;
      target = load<u8>(rule, RULE_TARGET);
      operand = load<u32>(rule, RULE_OPERAND);
      const take = takes(rule, place.chunk, ctstate);
      if (take == NONE || (target == TARGET_NONE && take != ASKED)) continue;
      if (take != EVERY) return NOT_FOREGONE;
    }
    if (target == TARGET_ACCEPT) return walked;
    if (target == TARGET_RETURN) {
      if (depth == 0) return passes ? walked : NOT_FOREGONE;
      depth--;
      place = changetype<Place>(changetype<usize>(place) - PLACE_LEN);
    } else if (target == TARGET_JUMP || target == TARGET_GOTO) {
      if (++handovers > HANDOVERS_MAX || depth + u32(target == TARGET_JUMP) > CHAIN_DEPTH_MAX)
        return NOT_FOREGONE;
      if (target == TARGET_JUMP) {
        depth++;
        place = changetype<Place>(changetype<usize>(place) + PLACE_LEN);
      }
      place.enter(image, operand);
    } else {
      return NOT_FOREGONE;
    }
  }
}
