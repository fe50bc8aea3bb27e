import type { Iptables, Match, Rule, Target } from "./iptables.js";

/** Something in a rule that this program does not know. */
export interface UnknownPart {
  readonly family: 4 | 6;
  readonly table: string;
  readonly chain: string;
  readonly rule: Rule;
  /** Where its rule stands; undefined for rules that were not read from a file. */
  readonly line: number | undefined;
  /** As the listing has it: `-m string --algo bm --string x`, `-j TARPIT`. */
  readonly text: string;
}

const textOf = (part: Match | Target | undefined) => (part?.kind === "unknown" ? [part.text] : []);

/** Every match and target of a listing that is not known, in the order of the listing. */
export function unknownParts({ family, tables }: Iptables): readonly UnknownPart[] {
  return tables.flatMap(({ name: table, chains }) =>
    chains.flatMap(({ name: chain, rules }) =>
      rules.flatMap((rule) =>
        [...rule.matches.flatMap(textOf), ...textOf(rule.target)].map((text) => ({
          family,
          table,
          chain,
          rule,
          line: rule.line,
          text,
        })),
      ),
    ),
  );
}

function withoutLine({ line: _, ...rule }: Rule): Rule {
  return rule;
}

/** The same rules without the lines that they were read from: what two listings compare by. */
export function withoutLines(iptables: Iptables): Iptables {
  return {
    ...iptables,
    tables: iptables.tables.map((table) => ({
      ...table,
      chains: table.chains.map((chain) => ({ ...chain, rules: chain.rules.map(withoutLine) })),
    })),
  };
}
