import * as abi from "../../assembly/abi/entry.js";
import * as rule from "../../assembly/abi/rule.js";
import type { RulesetEntries } from "../../src/engine/live/ruleset.js";
import type { ExactTable } from "./exact.js";
import type { Hops } from "./hops.js";
import type { Packet } from "./packet.js";
import type { Random } from "./random.js";

/** A rule's words: src, mask, dst, mask, ports, codes, words, operand. */
const RULE_WORDS = abi.RULE_ENTRY_LEN / 4;
const DST = 2;
const PORTS = 4;
const CODES = 5;
const WORDS = 6;
const OPERAND = 7;
const DEPTH_MAX = 16;
const ROW_WORDS = abi.CHAIN_ROW_LEN / 4;

/** Chains of rules behind one another in one array, each with its rules first and then their words. */
export class Rules {
  readonly #words: Int32Array;
  readonly #starts: Int32Array;
  readonly #counts: Int32Array;
  readonly #tables: readonly (ExactTable | undefined)[];
  readonly #hops: Hops;
  readonly #random: Random;
  readonly #stack = new Int32Array((DEPTH_MAX + 1) * 3);

  constructor(
    chains: RulesetEntries["chains"],
    tables: readonly (ExactTable | undefined)[],
    hops: Hops,
    random: Random,
  ) {
    this.#tables = tables;
    this.#hops = hops;
    this.#random = random;
    const { rows, rules, words } = chains;
    const count = rows.length / ROW_WORDS;
    this.#starts = new Int32Array(count);
    this.#counts = new Int32Array(count);
    this.#words = new Int32Array(rules.length + words.length);
    let [top, rule, word] = [0, 0, 0];
    for (let row = 0; row < rows.length; row += ROW_WORDS) {
      const [number = 0, ruleCount = 0, wordCount = 0] = rows.subarray(row, row + ROW_WORDS);
      this.#starts[number] = top;
      this.#counts[number] = ruleCount;
      this.#words.set(rules.subarray(rule, rule + ruleCount * RULE_WORDS), top);
      this.#words.set(words.subarray(word, word + wordCount), top + ruleCount * RULE_WORDS);
      rule += ruleCount * RULE_WORDS;
      word += wordCount;
      top += ruleCount * RULE_WORDS + wordCount;
    }
  }

