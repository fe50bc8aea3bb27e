import {
  MATCH_DST,
  MATCH_DST6,
  MATCH_LAST,
  MATCH_LEN,
  MATCH_MORE_SHIFT,
  MATCH_SRC,
  MATCH_SRC6,
  RULE_ENTRY_LEN,
  RULE_MATCHES,
  RULE_OPERAND,
  RULE_TARGET,
  RULE_WORDS,
  TARGET_DNAT,
  TARGET_DNAT6,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_LAST,
  TARGET_MARK,
  TARGET_MASQUERADE,
  TARGET_NUMGEN,
  TARGET_VMAP,
} from "../../abi/entry";
import { CHAINS_MAX } from "./layout";

/** Entries of rules, asked whether the machine can take them. */

/** Words that a target takes, given the first of them; NUMGEN's depend on its n. */
function targetWords(target: u32, words: usize): u64 {
  if (target == TARGET_NUMGEN) return <u64>load<u32>(words) + 1;
  if (target == TARGET_DNAT6) return 5;
  if (target == TARGET_MARK || target == TARGET_DNAT || target == TARGET_VMAP) return 2;
  return target == TARGET_MASQUERADE ? 1 : 0;
}

/** Octets of the words of a rule that was checked, given where they are. */
export function wordOctets(rule: usize, words: usize): u32 {
  const matches = <u32>load<u8>(rule, RULE_MATCHES) * MATCH_LEN;
  return matches + ((<u32>targetWords(load<u8>(rule, RULE_TARGET), words + matches)) << 2);
}

/** Slots behind the first that a match's words speak of. */
function listSlots(kind: u32, match: usize): u64 {
  if (kind == MATCH_SRC6 || kind == MATCH_DST6) return <u64>load<u32>(match, 4) * load<u32>(match, 8);
  return kind == MATCH_SRC || kind == MATCH_DST ? (<u64>load<u32>(match, 4) + 1) >> 1 : 0;
}

/** Whether so many slots are matches whose kinds are known, each with the slots that it needs. */
function areMatches(matches: usize, slots: u32): bool {
  let slot: u32 = 0;
  while (slot < slots) {
    const match = matches + slot * MATCH_LEN;
    const word = load<u32>(match);
    const kind = word & 0xff;
    const more = word >> MATCH_MORE_SHIFT;
    if (kind == 0 || kind > MATCH_LAST || listSlots(kind, match) != more) return false;
    slot += 1 + more;
  }
  return slot == slots;
}

/** Whether a rule's codes are known and its words lie within those handed over. */
function isRule(rule: usize, words: usize, wordCount: u32): bool {
  const target = <u32>load<u8>(rule, RULE_TARGET);
  if (target > TARGET_LAST) return false;
  if ((target == TARGET_JUMP || target == TARGET_GOTO) && load<u32>(rule, RULE_OPERAND) >= CHAINS_MAX)
    return false;
  const slots = <u32>load<u8>(rule, RULE_MATCHES);
  const first = load<u32>(rule, RULE_WORDS);
  const targetAt = <u64>first + slots * (MATCH_LEN >> 2);
  if (targetAt > wordCount || !areMatches(words + (first << 2), slots)) return false;
  const room = wordCount - <u32>targetAt;
  if (target == TARGET_NUMGEN && (room == 0 || load<u32>(words + ((<usize>targetAt) << 2)) == 0))
    return false;
  const needed =
    target == TARGET_NUMGEN && room == 0 ? 1 : targetWords(target, words + ((<usize>targetAt) << 2));
  return needed <= room;
}

/** Whether all entries are rules. */
export function areRules(rules: usize, count: u32, words: usize, wordCount: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    if (!isRule(rules + i * RULE_ENTRY_LEN, words, wordCount)) return false;
  }
  return true;
}
