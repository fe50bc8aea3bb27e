import fc from "fast-check";
import {
  CTSTATE_DNAT,
  CTSTATE_ESTABLISHED,
  CTSTATE_INVALID,
  CTSTATE_NEW,
  HOOK_FORWARD,
  HOOK_INPUT,
  HOOK_OUTPUT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
  MATCH_BITS,
  MATCH_CTSTATE,
  MATCH_IN,
  MATCH_MARK,
  MATCH_SPORT,
  MATCH_STATISTIC,
  MATCH_UNDECIDED,
  MATCH_WITHIN,
  TARGET_ACCEPT,
  TARGET_CONNMARK,
  TARGET_DROP,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_MARK,
  TARGET_NONE,
  TARGET_RETURN,
} from "../../assembly/abi/entry.js";
import {
  CONNMARK_SET,
  CTSTATUS_SEEN_REPLY,
  FIELD_CONNMARK,
  FIELD_CT_STATUS,
  FIELD_TTL,
  UNDECIDED_ALWAYS,
} from "../../assembly/abi/rule.js";
import { RuleDraft } from "../../src/engine/entries/rules.js";
import { ip4 } from "../bare-node.js";
import { POD_PORT, PODS } from "./node.js";

/** Where the drawn chains stand; the fourth is where jumps lead to. */
export const HOOKS = [HOOK_PREROUTING, HOOK_FORWARD, HOOK_POSTROUTING, undefined, HOOK_INPUT, HOOK_OUTPUT];
/** The chain that drawn jumps lead to. */
const SUB_CHAIN = 4;

type Match = (rule: RuleDraft, invert: boolean) => RuleDraft;

const MATCHES: Readonly<Record<string, Match>> = {
  established: (rule, invert) => rule.match(MATCH_CTSTATE, invert, CTSTATE_ESTABLISHED),
  new: (rule, invert) => rule.match(MATCH_CTSTATE, invert, CTSTATE_NEW),
  invalid: (rule, invert) => rule.match(MATCH_CTSTATE, invert, CTSTATE_INVALID),
  dnat: (rule, invert) => rule.match(MATCH_CTSTATE, invert, CTSTATE_DNAT),
  mark: (rule, invert) => rule.match(MATCH_MARK, invert, 0x4000, 0x4000),
  unmarked: (rule, invert) => rule.match(MATCH_MARK, invert, 0, 0x4000),
  statistic: (rule) => rule.match(MATCH_STATISTIC, false, 1 << 30),
  sport: (rule, invert) => rule.match(MATCH_SPORT, invert, 80, 4000),
  in: (rule, invert) => rule.match(MATCH_IN, invert, POD_PORT),
  connmark: (rule, invert) => rule.match(MATCH_BITS, invert, FIELD_CONNMARK, 1, 1),
  replied: (rule, invert) => rule.match(MATCH_BITS, invert, FIELD_CT_STATUS, 0, CTSTATUS_SEEN_REPLY),
  ttl: (rule, invert) => rule.match(MATCH_WITHIN, invert, FIELD_TTL, 0, 63),
  undecided: (rule, invert) => rule.match(MATCH_UNDECIDED, invert, UNDECIDED_ALWAYS),
};

const FIELDS: Readonly<Record<string, Match>> = {
  src: (rule, invert) => rule.src({ address: ip4(PODS[0]), length: 32 }, invert),
  dst: (rule, invert) => rule.dst({ address: ip4("10.244.2.0"), length: 24 }, invert),
  protocol: (rule, invert) => rule.protocol(6, invert),
  low: (rule, invert) => rule.dport(0, 80, invert),
  high: (rule, invert) => rule.dport(80, 65_535, invert),
};

const drawnFrom = (table: Readonly<Record<string, Match>>, maxLength: number) =>
  fc.array(fc.tuple(fc.constantFrom(...Object.values(table)), fc.boolean()), { maxLength });

/** A rule of a filter chain: mostly such as say what becomes of known connections, others before and among them. */
const ruleOf = (targets: readonly number[]) =>
  fc
    .record({
      fields: fc.oneof(
        { weight: 5, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: drawnFrom(FIELDS, 1) },
      ),
      matches: drawnFrom(MATCHES, 2),
      target: fc.constantFrom(...targets),
    })
    .map(({ fields, matches, target }) => {
      const rule = new RuleDraft();
      for (const [add, invert] of [...fields, ...matches]) add(rule, invert);
      if (target === TARGET_CONNMARK) return rule.target(TARGET_CONNMARK, CONNMARK_SET, 1, 1);
      if (target === TARGET_MARK) return rule.target(TARGET_MARK, 0x4000, 0x4000);
      return target === TARGET_JUMP || target === TARGET_GOTO
        ? rule.target(target, SUB_CHAIN)
        : rule.target(target);
    });

const PLAIN_TARGETS = [
  TARGET_NONE,
  TARGET_ACCEPT,
  TARGET_ACCEPT,
  TARGET_DROP,
  TARGET_RETURN,
  TARGET_MARK,
  TARGET_CONNMARK,
];
export const drawnRule = ruleOf([...PLAIN_TARGETS, TARGET_JUMP, TARGET_JUMP, TARGET_GOTO]);
/** The chain that others lead to leads nowhere: loops are refused before. */
export const lastRule = ruleOf(PLAIN_TARGETS);
