import {
  MATCH_INVERT,
  RULE_DPORT_FROM,
  RULE_DST,
  RULE_DST_MASK,
  RULE_ENTRY_LEN,
  RULE_FLAG_NOT_DPORT,
  RULE_FLAG_NOT_DST,
  RULE_FLAG_NOT_PROTOCOL,
  RULE_FLAG_NOT_SRC,
  RULE_OPERAND,
  RULE_PROTOCOL,
  RULE_SRC,
  RULE_SRC_MASK,
  RULE_WORDS,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_NONE,
} from "../../../assembly/abi/entry.js";
import { maskOf, type Prefix } from "../../net/prefix.js";
import { Words } from "./words.js";

const MATCHES_MAX = 255;
const RULE_LEN_WORDS = RULE_ENTRY_LEN / 4;

/** Rules as the machine takes them, of one chain or of several one behind another. */
export class RuleColumns {
  readonly #rules: Words;
  readonly words: Words;

  constructor(room = 64) {
    this.#rules = new Words(room * RULE_LEN_WORDS);
    this.words = new Words(room);
  }

  get count(): number {
    return this.#rules.length / RULE_LEN_WORDS;
  }

  /** Eight words a rule, in place. */
  get rules(): Uint32Array {
    return this.#rules.words;
  }

  /** As `rules`, with room behind them. */
  get ruleArray(): Uint32Array {
    return this.#rules.array;
  }

  /** `first` is the number of words before the rule's chain. */
  add(draft: RuleDraft, first = 0): void {
    if (draft.matches.length > 4 * MATCHES_MAX)
      throw new TypeError(
        `The machine takes at most ${MATCHES_MAX} further matches in a rule; split the rule.`,
      );
    const at = this.#rules.extend(RULE_LEN_WORDS);
    draft.write(this.#rules.array, at, this.words.length - first);
    this.words.add(draft.matches);
    this.words.add(draft.targetWords);
  }

  clear(): void {
    this.#rules.clear();
    this.words.clear();
  }

  /** So many rules from one on, and so many words. */
  range(
    rule: number,
    rules: number,
    word: number,
    words: number,
  ): { readonly rules: Uint32Array; readonly words: Uint32Array } {
    const at = rule * RULE_LEN_WORDS;
    return {
      rules: this.ruleArray.subarray(at, at + rules * RULE_LEN_WORDS),
      words: this.words.array.subarray(word, word + words),
    };
  }
}

/** One rule as it is gathered from matches and a target of either tool. Drafts are used again: nothing is left behind. */
export class RuleDraft {
  #src: Prefix | undefined;
  #dst: Prefix | undefined;
  #protocol = 0;
  #from = 0;
  #to = 65535;
  #flags = 0;
  #target: number = TARGET_NONE;
  #operand = 0;
  readonly matches = new Words();
  readonly targetWords = new Words();

  /** As new. */
  clear(): this {
    this.#src = this.#dst = undefined;
    this.#protocol = this.#from = this.#flags = this.#operand = 0;
    this.#to = 65535;
    this.#target = TARGET_NONE;
    this.matches.clear();
    this.targetWords.clear();
    return this;
  }

  src(prefix: Prefix, invert: boolean): this {
    this.#src = prefix;
    if (invert) this.#flags |= RULE_FLAG_NOT_SRC;
    return this;
  }

  dst(prefix: Prefix, invert: boolean): this {
    this.#dst = prefix;
    if (invert) this.#flags |= RULE_FLAG_NOT_DST;
    return this;
  }

  protocol(number: number, invert: boolean): this {
    this.#protocol = number;
    if (invert) this.#flags |= RULE_FLAG_NOT_PROTOCOL;
    return this;
  }

  get hasProtocol(): boolean {
    return this.#protocol !== 0;
  }

  dport(from: number, to: number, invert: boolean): this {
    this.#from = from;
    this.#to = to;
    if (invert) this.#flags |= RULE_FLAG_NOT_DPORT;
    return this;
  }

  /** A further match: its MATCH_ kind and up to three words. */
  match(kind: number, invert: boolean, a = 0, b = 0, c = 0): this {
    this.matches.push4(invert ? kind | MATCH_INVERT : kind, a, b, c);
    return this;
  }

  /** A TARGET_ code with its words; JUMP and GOTO take their chain number as operand. */
  target(code: number, ...words: readonly number[]): this {
    this.#target = code;
    if (code === TARGET_JUMP || code === TARGET_GOTO) this.#operand = words[0] ?? 0;
    else for (const word of words) this.targetWords.push1(word);
    return this;
  }

  get hasTarget(): boolean {
    return this.#target !== TARGET_NONE;
  }

  /** Sets the words of a rule (RULE_…), whose own begin at `first`. */
  write(rule: Uint32Array, at: number, first: number): void {
    rule[at + RULE_SRC / 4] = this.#src === undefined ? 0 : ip4(this.#src.address);
    rule[at + RULE_SRC_MASK / 4] = maskOf(this.#src?.length ?? 0);
    rule[at + RULE_DST / 4] = this.#dst === undefined ? 0 : ip4(this.#dst.address);
    rule[at + RULE_DST_MASK / 4] = maskOf(this.#dst?.length ?? 0);
    rule[at + RULE_DPORT_FROM / 4] = this.#from | (this.#to << 16);
    rule[at + RULE_PROTOCOL / 4] =
      this.#protocol | (this.#flags << 8) | (this.#target << 16) | ((this.matches.length / 4) << 24);
    rule[at + RULE_WORDS / 4] = first;
    rule[at + RULE_OPERAND / 4] = this.#operand;
  }
}

function ip4(address: Prefix["address"]): number {
  return typeof address === "number" ? address : 0;
}

export function ruleColumns(drafts: readonly RuleDraft[]): RuleColumns {
  const columns = new RuleColumns(drafts.length);
  for (const draft of drafts) columns.add(draft);
  return columns;
}
