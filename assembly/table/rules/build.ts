import {
  HOOK_CHAINS_MAX,
  HOOK_COUNT,
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
import { PART_RULES, STATUS_BAD_ENTRY, STATUS_NO_SPACE, STATUS_OK } from "../../abi/image";
import { HOOK_CHAIN_LEN, HOOK_LEN, HOOKS_AT, Image } from "../../image";
import { giveBlock, takeBlock } from "../../memory/arena";
import { vectorReach } from "../../memory/vector";
import { CHAIN_BLOCK, CHAIN_COUNT, CHAIN_LEN, CHAIN_WORDS, CHAINS_MAX } from "./layout";

/** Words that a target takes, given the first of them; NUMGEN's depend on its n. */
function targetWords(target: u32, words: usize): u64 {
  if (target == TARGET_NUMGEN) return <u64>load<u32>(words) + 1;
  if (target == TARGET_MARK || target == TARGET_DNAT || target == TARGET_VMAP) return 2;
  return target == TARGET_MASQUERADE ? 1 : 0;
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

function give(image: Image, chain: usize): void {
  const block = load<u32>(chain, CHAIN_BLOCK);
  const octets = load<u32>(chain, CHAIN_COUNT) * RULE_ENTRY_LEN + load<u32>(chain, CHAIN_WORDS) * 4;
  if (block != 0) giveBlock(image, block, octets, PART_RULES);
  memory.fill(chain, 0, CHAIN_LEN);
}

/** Replaces the rules of a chain by entries (RULE_…) and their words. */
export function chainSet(
  image: Image,
  number: u32,
  rules: usize,
  count: u32,
  words: usize,
  wordCount: u32,
): u32 {
  if (number >= CHAINS_MAX || count > 1 << 24 || wordCount > 1 << 26) return STATUS_BAD_ENTRY;
  for (let i: u32 = 0; i < count; i++) {
    if (!isRule(rules + i * RULE_ENTRY_LEN, words, wordCount)) return STATUS_BAD_ENTRY;
  }
  if (!vectorReach(image, offsetof<Image>("chainsAt"), number, CHAIN_LEN, PART_RULES)) return STATUS_NO_SPACE;
  const ruleOctets = count * RULE_ENTRY_LEN;
  const octets = ruleOctets + wordCount * 4;
  const block = octets == 0 ? 0 : takeBlock(image, octets, PART_RULES);
  if (block == 0 && octets != 0) return STATUS_NO_SPACE;
  memory.copy(image.to(block), rules, ruleOctets);
  memory.copy(image.to(block + ruleOctets), words, wordCount * 4);
  for (let i: u32 = 0; i < count; i++) {
    const rule = image.to(block) + i * RULE_ENTRY_LEN;
    store<u32>(rule, ruleOctets + load<u32>(rule, RULE_WORDS) * 4, RULE_WORDS);
  }
  const chain = image.to(image.chainsAt) + number * CHAIN_LEN;
  give(image, chain);
  store<u32>(chain, block, CHAIN_BLOCK);
  store<u32>(chain, count, CHAIN_COUNT);
  store<u32>(chain, wordCount, CHAIN_WORDS);
  image.sequence++;
  return STATUS_OK;
}

/** Appends a base chain to a hook: type HOOK_FILTER or HOOK_NAT, policy TARGET_ACCEPT or TARGET_DROP. */
export function hookAppend(image: Image, hook: u32, chain: u32, type: u32, policy: u32): u32 {
  if (hook >= HOOK_COUNT || chain >= CHAINS_MAX) return STATUS_BAD_ENTRY;
  const at = image.to(HOOKS_AT + hook * HOOK_LEN);
  const count = load<u32>(at);
  if (count == HOOK_CHAINS_MAX) return STATUS_BAD_ENTRY;
  if (!vectorReach(image, offsetof<Image>("chainsAt"), chain, CHAIN_LEN, PART_RULES)) return STATUS_NO_SPACE;
  store<u32>(at + 8 + count * HOOK_CHAIN_LEN, chain);
  store<u32>(at + 8 + count * HOOK_CHAIN_LEN, type | (policy << 8), 4);
  store<u32>(at, count + 1);
  image.sequence++;
  return STATUS_OK;
}
