import {
  CHAIN_ROW_LEN,
  CHAIN_ROW_NUMBER,
  CHAIN_ROW_RULES,
  CHAIN_ROW_WORDS,
  RULE_ENTRY_LEN,
} from "../../abi/entry";
import { STATUS_OK } from "../../abi/image";
import { HOOK_LEN, HOOKS_AT, Image } from "../../image";
import { hookAppend as appendHook, chainSet as setChain, chainSplice as spliceChain } from "./build";

/** The machine's exports about chains and hooks (re-exported by index). */

/** Replaces the rules (RULE_…) of a chain. */
export function chainSet(
  address: usize,
  chain: u32,
  rules: usize,
  count: u32,
  words: usize,
  wordCount: u32,
): u32 {
  return setChain(Image.at(address), chain, rules, count, words, wordCount);
}

/** Replaces the rules of `count` chains (CHAIN_ROW_…), whose rules and words follow one another; `done` as in routesInsert. */
export function chainsSet(
  address: usize,
  rows: usize,
  count: u32,
  rules: usize,
  words: usize,
  done: usize,
): u32 {
  const image = Image.at(address);
  let rule = rules;
  let word = words;
  for (let i: u32 = 0; i < count; i++) {
    const row = rows + i * CHAIN_ROW_LEN;
    const ruleCount = load<u32>(row, CHAIN_ROW_RULES);
    const wordCount = load<u32>(row, CHAIN_ROW_WORDS);
    const status = setChain(image, load<u32>(row, CHAIN_ROW_NUMBER), rule, ruleCount, word, wordCount);
    if (status != STATUS_OK) return status;
    rule += ruleCount * RULE_ENTRY_LEN;
    word += wordCount << 2;
    if (done != 0) store<u32>(done, i + 1);
  }
  return STATUS_OK;
}

/** Takes `removed` rules from position `at` of a chain and puts others there. */
export function chainSplice(
  address: usize,
  chain: u32,
  at: u32,
  removed: u32,
  rules: usize,
  count: u32,
  words: usize,
  wordCount: u32,
): u32 {
  return spliceChain(Image.at(address), chain, at, removed, rules, count, words, wordCount);
}

export function hookAppend(address: usize, hook: u32, chain: u32, type: u32, policy: u32): u32 {
  return appendHook(Image.at(address), hook, chain, type, policy);
}

/** Empties all hooks. */
export function hooksClear(address: usize): void {
  const image = Image.at(address);
  memory.fill(image.to(HOOKS_AT), 0, HOOK_LEN * 5);
  image.sequence++;
}
