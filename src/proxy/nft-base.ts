import type { Prefix } from "../net/prefix.js";
import { prefixSet } from "../ruleset/nft-intervals.js";
import type { NftRule, NftStatement, NftVerdictMap } from "../ruleset/nftables.js";
import type { LocalDetector } from "./local-traffic.js";

/** The words of nftables that the parts of kube-proxy's table share. */

export const SETS = {
  clusterIPs: "cluster-ips",
  nodePortIPs: "nodeport-ips",
} as const;

const NO_ENDPOINTS = "vmap to drop or reject packets to";

/** The maps, in the order of the table. */
export const MAPS = {
  noEndpointNodePorts: {
    name: "no-endpoint-nodeports",
    comment: `${NO_ENDPOINTS} service nodeports with no endpoints`,
    key: "proto-dport",
  },
  noEndpointServices: {
    name: "no-endpoint-services",
    comment: `${NO_ENDPOINTS} services with no endpoints`,
    key: "daddr-proto-dport",
  },
  firewallIPs: {
    name: "firewall-ips",
    comment: "destinations that are subject to LoadBalancerSourceRanges",
    key: "daddr-proto-dport",
  },
  serviceIPs: {
    name: "service-ips",
    comment: "ClusterIP, ExternalIP and LoadBalancer IP traffic",
    key: "daddr-proto-dport",
  },
  serviceNodePorts: { name: "service-nodeports", comment: "NodePort traffic", key: "proto-dport" },
} as const satisfies Record<string, Omit<NftVerdictMap, "elements">>;

export const MARK_CHAIN = "mark-for-masquerade";
export const REJECT_CHAIN = "reject-chain";

export function rule(...statements: readonly NftStatement[]): NftRule {
  return { statements };
}

export function commented(comment: string, ...statements: readonly NftStatement[]): NftRule {
  return { statements, comment };
}

export function jump(chain: string): NftStatement {
  return { kind: "verdict", verdict: { kind: "jump", chain } };
}

export function goTo(chain: string): NftStatement {
  return { kind: "verdict", verdict: { kind: "goto", chain } };
}

export const DROP: NftStatement = { kind: "verdict", verdict: { kind: "drop" } };

/** A connection's first packet. */
export const NEW: NftStatement = { kind: "match-ctstate", states: ["new"] };

export function matchPrefix(side: "saddr" | "daddr", prefix: Prefix, invert = false): NftStatement {
  const match = { kind: "match-address", side, prefixes: [prefix] } as const;
  return invert ? { ...match, invert } : match;
}

/** Packets of local Pods, or all others; where interfaces are asked, those made on the node are among these. */
export function matchPods(detector: LocalDetector, invert = false): NftStatement {
  if (detector.kind === "source") return matchPrefix("saddr", detector.prefix, invert);
  const name = detector.isPrefix ? `${detector.name}*` : detector.name;
  const match = { kind: "match-interface", side: "iifname", name } as const;
  return invert ? { ...match, invert } : match;
}

/**
 * A list, as nft keeps it: overlapping and neighbouring prefixes are one interval. (Where one is left of several, nft lists
 * it in braces, which it takes off when the listing is loaded.)
 */
export function matchPrefixes(
  side: "saddr" | "daddr",
  given: readonly Prefix[],
  invert = false,
): NftStatement {
  return { kind: "match-address", side, prefixes: prefixSet(given), ...(invert ? { invert } : {}) };
}
