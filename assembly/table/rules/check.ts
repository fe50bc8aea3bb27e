import {
  MATCH_DST,
  MATCH_DST6,
  MATCH_IN_LIST,
  MATCH_LAST,
  MATCH_LEN,
  MATCH_MORE_SHIFT,
  MATCH_NOTE,
  MATCH_OUT_LIST,
  MATCH_PORT_LIST,
  MATCH_RANGE6,
  MATCH_RECENT,
  MATCH_SRC,
  MATCH_SRC6,
  RULE_ENTRY_LEN,
  RULE_MATCHES,
  RULE_OPERAND,
  RULE_TARGET,
  RULE_WORDS,
  TARGET_CONNMARK,
  TARGET_DNAT,
  TARGET_DNAT6,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_LAST,
  TARGET_MARK,
  TARGET_MASQUERADE,
  TARGET_NAT,
  TARGET_NETMAP,
  TARGET_NUMGEN,
  TARGET_REDIRECT,
  TARGET_VMAP,
} from "../../abi/entry";
import { CONNMARK_RESTORE } from "../../abi/rule";
import { CHAINS_MAX } from "./layout";

/** Entries of rules, asked whether the machine can take them. */

/** Words that a target takes at least; NUMGEN and REDIRECT more, as one of those says. */
function leastWords(target: u32): u32 {
  if (target == TARGET_NAT) return 11;
  if (target == TARGET_NETMAP) return 8;
  if (target == TARGET_DNAT6) return 5;
  if (target == TARGET_REDIRECT || target == TARGET_CONNMARK) return 3;
  const two =
    target == TARGET_MARK || target == TARGET_DNAT || target == TARGET_VMAP || target == TARGET_MASQUERADE;
  return two ? 2 : u32(target == TARGET_NUMGEN);
}

/** Words that a target takes, given the first of them. */
function targetWords(target: u32, words: usize): u64 {
  const least = <u64>leastWords(target);
  if (target == TARGET_NUMGEN) return least + load<u32>(words);
  return target == TARGET_REDIRECT ? least + <u64>load<u32>(words, 8) * 5 : least;
}

/** Octets of the words of a rule that was checked, given where they are. */
export function wordOctets(rule: usize, words: usize): u32 {
  const matches = <u32>load<u8>(rule, RULE_MATCHES) * MATCH_LEN;
  return matches + ((<u32>targetWords(load<u8>(rule, RULE_TARGET), words + matches)) << 2);
}

/** Slots behind the first that a match's words speak of. */
function listSlots(kind: u32, match: usize): u64 {
  if (kind == MATCH_SRC6 || kind == MATCH_DST6) return <u64>load<u32>(match, 4) * load<u32>(match, 8);
  if (kind == MATCH_SRC || kind == MATCH_DST) return (<u64>load<u32>(match, 4) + 1) >> 1;
  if (kind == MATCH_IN_LIST || kind == MATCH_OUT_LIST) return (<u64>load<u32>(match, 4) + 3) >> 2;
  if (kind == MATCH_PORT_LIST) return (<u64>load<u32>(match, 8) + 3) >> 2;
  if (kind == MATCH_RECENT || kind == MATCH_NOTE) return 1;
  return kind == MATCH_RANGE6 ? 2 : 0;
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

/** Whether first | last << 16 is a range. */
function isRange(ports: u32): bool {
  return (ports & 0xffff) <= ports >> 16;
}

/** Whether the first of a target's words are such as it can have. */
function isTarget(target: u32, words: usize): bool {
  if (target == TARGET_CONNMARK) return load<u32>(words) <= CONNMARK_RESTORE;
  if (target == TARGET_NAT) return isRange(load<u32>(words, 36));
  if (target == TARGET_REDIRECT) return isRange(load<u32>(words, 4));
  return target != TARGET_NUMGEN || load<u32>(words) != 0;
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
  if (leastWords(target) > room) return false;
  const own = words + ((<usize>targetAt) << 2);
  return isTarget(target, own) && targetWords(target, own) <= room;
}

/** Whether all entries are rules. */
export function areRules(rules: usize, count: u32, words: usize, wordCount: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    if (!isRule(rules + i * RULE_ENTRY_LEN, words, wordCount)) return false;
  }
  return true;
}
