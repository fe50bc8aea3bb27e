import { HOOK_COUNT } from "../../abi/entry";
import { HOOK_LEN, HOOKS_AT, Image } from "../../image";
import {
  hookAppend as appendHook,
  chainSet as setChain,
  chainsSet as setChains,
  chainSplice as spliceChain,
} from "./build";

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

/** Replaces the rules of `count` chains (CHAIN_ROW_…), whose rules and words follow one another, all or none. */
export function chainsSet(address: usize, rows: usize, count: u32, rules: usize, words: usize): u32 {
  return setChains(Image.at(address), rows, count, rules, words);
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
  memory.fill(image.to(HOOKS_AT), 0, HOOK_LEN * HOOK_COUNT);
  image.sequence++;
}
