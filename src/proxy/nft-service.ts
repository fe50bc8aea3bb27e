import type { Family, Ip } from "../net/ip.js";
import { hostPrefix, prefixContains } from "../net/prefix.js";
import type {
  NftChain,
  NftMapElement,
  NftRule,
  NftSet,
  NftStatement,
  NftVerdict,
} from "../ruleset/nftables.js";
import { chainsAmong, type EndpointChains, endpointChains } from "./endpoint-chains.js";
import type { CategorizedEndpoints, ProxyEndpoint } from "./endpoints.js";
import type { Frontend } from "./frontends.js";
import type { LocalDetector } from "./local-traffic.js";
import {
  commented,
  DROP,
  goTo,
  matchPods,
  matchPrefix,
  matchPrefixes,
  REJECT_CHAIN,
  rule,
} from "./nft-base.js";
import { affinitySets, balancingRules, endpointChain, MARK } from "./nft-endpoints.js";
import type { NftLayout } from "./nft-layout.js";
import { nftPortName, nftServiceName } from "./nft-names.js";
import type { TopologyHints } from "./topology-hints.js";

/** What the chains of every Service on one node are made with. */
export interface NftContext {
  readonly family: Family;
  readonly layout: NftLayout;
  readonly masqueradeAll: boolean;
  /** What local Pods' packets have; undefined without a detector. */
  readonly localPods: LocalDetector | undefined;
  /** Which hints of EndpointSlices count. */
  readonly hints: TopologyHints;
  /** The node's primary address. */
  readonly nodeIP: Ip | undefined;
}

/** What one service port adds to the table, or several together. */
export interface NftService {
  readonly chains: readonly NftChain[];
  /** Those among them that belong to endpoints, by port. */
  readonly endpointChains: readonly EndpointChains<NftChain>[];
  readonly affinitySets: readonly NftSet[];
  readonly serviceIPs: readonly NftMapElement[];
  readonly serviceNodePorts: readonly NftMapElement[];
  readonly noEndpointServices: readonly NftMapElement[];
  readonly noEndpointNodePorts: readonly NftMapElement[];
  readonly firewallIPs: readonly NftMapElement[];
}

/** The rule at the head of the chain that ClusterIP traffic enters: who is masqueraded there. */
function internalHead(frontend: Frontend, context: NftContext): readonly NftRule[] {
  const toClusterIP = matchPrefix("daddr", hostPrefix(frontend.clusterIP));
  const { protocol, port } = frontend;
  const toPort: readonly NftStatement[] =
    context.layout === "1.31"
      ? [toClusterIP, { kind: "match-protocol", protocol }, { kind: "match-dport", port }]
      : [toClusterIP];
  if (context.masqueradeAll) return [rule(...toPort, MARK)];
  if (context.localPods === undefined) return [];
  return [rule(...toPort, matchPods(context.localPods, true), MARK)];
}

const FROM_NODE: NftStatement = { kind: "match-fib-local", side: "saddr" };

/** Local Pods and the node itself reach the whole cluster's endpoints even with policy Local. */
function shortCircuits(cluster: string, context: NftContext): readonly NftRule[] {
  const fromNode = [
    commented("masquerade local traffic", FROM_NODE, MARK),
    commented("short-circuit local traffic", FROM_NODE, goTo(cluster)),
  ];
  if (context.localPods === undefined) return fromNode;
  const fromPods = matchPods(context.localPods);
  return [commented("short-circuit pod traffic", fromPods, goTo(cluster)), ...fromNode];
}

/** Drops what is outside of the source ranges; a load balancer's address on the node itself is its own client. */
function firewallChain(name: string, { sourceRanges, vips }: Frontend, context: NftContext): NftChain {
  const { nodeIP } = context;
  const fromNode = nodeIP !== undefined && sourceRanges.some((range) => prefixContains(range, nodeIP));
  const allowed = fromNode ? [...sourceRanges, ...vips.map(hostPrefix)] : sourceRanges;
  return { name, rules: [rule(matchPrefixes("saddr", allowed, true), DROP)] };
}

/** The names and fates that the parts of one service port share. */
interface Plan {
  /** The port in the names of endpoints' chains. */
  readonly port: string;
  readonly cluster: string;
  readonly local: string;
  readonly external: string;
  readonly firewall: string;
  readonly hasInternal: boolean;
  readonly hasExternal: boolean;
  readonly refusal: NftVerdict;
}

function planOf(frontend: Frontend, endpoints: CategorizedEndpoints): Plan {
  const { internalPolicyLocal, externalPolicyLocal } = frontend;
  const port = nftPortName(frontend);
  const name = nftServiceName(port);
  const hasLocal = (endpoints.local?.length ?? 0) > 0;
  return {
    port,
    cluster: `service-${name}`,
    local: `local-${name}`,
    external: `external-${name}`,
    firewall: `firewall-${name}`,
    hasInternal: endpoints.hasAny && (!internalPolicyLocal || hasLocal),
    hasExternal: endpoints.hasAny && (!externalPolicyLocal || hasLocal),
    refusal: endpoints.hasAny ? { kind: "drop" } : { kind: "goto", chain: REJECT_CHAIN },
  };
}

