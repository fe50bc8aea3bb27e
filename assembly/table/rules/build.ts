import {
  CHAIN_ROW_LEN,
  CHAIN_ROW_NUMBER,
  CHAIN_ROW_RULES,
  CHAIN_ROW_WORDS,
  HOOK_CHAINS_MAX,
  HOOK_COUNT,
  HOOK_MANGLE,
  HOOK_RAW,
  RULE_ENTRY_LEN,
} from "../../abi/entry";
import { PART_RULES, STATUS_BAD_ENTRY, STATUS_NO_SPACE, STATUS_OK } from "../../abi/image";
import { HOOK_CHAIN_LEN, HOOK_EARLY, HOOK_LEN, HOOKS_AT, Image, NEEDS_AT } from "../../image";
import { Needs } from "../../memory/needs";
import { vectorReach } from "../../memory/vector";
import { areRules } from "./check";
import { CHAIN_COUNT, CHAIN_LEN, CHAINS_MAX } from "./layout";
import { needsOf, splice } from "./splice";

/** Rules of a chain, and words handed over with them. */
const RULES_MAX: u32 = 1 << 24;
const WORDS_MAX: u32 = 1 << 26;

/** CHAIN_ROW_… in place. */
@unmanaged
@final
class Row {
  static at(row: usize): Row {
    return changetype<Row>(row);
  }

  get number(): u32 {
    return load<u32>(changetype<usize>(this), CHAIN_ROW_NUMBER);
  }

  get rules(): u32 {
    return load<u32>(changetype<usize>(this), CHAIN_ROW_RULES);
  }

  get words(): u32 {
    return load<u32>(changetype<usize>(this), CHAIN_ROW_WORDS);
  }
}

function countOf(image: Image, number: u32): u32 {
  if (number >= image.chainsRoom) return 0;
  return load<u32>(image.to(image.chainsAt) + number * CHAIN_LEN, CHAIN_COUNT);
}

/** Whether a chain can have this number and these rules. */
function isChain(number: u32, rules: usize, count: u32, words: usize, wordCount: u32): bool {
  if (number >= CHAINS_MAX || count > RULES_MAX || wordCount > WORDS_MAX) return false;
  return areRules(rules, count, words, wordCount);
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
  if (!isChain(number, rules, count, words, wordCount)) return STATUS_BAD_ENTRY;
  const before = countOf(image, number);
  if (at > before || removed > before - at) return STATUS_BAD_ENTRY;
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

/** Makes ready for so many chains (CHAIN_ROW_…): NO_SPACE, or BAD_ENTRY where one is none, and nothing changed. */
function expectChains(image: Image, rows: usize, count: u32, rules: usize, words: usize): u32 {
  const needs = Needs.at(image.to(NEEDS_AT));
  let rule = rules;
  let word = words;
  let last: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const row = Row.at(rows + i * CHAIN_ROW_LEN);
    if (!isChain(row.number, rule, row.rules, word, row.words)) return STATUS_BAD_ENTRY;
    if (!needsOf(image, needs, rule, row.rules, word)) return STATUS_BAD_ENTRY;
    last = max<u32>(last, row.number);
    rule += row.rules * RULE_ENTRY_LEN;
    word += row.words << 2;
  }
  if (count != 0) needs.vector(image.chainsRoom, last, CHAIN_LEN);
  if (!needs.isMet(image)) return STATUS_NO_SPACE;
  if (count != 0) vectorReach(image, offsetof<Image>("chainsAt"), last, CHAIN_LEN, PART_RULES);
  return STATUS_OK;
}

/**
 * Replaces the rules of `count` chains (CHAIN_ROW_…), whose rules and words follow one another, all or none. NO_SPACE
 * does not count with what the old rules give back.
 */
export function chainsSet(image: Image, rows: usize, count: u32, rules: usize, words: usize): u32 {
  const status = expectChains(image, rows, count, rules, words);
  if (status != STATUS_OK) return status;
  let rule = rules;
  let word = words;
  for (let i: u32 = 0; i < count; i++) {
    const row = Row.at(rows + i * CHAIN_ROW_LEN);
    chainSet(image, row.number, rule, row.rules, word, row.words);
    rule += row.rules * RULE_ENTRY_LEN;
    word += row.words << 2;
  }
  return STATUS_OK;
}

/**
 * Appends a base chain to a hook: type HOOK_FILTER, HOOK_NAT, or before any of those HOOK_RAW and then HOOK_MANGLE; policy
 * TARGET_ACCEPT or TARGET_DROP.
 */
export function hookAppend(image: Image, hook: u32, chain: u32, type: u32, policy: u32): u32 {
  if (hook >= HOOK_COUNT || chain >= CHAINS_MAX) return STATUS_BAD_ENTRY;
  const at = image.to(HOOKS_AT + hook * HOOK_LEN);
  const count = load<u32>(at);
  if (count == HOOK_CHAINS_MAX) return STATUS_BAD_ENTRY;
  const early = load<u32>(at, HOOK_EARLY);
  if (type == HOOK_RAW && count != (early & 0xffff)) return STATUS_BAD_ENTRY;
  if (type == HOOK_MANGLE && count != early >> 16) return STATUS_BAD_ENTRY;
  if (!vectorReach(image, offsetof<Image>("chainsAt"), chain, CHAIN_LEN, PART_RULES)) return STATUS_NO_SPACE;
  store<u32>(at + 8 + count * HOOK_CHAIN_LEN, chain);
  store<u32>(at + 8 + count * HOOK_CHAIN_LEN, type | (policy << 8), 4);
  if (type == HOOK_RAW) store<u32>(at, early + 0x10001, HOOK_EARLY);
  if (type == HOOK_MANGLE) store<u32>(at, early + 0x10000, HOOK_EARLY);
  store<u32>(at, count + 1);
  image.sequence++;
  return STATUS_OK;
}
