import {
  MATCH_DST,
  MATCH_LEN,
  RULE_ENTRY_LEN,
  RULE_MATCHES,
  RULE_OPERAND,
  RULE_TARGET,
  RULE_WORDS,
  TARGET_DNAT,
  TARGET_GOTO,
  TARGET_JUMP,
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
  if (target == TARGET_MARK || target == TARGET_DNAT || target == TARGET_VMAP) return 2;
  return target == TARGET_MASQUERADE ? 1 : 0;
}

/** Octets of the words of a rule that was checked, given where they are. */
export function wordOctets(rule: usize, words: usize): u32 {
  const matches = <u32>load<u8>(rule, RULE_MATCHES) * MATCH_LEN;
  return matches + ((<u32>targetWords(load<u8>(rule, RULE_TARGET), words + matches)) << 2);
}

/** Whether a rule's codes are known and its words lie within those handed over. */
function isRule(rule: usize, words: usize, wordCount: u32): bool {
  const target = <u32>load<u8>(rule, RULE_TARGET);
  if (target > TARGET_NUMGEN) return false;
  if ((target == TARGET_JUMP || target == TARGET_GOTO) && load<u32>(rule, RULE_OPERAND) >= CHAINS_MAX)
    return false;
  const matches = <u32>load<u8>(rule, RULE_MATCHES);
  const first = load<u32>(rule, RULE_WORDS);
  const targetAt = <u64>first + matches * (MATCH_LEN >> 2);
  if (targetAt > wordCount) return false;
  for (let i: u32 = 0; i < matches; i++) {
    const kind = load<u32>(words + (first << 2) + i * MATCH_LEN) & 0xff;
    if (kind == 0 || kind > MATCH_DST) return false;
  }
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
