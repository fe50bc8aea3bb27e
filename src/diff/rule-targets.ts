import type { Ip } from "../net/ip.js";
import type { Protocol } from "../net/port.js";
import { hostLength } from "../net/prefix.js";
import type { Rule } from "../ruleset/iptables.js";
import type { Facts } from "./side.js";

/** Something that a rule names: an address and a port. */
export interface RuleTarget {
  readonly address: Ip;
  readonly protocol: Protocol;
  readonly port: number;
}

const PROTOCOLS: readonly unknown[] = ["TCP", "UDP", "SCTP"];

function protocolOf({ matches }: Rule): Protocol | undefined {
  const named = matches.find((match) => match.kind === "protocol" && !match.invert);
  if (named?.kind !== "protocol" || !PROTOCOLS.includes(named.protocol)) return undefined;
  return named.protocol as Protocol;
}

/** The one port that a rule asks for. */
function portOf({ matches }: Rule): number | undefined {
  const match = matches.find(({ kind }) => kind === "dport");
  if (match?.kind !== "dport" || match.invert || match.from !== match.to) return undefined;
  return match.from;
}

/** The one address that a rule asks for; of a rule for any the node's own. */
function addressesOf({ matches }: Rule, own: readonly Ip[]): readonly Ip[] {
  const match = matches.find(({ kind }) => kind === "destination");
  if (match?.kind !== "destination") return own;
  const { address, length } = match.prefix;
  return match.invert || length !== hostLength(address) ? [] : [address];
}

function targetsOfRule(rule: Rule, own: readonly Ip[]): RuleTarget[] {
  const [protocol, port] = [protocolOf(rule), portOf(rule)];
  if (protocol === undefined || port === undefined) return [];
  return addressesOf(rule, own).map((address) => ({ address, protocol, port }));
}

/** What the iptables rules of a node name of which no cluster is known; of one that has a cluster nothing. */
export function ruleTargets({ cluster, family, ruleset, ownAddresses }: Facts): readonly RuleTarget[] {
  const rules = family === 4 ? ruleset.iptables : ruleset.ip6tables;
  if (cluster !== undefined || rules === undefined) return [];
  return rules.tables.flatMap(({ chains }) =>
    chains.flatMap((chain) => chain.rules.flatMap((rule) => targetsOfRule(rule, ownAddresses))),
  );
}
