import { MATCH_IN, MATCH_IN_LIST, MATCH_OUT, MATCH_OUT_LIST } from "../../../assembly/abi/entry.js";
import type { RuleDraft } from "./rules.js";
import type { Scope } from "./scope.js";

/** The node reaches itself by it, whatever the ruleset says of interfaces. */
const LOOPBACK = "lo";

/** A match of the interface that a packet came in by, or leaves by: `name`, or all whose names begin with `prefix`. */
export function addInterface(
  draft: RuleDraft,
  isIn: boolean,
  invert: boolean,
  wanted: { readonly name: string } | { readonly prefix: string },
  scope: Scope,
): RuleDraft {
  if ("name" in wanted) {
    const { name } = wanted;
    const number = scope.interfaceNumber(name);
    return draft.match(isIn ? MATCH_IN : MATCH_OUT, invert, number, Number(name === LOOPBACK));
  }
  const { prefix } = wanted;
  const numbers = scope.interfaces.flatMap(({ name }, index) => (name.startsWith(prefix) ? [index + 1] : []));
  const kind = isIn ? MATCH_IN_LIST : MATCH_OUT_LIST;
  return draft.list(kind, invert, [numbers.length, Number(LOOPBACK.startsWith(prefix))], numbers);
}

/** iptables' `eth+` is every interface whose name begins so; nftables writes `eth*`. */
export function interfacesNamed(
  text: string,
  wildcard: "+" | "*",
): { readonly name: string } | { readonly prefix: string } {
  return text.endsWith(wildcard) ? { prefix: text.slice(0, -1) } : { name: text };
}
