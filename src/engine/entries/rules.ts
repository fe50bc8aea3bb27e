import {
  MATCH_DST,
  MATCH_DST6,
  MATCH_INVERT,
  MATCH_LEN,
  MATCH_MORE_SHIFT,
  MATCH_SRC,
  MATCH_SRC6,
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
  TARGET_DNAT,
  TARGET_DNAT6,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_NONE,
  TARGET_REJECT,
} from "../../../assembly/abi/entry.js";
import type { Ip } from "../../net/ip.js";
import { maskOf, type Prefix } from "../../net/prefix.js";
import { Words, wordsOf6 } from "./words.js";

const OPERAND_TARGETS: ReadonlySet<number> = new Set([TARGET_JUMP, TARGET_GOTO, TARGET_REJECT]);
const SLOTS_MAX = 255;
const SLOT_WORDS = MATCH_LEN / 4;
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
    if (draft.matches.length > SLOT_WORDS * SLOTS_MAX)
      throw new TypeError(
        `The machine takes at most ${SLOTS_MAX} further matches in a rule, and fewer with lists; split the rule.`,
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

/** What one of the rule's own address fields holds. */
interface Field {
  readonly address: number;
  readonly mask: number;
}

/** One rule as it is gathered from matches and a target of either tool. Drafts are used again: nothing is left behind. */
export class RuleDraft {
  #src: Field | undefined;
  #dst: Field | undefined;
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

  /** The rule's source; of IPv6 its last word, with a further match for all of it. */
  src(prefix: Prefix, invert: boolean): this {
    const field = this.#fieldOf(prefix, MATCH_SRC6, invert);
    if (field === undefined) return this;
    this.#src = field;
    if (invert) this.#flags |= RULE_FLAG_NOT_SRC;
    return this;
  }

  dst(prefix: Prefix, invert: boolean): this {
    const field = this.#fieldOf(prefix, MATCH_DST6, invert);
    if (field === undefined) return this;
    this.#dst = field;
    if (invert) this.#flags |= RULE_FLAG_NOT_DST;
    return this;
  }

  /** What of a prefix a rule's own field can compare; undefined for nothing. */
  #fieldOf({ address, length }: Prefix, kind: number, invert: boolean): Field | undefined {
    if (typeof address === "number") return { address, mask: maskOf(length) };
    this.#prefixes6(kind, invert, [{ address, length }]);
    if (invert || length <= 96) return undefined;
    return { address: Number(address & 0xffffffffn), mask: maskOf(length - 96) };
  }

  /** A further match for the packet's source, or destination, to be within one of some prefixes of one family. */
  prefixes(isSrc: boolean, invert: boolean, prefixes: readonly Prefix[]): this {
    if (typeof prefixes[0]?.address === "bigint")
      return this.#prefixes6(isSrc ? MATCH_SRC6 : MATCH_DST6, invert, prefixes);
    const words = prefixes.flatMap(({ address, length }) => [Number(address), maskOf(length)]);
    return this.list(isSrc ? MATCH_SRC : MATCH_DST, invert, [prefixes.length], words);
  }

  #prefixes6(kind: number, invert: boolean, prefixes: readonly Prefix[]): this {
    const isWhole = prefixes.every(({ length }) => length === 128);
    const words = prefixes.flatMap(({ address, length }) =>
      isWhole ? wordsOf6(BigInt(address)) : [...wordsOf6(BigInt(address)), ...wordsOf6(mask6(length))],
    );
    return this.list(kind, invert, [prefixes.length, isWhole ? 1 : 2], words);
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

  /** A match that goes on in further slots: `words` fill them, and zeros the last one's rest. */
  list(
    kind: number,
    invert: boolean,
    [a = 0, b = 0, c = 0]: readonly number[],
    words: readonly number[],
  ): this {
    const slots = Math.ceil(words.length / SLOT_WORDS);
    this.match(kind | (slots << MATCH_MORE_SHIFT), invert, a, b, c);
    this.matches.append(words);
    for (let rest = slots * SLOT_WORDS - words.length; rest > 0; rest--) this.matches.push1(0);
    return this;
  }

  /** A TARGET_ code with its words; JUMP and GOTO take their chain number as operand, REJECT its reason. */
  target(code: number, ...words: readonly number[]): this {
    this.#target = code;
    if (OPERAND_TARGETS.has(code)) this.#operand = words[0] ?? 0;
    else for (const word of words) this.targetWords.push1(word);
    return this;
  }

  /** DNAT to an address of either family; port 0 keeps the packet's. */
  dnat(address: Ip, port: number): this {
    if (typeof address === "number") return this.target(TARGET_DNAT, address, port);
    return this.target(TARGET_DNAT6, ...wordsOf6(address), port);
  }

  get hasTarget(): boolean {
    return this.#target !== TARGET_NONE;
  }

  /** Sets the words of a rule (RULE_…), whose own begin at `first`. */
  write(rule: Uint32Array, at: number, first: number): void {
    rule[at + RULE_SRC / 4] = this.#src?.address ?? 0;
    rule[at + RULE_SRC_MASK / 4] = this.#src?.mask ?? 0;
    rule[at + RULE_DST / 4] = this.#dst?.address ?? 0;
    rule[at + RULE_DST_MASK / 4] = this.#dst?.mask ?? 0;
    rule[at + RULE_DPORT_FROM / 4] = this.#from | (this.#to << 16);
    rule[at + RULE_PROTOCOL / 4] =
      this.#protocol | (this.#flags << 8) | (this.#target << 16) | ((this.matches.length / SLOT_WORDS) << 24);
    rule[at + RULE_WORDS / 4] = first;
    rule[at + RULE_OPERAND / 4] = this.#operand;
  }
}

function mask6(length: number): bigint {
  return ((1n << BigInt(length)) - 1n) << BigInt(128 - length);
}

export function ruleColumns(drafts: readonly RuleDraft[]): RuleColumns {
  const columns = new RuleColumns(drafts.length);
  for (const draft of drafts) columns.add(draft);
  return columns;
}
