import {
  MATCH_INVERT,
  RULE_DPORT_FROM,
  RULE_DPORT_TO,
  RULE_DST,
  RULE_DST_MASK,
  RULE_ENTRY_LEN,
  RULE_FLAG_NOT_DPORT,
  RULE_FLAG_NOT_DST,
  RULE_FLAG_NOT_PROTOCOL,
  RULE_FLAG_NOT_SRC,
  RULE_FLAGS,
  RULE_MATCHES,
  RULE_OPERAND,
  RULE_PROTOCOL,
  RULE_SRC,
  RULE_SRC_MASK,
  RULE_TARGET,
  RULE_WORDS,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_NONE,
} from "../../../assembly/abi/entry.js";
import { maskOf, type Prefix } from "../../net/prefix.js";
import { Words } from "./words.js";

/** A chain's rules and words as the machine takes them. */
export interface ChainEntries {
  readonly rules: Uint8Array;
  readonly count: number;
  readonly words: Uint32Array;
}

/** One rule as it is gathered from matches and a target of either tool. */
export class RuleDraft {
  #src: Prefix | undefined;
  #dst: Prefix | undefined;
  #protocol = 0;
  #from = 0;
  #to = 65535;
  #flags = 0;
  #target: number = TARGET_NONE;
  #operand = 0;
  readonly matches: number[] = [];
  #targetWords: readonly number[] = [];

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
    this.matches.push(invert ? kind | MATCH_INVERT : kind, a, b, c);
    return this;
  }

  /** A TARGET_ code with its words; JUMP and GOTO take their chain number as operand. */
  target(code: number, ...words: readonly number[]): this {
    this.#target = code;
    if (code === TARGET_JUMP || code === TARGET_GOTO) this.#operand = words[0] ?? 0;
    else this.#targetWords = words;
    return this;
  }

  get hasTarget(): boolean {
    return this.#target !== TARGET_NONE;
  }

  write(view: DataView, words: Words): void {
    const set = (field: number, value: number) => view.setUint32(field, value, true);
    const put = (prefix: Prefix | undefined, field: number, mask: number) => {
      set(field, typeof prefix?.address === "number" ? prefix.address : 0);
      set(mask, maskOf(prefix?.length ?? 0));
    };
    put(this.#src, RULE_SRC, RULE_SRC_MASK);
    put(this.#dst, RULE_DST, RULE_DST_MASK);
    view.setUint16(RULE_DPORT_FROM, this.#from, true);
    view.setUint16(RULE_DPORT_TO, this.#to, true);
    view.setUint8(RULE_PROTOCOL, this.#protocol);
    view.setUint8(RULE_FLAGS, this.#flags);
    view.setUint8(RULE_TARGET, this.#target);
    view.setUint8(RULE_MATCHES, this.matches.length / 4);
    set(RULE_WORDS, words.length);
    set(RULE_OPERAND, this.#operand);
    words.push(...this.matches, ...this.#targetWords);
  }
}

export function chainEntries(drafts: readonly RuleDraft[]): ChainEntries {
  const rules = new Uint8Array(drafts.length * RULE_ENTRY_LEN);
  const words = new Words();
  for (const [index, draft] of drafts.entries()) {
    draft.write(new DataView(rules.buffer, index * RULE_ENTRY_LEN, RULE_ENTRY_LEN), words);
  }
  return { rules, count: drafts.length, words: words.words };
}
