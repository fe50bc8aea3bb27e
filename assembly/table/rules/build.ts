import { HOOK_CHAINS_MAX, HOOK_COUNT } from "../../abi/entry";
import { PART_RULES, STATUS_BAD_ENTRY, STATUS_NO_SPACE, STATUS_OK } from "../../abi/image";
import { HOOK_CHAIN_LEN, HOOK_LEN, HOOKS_AT, Image } from "../../image";
import { vectorReach } from "../../memory/vector";
import { areRules } from "./check";
import { CHAIN_COUNT, CHAIN_LEN, CHAINS_MAX } from "./layout";
import { splice } from "./splice";

/** Rules of a chain, and words handed over with them. */
const RULES_MAX: u32 = 1 << 24;
const WORDS_MAX: u32 = 1 << 26;

function countOf(image: Image, number: u32): u32 {
  if (number >= image.chainsRoom) return 0;
  return load<u32>(image.to(image.chainsAt) + number * CHAIN_LEN, CHAIN_COUNT);
}

/**
 * Takes `removed` rules from position `at` of a chain and puts entries (RULE_…) there, with their words. What moves is
 * a chunk of at most CHUNK_MAX octets, or what is new, and the row that says where the chain's chunks are.
 */
export function chainSplice(
  image: Image,
  number: u32,
  at: u32,
  removed: u32,
  rules: usize,
  count: u32,
  words: usize,
  wordCount: u32,
): u32 {
  if (number >= CHAINS_MAX || count > RULES_MAX || wordCount > WORDS_MAX) return STATUS_BAD_ENTRY;
  const before = countOf(image, number);
  if (at > before || removed > before - at || !areRules(rules, count, words, wordCount))
    return STATUS_BAD_ENTRY;
  if (!vectorReach(image, offsetof<Image>("chainsAt"), number, CHAIN_LEN, PART_RULES)) return STATUS_NO_SPACE;
  const chain = image.to(image.chainsAt) + number * CHAIN_LEN;
  const status = splice(image, chain, at, removed, rules, count, words);
  if (status == STATUS_OK) image.sequence++;
  return status;
}

/** Replaces the rules of a chain. */
export function chainSet(
  image: Image,
  number: u32,
  rules: usize,
  count: u32,
  words: usize,
  wordCount: u32,
): u32 {
  return chainSplice(image, number, 0, countOf(image, number), rules, count, words, wordCount);
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
