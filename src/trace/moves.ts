import {
  TARGET_ACCEPT,
  TARGET_DNAT,
  TARGET_DNAT6,
  TARGET_DROP,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_MARK,
  TARGET_MASQUERADE,
  TARGET_NAT,
  TARGET_NETMAP,
  TARGET_NUMGEN,
  TARGET_REDIRECT,
  TARGET_REJECT,
  TARGET_UNDECIDED,
  TARGET_VMAP,
  WORD_CHAIN_SHIFT,
} from "../../assembly/abi/entry.js";
import type { Ip } from "../net/ip.js";
import { chainNumbered, type NumberedChain, type Numbering } from "./numbering.js";
import { secondEnd, type TraceRecord } from "./record.js";

/** What a matching rule did. */
export type Effect =
  | { readonly kind: "enter"; readonly chain: string }
  | { readonly kind: "accept" | "drop" | "reject" | "masquerade" | "snat" | "mark" | "undecided" }
  | { readonly kind: "dnat"; readonly address: Ip; readonly port: number }
  /** Nothing that lasts: RETURN, a look-up without a result, a rule that only counts. */
  | { readonly kind: "pass" };

/** A rule that matched, and what came of it. */
export interface Move {
  readonly chain: NumberedChain;
  /** 0-based. */
  readonly rule: number;
  readonly effect: Effect;
  /** The record that followed the rule's own and tells more: VMAP, NUMGEN or DNAT. */
  readonly detail: TraceRecord | undefined;
  /** What happened in the chain that it led to, until that was left again. */
  readonly within: readonly Move[];
}

const PASS: Effect = { kind: "pass" };
const SIMPLE: ReadonlyMap<number, Effect> = new Map([
  [TARGET_ACCEPT, { kind: "accept" }],
  [TARGET_DROP, { kind: "drop" }],
  [TARGET_REJECT, { kind: "reject" }],
  [TARGET_MASQUERADE, { kind: "masquerade" }],
  [TARGET_MARK, { kind: "mark" }],
  [TARGET_UNDECIDED, { kind: "undecided" }],
]);
const NAT = new Set([TARGET_DNAT, TARGET_DNAT6, TARGET_NAT, TARGET_NETMAP, TARGET_REDIRECT]);
const DETAILED = new Set(["VMAP", "NUMGEN", "DNAT"]);

/** What a rule did, and the chain it handed the packet to, if it did that. */
interface Reading {
  readonly effect: Effect;
  readonly entered?: number;
}

function enter(chain: number, numbering: Numbering): Reading {
  return { effect: { kind: "enter", chain: chainNumbered(numbering, chain).name }, entered: chain };
}

/** A verdict word: TARGET code and chain. */
function readWord(word: number, numbering: Numbering): Reading {
  const target = word & 0xff;
  if (target === TARGET_JUMP || target === TARGET_GOTO) return enter(word >>> WORD_CHAIN_SHIFT, numbering);
  return { effect: SIMPLE.get(target) ?? PASS };
}

function readRule(rule: TraceRecord, detail: TraceRecord | undefined, numbering: Numbering): Reading {
  const { c: target, d: operand } = rule;
  if (target === TARGET_JUMP || target === TARGET_GOTO) return enter(operand, numbering);
  if (target === TARGET_NUMGEN && detail !== undefined) return enter(detail.a, numbering);
  if (target === TARGET_VMAP && detail !== undefined) return readWord(detail.d, numbering);
  if (NAT.has(target)) {
    if (detail === undefined) return { effect: { kind: "snat" } };
    return { effect: { kind: "dnat", address: secondEnd(detail, detail.c), port: detail.d & 0xffff } };
  }
  return { effect: SIMPLE.get(target) ?? PASS };
}

/** A chain being walked: its number, and where its moves are written down. */
interface Frame {
  readonly chain: number;
  readonly moves: Move[];
}

/**
 * The records of one base chain's walk as a tree: each rule that led into a chain holds what happened there. That
 * a chain was left is told by the next record, which stands in an outer one; after a GOTO it never stands in the
 * chain that was gone from.
 */
export function readMoves(records: readonly TraceRecord[], numbering: Numbering): readonly Move[] {
  const top: Move[] = [];
  const stack: Frame[] = [{ chain: records[0]?.a ?? 0, moves: top }];
  for (const [index, rule] of records.entries()) {
    if (rule.event !== "RULE") continue;
    while (stack.length > 1 && stack.at(-1)?.chain !== rule.a) stack.pop();
    const next = records[index + 1];
    const detail = next !== undefined && DETAILED.has(next.event) ? next : undefined;
    const { effect, entered } = readRule(rule, detail, numbering);
    const within: Move[] = [];
    stack
      .at(-1)
      ?.moves.push({ chain: chainNumbered(numbering, rule.a), rule: rule.b, effect, detail, within });
    if (entered !== undefined) stack.push({ chain: entered, moves: within });
  }
  return top;
}
