import { TARGET_UNDECIDED } from "../../../assembly/abi/entry.js";
import type { Match, Rule } from "../../ruleset/iptables.js";
import { addDoubtful, addLateDport, addMatch } from "./iptables-match.js";
import { addTarget } from "./iptables-target.js";
import type { RuleDraft } from "./rules.js";
import type { Scope } from "./scope.js";
import { setKey } from "./set-key.js";
import { matchDoubt, targetDoubt } from "./undecided.js";

/**
 * One iptables rule of a table as the machine takes it: `draft` is filled with it. Matches that may be undecided are
 * asked last, so that a packet which fails the others is told to have passed the rule by. TypeError for a set that is
 * not there, unless the rule was read from a file.
 */
export function iptablesRule(rule: Rule, scope: Scope, draft: RuleDraft): RuleDraft {
  const { matches, target } = rule;
  let doubtful: Match[] | undefined;
  let isNoted = false;
  for (const match of matches) {
    if (match.kind === "recent") {
      isNoted = true;
      for (const early of doubtful ?? []) addDoubtful(draft, early);
      doubtful = undefined;
    }
    if (isNoted) addLate(draft, match, rule, scope);
    else if (matchDoubt(match) === undefined && hasSet(match, rule, scope)) addMatch(draft, match, scope);
    else if (doubtful === undefined) doubtful = [match];
    else doubtful.push(match);
  }
  for (const match of doubtful ?? []) addDoubtful(draft, match);
  if (target === undefined) return draft;
  return targetDoubt(target) === undefined ? addTarget(draft, target, scope) : draft.target(TARGET_UNDECIDED);
}

/** From a match that notes addresses on, all are asked in their order. */
function addLate(draft: RuleDraft, match: Match, rule: Rule, scope: Scope): RuleDraft {
  if ((match.kind !== "recent" && matchDoubt(match) !== undefined) || !hasSet(match, rule, scope))
    return addDoubtful(draft, match);
  if (match.kind === "dport") return addLateDport(draft, match);
  return addMatch(draft, match, scope);
}

/** False for a match of a set that is not there, or has no keys that the machine looks up. */
function hasSet(match: Match, { line }: Rule, scope: Scope): boolean {
  if (match.kind !== "set") return true;
  const set = line === undefined ? scope.setOf(match.set) : scope.ipsetOf(match.set);
  return set !== undefined && setKey(set.type, match.sides) !== undefined;
}

/**
 * Why the machine cannot tell what some packets meet in a rule; undefined for one that it knows all of, provided that
 * its sets are given.
 */
export function ruleDoubt({ matches, target }: Rule): string | undefined {
  const doubt = target === undefined ? undefined : targetDoubt(target);
  return doubt ?? matches.map(matchDoubt).find((reason) => reason !== undefined);
}
