import {
  RULE_ENTRY_LEN,
  RULE_OPERAND,
  RULE_PROTOCOL,
  RULE_WORDS,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_NUMGEN,
  TARGET_VMAP,
  WORD_CHAIN_SHIFT,
} from "../../../assembly/abi/entry.js";
import type { RuleColumns } from "./rules.js";

const RULE_LEN_WORDS = RULE_ENTRY_LEN / 4;

/** Calls with the number of every chain, and of every map, that rules from `from` on hand packets to; their words begin at `first`. */
export function eachHandover(
  { ruleArray: rules, count, words: { array: words } }: RuleColumns,
  from: number,
  first: number,
  use: (number: number, isMap: boolean) => void,
): void {
  for (let at = from * RULE_LEN_WORDS; at < count * RULE_LEN_WORDS; at += RULE_LEN_WORDS) {
    const codes = rules[at + RULE_PROTOCOL / 4] as number;
    const target = (codes >>> 16) & 0xff;
    if (target === TARGET_JUMP || target === TARGET_GOTO) {
      use(rules[at + RULE_OPERAND / 4] as number, false);
    } else if (target === TARGET_NUMGEN || target === TARGET_VMAP) {
      const own = first + (rules[at + RULE_WORDS / 4] as number) + (codes >>> 24) * 4;
      if (target === TARGET_VMAP) use(words[own] as number, true);
      else eachOutcome(words, own, use);
    }
  }
}

/** NUMGEN's n verdict words behind n. */
function eachOutcome(words: Uint32Array, at: number, use: (number: number, isMap: boolean) => void): void {
  const count = words[at] as number;
  for (let index = 1; index <= count; index++) {
    const word = words[at + index] as number;
    const target = word & 0xff;
    if (target === TARGET_JUMP || target === TARGET_GOTO) use(word >>> WORD_CHAIN_SHIFT, false);
  }
}
