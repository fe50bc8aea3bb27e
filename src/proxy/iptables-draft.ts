import type { Family, Ip } from "../net/ip.js";
import type { Chain, Rule, Target } from "../ruleset/iptables.js";
import { hash16 } from "./chain-name.js";
import type { EndpointChains } from "./endpoint-chains.js";
import type { CategorizedEndpoints } from "./endpoints.js";
import type { Frontend } from "./frontends.js";
import type { LocalDetector } from "./local-traffic.js";
import { DROP, jump, reject } from "./rules.js";
import type { TopologyHints } from "./topology-hints.js";

export const MARK_MASQ: Target = jump("KUBE-MARK-MASQ");

/** What of the node and the options the rules of every Service depend on. */
export interface IptablesContext {
  readonly family: Family;
  /** What pods' packets have; undefined for no detector. */
  readonly localPods: LocalDetector | undefined;
  /** Which hints of EndpointSlices count. */
  readonly hints: TopologyHints;
  readonly masqueradeAll: boolean;
  readonly nodeIp: Ip | undefined;
  /** NodePorts on 127.0.0.0/8 have a rule of their own, which counts. */
  readonly countsLocalhost: boolean;
  /** Large clusters go without comments in the chains of endpoints. */
  readonly endpointComments: boolean;
}

/** The chains that hold rules of all Services. */
export const SHARED_CHAINS = [
  { name: "filter KUBE-SERVICES", table: "filter", chain: "KUBE-SERVICES" },
  { name: "filter KUBE-EXTERNAL-SERVICES", table: "filter", chain: "KUBE-EXTERNAL-SERVICES" },
  { name: "filter KUBE-NODEPORTS", table: "filter", chain: "KUBE-NODEPORTS" },
  { name: "filter KUBE-PROXY-FIREWALL", table: "filter", chain: "KUBE-PROXY-FIREWALL" },
  { name: "nat KUBE-SERVICES", table: "nat", chain: "KUBE-SERVICES" },
  { name: "nat KUBE-NODEPORTS", table: "nat", chain: "KUBE-NODEPORTS" },
] as const;

type SharedName = (typeof SHARED_CHAINS)[number]["name"];

/** One Service's rules in shared chains; those in which it has none are absent. */
export type SharedRules = { [Name in SharedName]?: Rule[] };

export function place({ shared }: IptablesDraft, name: SharedName, rule: Rule): void {
  const rules = shared[name];
  if (rules === undefined) shared[name] = [rule];
  else rules.push(rule);
}

/** What one Service adds to the tables, while it is written. */
export interface IptablesDraft extends IptablesContext {
  /** Its rules in chains that all Services share. */
  readonly shared: SharedRules;
  /** Its own chains, all of nat. */
  readonly chains: Chain[];
  /** Those among them that belong to endpoints, by port. */
  readonly endpointChains: EndpointChains<Chain>[];
  /** The same of what was written of the Service before. */
  readonly before: readonly EndpointChains<Chain>[];
}

/** One service port on this node: its chains by name, and which of its ways lead anywhere. */
export interface ServicePlan {
  readonly frontend: Frontend;
  readonly endpoints: CategorizedEndpoints;
  /** KUBE-SVC-, for policy Cluster. */
  readonly clusterChain: string;
  /** KUBE-SVL-, for policy Local. */
  readonly localChain: string;
  /** KUBE-EXT-, where external destinations meet. */
  readonly externalChain: string;
  /** KUBE-FW-, before it where source ranges are set. */
  readonly firewallChain: string;
  /** The ClusterIP's policy finds an endpoint. */
  readonly hasInternal: boolean;
  /** The external destinations' policy finds an endpoint. */
  readonly hasExternal: boolean;
  readonly usesFirewall: boolean;
  /** What filter does with packets that nat left alone, and the comment that says why. */
  readonly refusal: readonly [string, Target];
}

export function planOf(frontend: Frontend, endpoints: CategorizedEndpoints, family: Family): ServicePlan {
  const { name, protocol, vips, sourceRanges } = frontend;
  const hash = hash16(name, protocol);
  const { hasAny } = endpoints;
  const hasLocal = (endpoints.local ?? []).length > 0;
  return {
    frontend,
    endpoints,
    clusterChain: `KUBE-SVC-${hash}`,
    localChain: `KUBE-SVL-${hash}`,
    externalChain: `KUBE-EXT-${hash}`,
    firewallChain: `KUBE-FW-${hash}`,
    hasInternal: hasAny && (!frontend.internalPolicyLocal || hasLocal),
    hasExternal: hasAny && (!frontend.externalPolicyLocal || hasLocal),
    usesFirewall: hasAny && vips.length > 0 && sourceRanges.length > 0,
    refusal: hasAny ? [`${name} has no local endpoints`, DROP] : [`${name} has no endpoints`, reject(family)],
  };
}