  /** The value of the packet's key in a table; 0 for none. */
  #findByKey(packet: Packet, number: number, key: number): number {
    packet.walked++;
    const table = this.#tables[number];
    if (table === undefined) return 0;
    const port = (packet.protocol << 16) | (packet.ports & 0xffff);
    if (key === rule.KEY_DST_PROTO_DPORT) return table.find(packet.dst, port);
    if (key === rule.KEY_PROTO_DPORT) return table.find(0, port);
    if (key === rule.KEY_DST) return table.find(packet.dst, 0);
    if (key === rule.KEY_SRC) return table.find(packet.src, 0);
    if (key === rule.KEY_DST_PROTO_DPORT_SRC)
      return packet.src === packet.dst ? table.find(packet.dst, port) : 0;
    return table.find(packet.src, (packet.protocol << 16) | (packet.ports >>> 16));
  }

  #holds(packet: Packet, kind: number, a: number, b: number): boolean {
    switch (kind) {
      case abi.MATCH_STATISTIC:
        return (this.#random.draw() & 0x7fffffff) < a;
      case abi.MATCH_MARK:
        return (packet.mark & b) === a;
      case abi.MATCH_CTSTATE:
        return ((packet.ctstate === 0 ? abi.CTSTATE_UNTRACKED : packet.ctstate) & a) !== 0;
      case abi.MATCH_LOCAL:
        return this.#hops.isLocal(a === 0 ? packet.src : packet.dst);
      case abi.MATCH_SET:
        return this.#findByKey(packet, a, b) !== 0;
      case abi.MATCH_IN:
        return packet.in === a;
      case abi.MATCH_OUT:
        return packet.hop >= 0 && this.#hops.outOf(packet.hop) === a;
      case abi.MATCH_SPORT:
        return (packet.ports >>> 16) - a >= 0 && packet.ports >>> 16 <= b;
      case abi.MATCH_BRIDGED:
        return this.#hops.isBridged(packet.frameSrc, packet.in);
      case abi.MATCH_PORTS:
        return packet.protocol === 6 || packet.protocol === 17;
      default:
        return false;
    }
  }

  #matchesHold(packet: Packet, from: number, count: number): boolean {
    const words = this.#words;
    for (let at = from; at < from + count * 4; at += 4) {
      const kind = words[at] as number;
      const inverted = (kind & abi.MATCH_INVERT) !== 0;
      if (this.#holds(packet, kind & 0xff, words[at + 1] as number, words[at + 2] as number) === inverted)
        return false;
    }
    return true;
  }

  /** The first rule from here on that matches, or `end`: the loop that linear rule sets live in. */
  #nextMatch(packet: Packet, first: number, end: number, base: number): number {
    const words = this.#words;
    const { src, dst, protocol } = packet;
    const port = packet.ports & 0xffff;
    let rule = first;
    for (; rule < end; rule += RULE_WORDS) {
      const codes = words[rule + CODES] as number;
      const inverted = (codes >>> 8) & 0xff;
      const dstDiffers = (dst & (words[rule + DST + 1] as number)) !== words[rule + DST];
      if (dstDiffers !== ((inverted & abi.RULE_FLAG_NOT_DST) !== 0)) continue;
      const srcDiffers = (src & (words[rule + 1] as number)) !== words[rule];
      if (srcDiffers !== ((inverted & abi.RULE_FLAG_NOT_SRC) !== 0)) continue;
      const ruleProtocol = codes & 0xff;
      const protocolDiffers = ruleProtocol !== 0 && ruleProtocol !== protocol;
      if (protocolDiffers !== ((inverted & abi.RULE_FLAG_NOT_PROTOCOL) !== 0)) continue;
      const ports = words[rule + PORTS] as number;
      const portDiffers = port < (ports & 0xffff) || port > ports >>> 16;
      if (portDiffers !== ((inverted & abi.RULE_FLAG_NOT_DPORT) !== 0)) continue;
      const matches = codes >>> 24;
      if (matches === 0 || this.#matchesHold(packet, base + (words[rule + WORDS] as number), matches)) break;
    }
    const passed = (rule - first) / RULE_WORDS;
    packet.walked += rule < end ? passed + 1 : passed;
    return rule;
  }

  /** The verdict word of a rule's target; TARGET_NONE to go on. */
  #apply(packet: Packet, rule: number, at: number): number {
    const words = this.#words;
    const [a, b] = [words[at] as number, words[at + 1] as number];
    const target = ((words[rule + CODES] as number) >>> 16) & 0xff;
    switch (target) {
      case abi.TARGET_MARK:
        packet.mark = (packet.mark & ~b) ^ a;
        return abi.TARGET_NONE;
      case abi.TARGET_DNAT:
        packet.dst = a;
        packet.ports = (packet.ports & 0xffff0000) | (b === 0 ? packet.ports & 0xffff : b);
        return abi.TARGET_ACCEPT;
      case abi.TARGET_MASQUERADE:
        packet.masquerade = 1 + a;
        return abi.TARGET_ACCEPT;
      case abi.TARGET_VMAP:
        return this.#findByKey(packet, a, b);
      case abi.TARGET_NUMGEN:
        return words[at + 1 + this.#random.below(a)] as number;
      default:
        return target | ((words[rule + OPERAND] as number) << abi.WORD_CHAIN_SHIFT);
    }
  }

  /** Walks a base chain: ACCEPT, DROP, REJECT, or NONE when no rule decided. */
  walk(packet: Packet, chain: number): number {
    const [words, stack] = [this.#words, this.#stack];
    let depth = 0;
    let rule = this.#starts[chain] as number;
    let end = rule + (this.#counts[chain] as number) * RULE_WORDS;
    let base = end;
    for (;;) {
      const found = this.#nextMatch(packet, rule, end, base);
      let word: number = abi.TARGET_RETURN;
      if (found < end) {
        rule = found + RULE_WORDS;
        const matches = (words[found + CODES] as number) >>> 24;
        word = this.#apply(packet, found, base + (words[found + WORDS] as number) + matches * 4);
      }
      const target = word & 0xff;
      if (target === abi.TARGET_JUMP || target === abi.TARGET_GOTO) {
        if (target === abi.TARGET_JUMP) {
          if (depth === DEPTH_MAX) return abi.TARGET_DROP;
          stack[depth * 3] = rule;
          stack[depth * 3 + 1] = end;
          stack[depth * 3 + 2] = base;
          depth++;
        }
        rule = this.#starts[word >> abi.WORD_CHAIN_SHIFT] as number;
        end = rule + (this.#counts[word >> abi.WORD_CHAIN_SHIFT] as number) * RULE_WORDS;
        base = end;
      } else if (target === abi.TARGET_RETURN) {
        if (depth === 0) return abi.TARGET_NONE;
        depth--;
        rule = stack[depth * 3] as number;
        end = stack[depth * 3 + 1] as number;
        base = stack[depth * 3 + 2] as number;
      } else if (target !== abi.TARGET_NONE) {
        return target;
      }
    }
  }
}