function serviceChains(
  frontend: Frontend,
  endpoints: CategorizedEndpoints,
  plan: Plan,
  own: EndpointChains<NftChain>,
  context: NftContext,
): readonly NftChain[] {
  const chains: NftChain[] = [];
  const { reachable } = endpoints;
  const head = plan.hasInternal ? internalHead(frontend, context) : [];
  const balance = (name: string, among: readonly ProxyEndpoint[] = [], entered: boolean) => {
    const targets = chainsAmong(among, reachable, own.chains).map((chain) => chain.name);
    if (targets.length === 0) return;
    const balancing = balancingRules(targets, frontend.affinitySeconds !== undefined);
    chains.push({ name, rules: [...(entered ? head : []), ...balancing] });
  };
  balance(plan.cluster, endpoints.cluster, !frontend.internalPolicyLocal);
  balance(plan.local, endpoints.local, frontend.internalPolicyLocal);
  if (endpoints.hasAny && frontend.externallyAccessible) {
    chains.push({ name: plan.external, rules: externalRules(frontend, plan, context) });
  }
  if (frontend.vips.length > 0 && frontend.sourceRanges.length > 0) {
    chains.push(firewallChain(plan.firewall, frontend, context));
  }
  for (const chain of own.chains) chains.push(chain);
  return chains;
}

function externalRules(frontend: Frontend, plan: Plan, context: NftContext): readonly NftRule[] {
  if (!frontend.externalPolicyLocal) return [rule(MARK), rule(goTo(plan.cluster))];
  const rules = shortCircuits(plan.cluster, context);
  return plan.hasExternal ? [...rules, rule(goTo(plan.local))] : rules;
}

/** The chains, sets and map elements that kube-proxy makes of one service port. */
export function nftService(
  frontend: Frontend,
  endpoints: CategorizedEndpoints,
  context: NftContext,
  before: readonly EndpointChains<NftChain>[] = [],
): NftService {
  const { protocol, port, nodePort, name: comment } = frontend;
  const plan = planOf(frontend, endpoints);
  const { affinitySeconds } = frontend;
  const own = endpointChains(frontend, endpoints.reachable, before, (endpoint) =>
    endpointChain(plan.port, protocol, endpoint, affinitySeconds !== undefined),
  );
  const onAddress = (address: Ip, verdict: NftVerdict) => ({ address, protocol, port, verdict });
  const onNodePort = (verdict: NftVerdict) => ({ protocol, port: nodePort, verdict });
  const external = [...frontend.externalIPs, ...frontend.vips];
  const nodePorts = nodePort === 0 ? [] : [nodePort];
  const internalChain = frontend.internalPolicyLocal ? plan.local : plan.cluster;
  const toInternal: NftVerdict = { kind: "goto", chain: internalChain };
  const toExternal: NftVerdict = { kind: "goto", chain: plan.external };
  const refused = (element: NftMapElement) => ({ ...element, comment });
  const guarded = frontend.sourceRanges.length > 0 ? frontend.vips : [];
  const answered = endpoints.hasAny ? external : [];
  const unanswered = plan.hasExternal ? [] : external;
  return {
    chains: serviceChains(frontend, endpoints, plan, own, context),
    endpointChains: [own],
    affinitySets: affinitySets(own.chains, affinitySeconds),
    serviceIPs: [
      ...(plan.hasInternal ? [onAddress(frontend.clusterIP, toInternal)] : []),
      ...answered.map((ip) => onAddress(ip, toExternal)),
    ],
    noEndpointServices: [
      ...(plan.hasInternal ? [] : [onAddress(frontend.clusterIP, plan.refusal)]),
      ...unanswered.map((ip) => onAddress(ip, plan.refusal)),
    ].map(refused),
    serviceNodePorts: endpoints.hasAny ? nodePorts.map(() => onNodePort(toExternal)) : [],
    noEndpointNodePorts: plan.hasExternal ? [] : nodePorts.map(() => refused(onNodePort(plan.refusal))),
    firewallIPs: guarded.map((ip) => refused(onAddress(ip, { kind: "goto", chain: plan.firewall }))),
  };
}

/** What several service ports of one Service add together. */
export function joined(parts: readonly NftService[]): NftService {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  return {
    chains: parts.flatMap(({ chains }) => chains),
    endpointChains: parts.flatMap(({ endpointChains }) => endpointChains),
    affinitySets: parts.flatMap(({ affinitySets }) => affinitySets),
    serviceIPs: parts.flatMap(({ serviceIPs }) => serviceIPs),
    serviceNodePorts: parts.flatMap(({ serviceNodePorts }) => serviceNodePorts),
    noEndpointServices: parts.flatMap(({ noEndpointServices }) => noEndpointServices),
    noEndpointNodePorts: parts.flatMap(({ noEndpointNodePorts }) => noEndpointNodePorts),
    firewallIPs: parts.flatMap(({ firewallIPs }) => firewallIPs),
  };
}
