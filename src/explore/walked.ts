import { printRule as printIptablesRule } from "../ruleset/iptables-text.js";
import { printRule as printNftRule } from "../ruleset/nft-statement.js";
import { chainNumbered, type NumberedChain, type Numbering } from "../trace/numbering.js";
import type { TraceRecord } from "../trace/record.js";

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

function textOf({ of, rules }: NumberedChain, index: number): string {
  const rule = rules[index];
  if (rule === undefined) return "";
  return "statements" in rule ? printNftRule(rule, of.family === 6 ? "ip6" : "ip") : printIptablesRule(rule);
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
