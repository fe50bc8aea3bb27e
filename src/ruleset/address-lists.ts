import type { Match, Rule } from "./iptables.js";

/**
 * The rules that iptables makes of one with lists of addresses (`-s 10.0.0.1,10.0.0.2`), one for each source and
 * destination, sources changing last. The rule has the first match of each list.
 */
export function rulesFor(rule: Rule, lists: readonly (readonly Match[])[]): readonly Rule[] {
  const inOrder = [...lists].sort(([a]) => (a?.kind === "source" ? -1 : 1));
  return inOrder.reduce<readonly Rule[]>(
    (rules, list) => rules.flatMap((one) => list.map((match) => withMatch(one, match))),
    [rule],
  );
}

/** The rule with a match in place of that of its kind. */
function withMatch(rule: Rule, match: Match): Rule {
  return { ...rule, matches: rule.matches.map((one) => (one.kind === match.kind ? match : one)) };
}
