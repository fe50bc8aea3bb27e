import type { Match, Rule } from "../ruleset/iptables.js";
import { append, type Chains } from "./chains.js";
import { ACCEPT, commented, ctstate, jump, MASQUERADE_MARK, RETURN, rule } from "./rules.js";

/** A rule that leads from a built-in chain into one of kube-proxy's. */
export interface Jump {
  readonly chain: string;
  readonly from: string;
  readonly comment?: string;
  /** Only for packets that begin a connection. */
  readonly onlyNew?: true;
}

/**
 * Writes the jumps as kube-proxy does: each is put at the head of its built-in chain, so that they end in
 * reverse order.
 */
export function insertJumps(chains: Chains, jumps: readonly Jump[]): void {
  for (const { chain, from, comment, onlyNew } of jumps) {
    const matches: readonly Match[] = onlyNew ? [ctstate("NEW")] : [];
    const target = jump(chain);
    const inserted: Rule =
      comment === undefined
        ? { matches, target }
        : { matches, comment, ...(onlyNew ? { commentAt: 1 } : {}), target };
    append(chains, chain);
    chains.set(from, [inserted, ...(chains.get(from) ?? [])]);
  }
}

/** KUBE-MARK-MASQ and KUBE-POSTROUTING: packets marked on the way are masqueraded as they leave. */
export function writeMasquerade(nat: Chains, mark: number = MASQUERADE_MARK): void {
  const marked: Match = { kind: "mark", value: mark, mask: mark };
  append(nat, "KUBE-MARK-MASQ", rule([], { kind: "mark", value: mark, mask: mark }));
  append(
    nat,
    "KUBE-POSTROUTING",
    rule([{ ...marked, invert: true }], RETURN),
    // Clears the bit, lest a packet that crosses the stack again be masqueraded twice.
    rule([], { kind: "mark", value: mark, mask: 0 }),
    commented("kubernetes service traffic requiring SNAT", [], { kind: "masquerade", randomFully: true }),
  );
}

/** KUBE-FORWARD's accepting rules, for nodes whose FORWARD policy is DROP. */
export function writeForward(filter: Chains, mark: number = MASQUERADE_MARK): void {
  append(
    filter,
    "KUBE-FORWARD",
    commented("kubernetes forwarding rules", [{ kind: "mark", value: mark, mask: mark }], ACCEPT),
    commented("kubernetes forwarding conntrack rule", [ctstate("RELATED", "ESTABLISHED")], ACCEPT),
  );
}
