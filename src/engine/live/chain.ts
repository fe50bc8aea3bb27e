import type { Chain, Rule } from "../../ruleset/iptables.js";
import type { NftChain, NftRule } from "../../ruleset/nftables.js";
import type { NumberedChain, NumberedTable } from "../../trace/numbering.js";
import { RuleList } from "./rule-list.js";

export type AnyChain = Chain | NftChain;
export type AnyRule = Rule | NftRule;

const NO_RULES: readonly AnyRule[] = [];

/** A chain that an engine holds: its number stays while it is there, or is named by a rule or map. */
export class LiveChain implements NumberedChain {
  /** As the ruleset has it, but for rules that changed since; undefined where it is only named. */
  head: AnyChain | undefined;
  /** The rules, once they were changed one by one. */
  list: RuleList<AnyRule> | undefined;
  /** Rules and map elements that name it. */
  references = 0;
  /** In its table's list of chains. */
  position = 0;

  constructor(
    readonly number: number,
    readonly of: NumberedTable,
    readonly name: string,
  ) {}

  get rules(): readonly AnyRule[] {
    return this.list?.flat ?? this.head?.rules ?? NO_RULES;
  }

  get length(): number {
    return this.list?.length ?? this.head?.rules.length ?? 0;
  }

  each(use: (rule: AnyRule) => void): void {
    if (this.list !== undefined) this.list.each(use);
    else for (const rule of this.rules) use(rule);
  }

  /** Takes rules out and puts others in their place; those taken out. */
  splice(at: number, removed: number, rules: readonly AnyRule[]): readonly AnyRule[] {
    this.list ??= new RuleList(this.rules);
    return this.list.splice(at, removed, rules);
  }

  /** As plain data, where it is defined. */
  get chain(): AnyChain {
    const { head, rules } = this;
    if (head !== undefined && head.rules !== rules) this.head = { ...head, rules } as AnyChain;
    return this.head as AnyChain;
  }

  get type(): string | undefined {
    const { head, of } = this;
    return head !== undefined && "base" in head ? head.base?.type : of.name;
  }

  get policy(): Chain["policy"] {
    const { head } = this;
    return head !== undefined && "policy" in head ? head.policy : undefined;
  }

  /** A base chain: one that a hook may walk. */
  get isBase(): boolean {
    const { head } = this;
    return head !== undefined && (("policy" in head && head.policy !== undefined) || "base" in head);
  }
}
