import { printRule as printIptablesRule } from "../ruleset/iptables-text.js";
import { printRule as printNftRule } from "../ruleset/nft-statement.js";
import type { DropReason } from "../trace/codes.js";
import { chainNumbered, type NumberedChain, type NumberedTable, type Numbering } from "../trace/numbering.js";
import type { TraceRecord } from "../trace/record.js";
import type { Outcome } from "./outcome.js";

/** A rule that matched a packet on its way. */
export interface WalkedRule {
  /** `nat`, `ip6tables nat`, `kube-proxy`. */
  readonly table: string;
  readonly chain: string;
  /** 1-based, as `iptables -L --line-numbers` counts. */
  readonly rule: number;
  /** As its tool lists it, without its chain; "" for a rule of a chain that is gone. */
  readonly text: string;
  /** Rules and look-ups that were asked until it matched, it too. */
  readonly asked: number;
}

const familyName = ({ family }: NumberedTable) => (family === 6 ? "ip6" : "ip");

function textOf({ of, rules }: NumberedChain, index: number): string {
  const rule = rules[index];
  if (rule === undefined) return "";
  return "statements" in rule ? printNftRule(rule, familyName(of)) : printIptablesRule(rule);
}

/** The rules that matched a packet, in the order of its way. */
export function walkedRules(
  records: readonly TraceRecord[],
  numbering: Pick<Numbering, "chains">,
): WalkedRule[] {
  return records
    .filter(({ event }) => event === "RULE")
    .map(({ a, b, e }) => {
      const chain = chainNumbered(numbering, a);
      const { of, name } = chain;
      return { table: of.title, chain: name, rule: b + 1, text: textOf(chain, b), asked: e };
    });
}

/** Reasons that a rule's REJECT gives. */
const REJECTIONS: readonly DropReason[] = [
  "PORT_UNREACHABLE",
  "NET_UNREACHABLE",
  "HOST_UNREACHABLE",
  "PROTOCOL_UNREACHABLE",
  "NET_PROHIBITED",
  "HOST_PROHIBITED",
  "ADMIN_PROHIBITED",
  "POLICY_FAIL",
  "REJECT_ROUTE",
  "TCP_RESET",
];

function isRuled({ verdict, reason }: Outcome): boolean {
  return verdict === "DROP" ? reason === "RULE" : verdict === "REJECT" && REJECTIONS.includes(reason);
}

/** What a base chain does with a packet that no rule decides, as `iptables -S` and nft's own language say it. */
function printPolicy({ of, name }: NumberedChain): string {
  if (of.tool === "iptables") return `-P ${name} DROP`;
  return `add chain ${familyName(of)} ${of.name} ${name} { policy drop; }`;
}

/**
 * The rule, or the policy, that drops or rejects a packet, with its chain: as `iptables-save` lists it, or as `nft monitor` tells
 * it. Undefined where neither did.
 */
export function refusingRule(outcome: Outcome, numbering: Pick<Numbering, "chains">): string | undefined {
  if (!isRuled(outcome)) return undefined;
  const last = outcome.records.findLast(({ event }) => event === "RULE" || event === "HOOK");
  const hook = last?.event === "HOOK" ? last : undefined;
  if (hook?.c === 1) return printPolicy(chainNumbered(numbering, hook.b));
  const rule = outcome.records.findLast(({ event }) => event === "RULE");
  if (rule === undefined) return undefined;
  const chain = chainNumbered(numbering, rule.a);
  const { of, name } = chain;
  const text = textOf(chain, rule.b);
  return of.tool === "iptables"
    ? `-A ${name} ${text}`
    : `add rule ${familyName(of)} ${of.name} ${name} ${text}`;
}
