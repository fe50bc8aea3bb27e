import type { ObjectName } from "../model/object-name.js";
import type { Ip } from "../net/ip.js";
import type { Protocol } from "../net/port.js";
import { type Prefix, prefixContains } from "../net/prefix.js";
import type { NftChain, NftMapElement, NftRule, NftStatement, NftVerdict } from "../ruleset/nftables.js";
import { base32Sha256 } from "./chain-name.js";
import { chainsAmong, type EndpointChains, endpointChains } from "./endpoint-chains.js";
import type { CategorizedEndpoints, ProxyEndpoint } from "./endpoints.js";
import type { Frontend } from "./frontends.js";
import { commented, DROP, goTo, jump, MARK_CHAIN, prefixSet, REJECT_CHAIN, rule } from "./nft-base.js";

/** What the chains of every Service on one node are made with. */
export interface NftContext {
  readonly masqueradeAll: boolean;
  /** The source prefix of local Pods' packets; undefined without a detector. */
  readonly localPods: Prefix | undefined;
  /** The node's primary address. */
  readonly nodeIP: Ip | undefined;
}

/** What one service port adds to the table, or several together. */
export interface NftService {
  readonly chains: readonly NftChain[];
  /** Those among them that belong to endpoints, by port. */
  readonly endpointChains: readonly EndpointChains<NftChain>[];
  readonly serviceIPs: readonly NftMapElement[];
  readonly serviceNodePorts: readonly NftMapElement[];
  readonly noEndpointServices: readonly NftMapElement[];
  readonly noEndpointNodePorts: readonly NftMapElement[];
  readonly firewallIPs: readonly NftMapElement[];
}

/** kube-proxy leaves 16 of the kernel's 256 characters to the prefix. */
const NAME_LENGTH = 240;

type NamedPort = Pick<Frontend, "protocol" | "portName"> & { readonly service: ObjectName };

/** A prefix, and a hash of the texts together and they themselves, which are cut where that is too long. */
function hashed(prefix: string, text: string, rest: string): string {
  // join makes one piece, where a template would keep its parts: there are hundreds of thousands.
  const full = [prefix, base32Sha256(text, 8, rest), "-", text, rest].join("");
  const most = prefix.length + NAME_LENGTH;
  return full.length > most ? `${full.slice(0, most - 3)}...` : full;
}

/** `ns1/svc1/tcp/p80`: a service port, as the names of its chains have it. */
export function nftPortName({ service, protocol, portName }: NamedPort): string {
  return `${service.namespace}/${service.name}/${protocol.toLowerCase()}/${portName}`;
}

/** `ULMVA6XW-ns1/svc1/tcp/p80`: a chain's name without its prefix (service-, local-, external-, firewall-). */
export function nftServiceName(port: string): string {
  return hashed("", port, "");
}

/** `endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80`; takes the endpoint as `ip:port`, IPv6 in brackets. */
export function nftEndpointChain(port: string, endpoint: string): string {
  const colon = endpoint.lastIndexOf(":");
  const address = endpoint.slice(0, colon);
  const plain = address.startsWith("[") ? address.slice(1, -1).replaceAll(":", ".") : address;
  return hashed("endpoint-", port, `__${plain}/${endpoint.slice(colon + 1)}`);
}

/** Shared by every rule that marks: a large cluster has half a million of them. */
const MARK = jump(MARK_CHAIN);

function matchSource(prefix: Prefix, invert: boolean): NftStatement {
  const match = { kind: "match-address", side: "saddr", prefixes: [prefix] } as const;
  return invert ? { ...match, invert } : match;
}

function hostPrefix(address: Ip): Prefix {
  return { address, length: typeof address === "number" ? 32 : 128 };
}

/** The rule at the head of the chain that ClusterIP traffic enters: who is masqueraded there. */
function internalHead(frontend: Frontend, context: NftContext): readonly NftRule[] {
  const prefixes = [hostPrefix(frontend.clusterIP)];
  const toClusterIP: NftStatement = { kind: "match-address", side: "daddr", prefixes };
  if (context.masqueradeAll) return [rule(toClusterIP, MARK)];
  if (context.localPods === undefined) return [];
  return [rule(toClusterIP, matchSource(context.localPods, true), MARK)];
}

function endpointChain(owner: string, protocol: Protocol, { name, address, port }: ProxyEndpoint): NftChain {
  const hairpin = rule(matchSource(hostPrefix(address), false), MARK);
  const translate = rule({ kind: "dnat", protocol, address, port });
  return { name: nftEndpointChain(owner, name), rules: [hairpin, translate] };
}

const FROM_NODE: NftStatement = { kind: "match-fib-local", side: "saddr" };

/** Local Pods and the node itself reach the whole cluster's endpoints even with policy Local. */
function shortCircuits(cluster: string, context: NftContext): readonly NftRule[] {
  const fromNode = [
    commented("masquerade local traffic", FROM_NODE, MARK),
    commented("short-circuit local traffic", FROM_NODE, goTo(cluster)),
  ];
  if (context.localPods === undefined) return fromNode;
  const fromPods = matchSource(context.localPods, false);
  return [commented("short-circuit pod traffic", fromPods, goTo(cluster)), ...fromNode];
}

/** Drops what is outside of the source ranges; a load balancer's address on the node itself is its own client. */
function firewallChain(name: string, { sourceRanges, vips }: Frontend, context: NftContext): NftChain {
  const { nodeIP } = context;
  const fromNode = nodeIP !== undefined && sourceRanges.some((range) => prefixContains(range, nodeIP));
  const prefixes = prefixSet(fromNode ? [...sourceRanges, ...vips.map(hostPrefix)] : sourceRanges);
  return { name, rules: [rule({ kind: "match-address", side: "saddr", prefixes, invert: true }, DROP)] };
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
    chains.push({ name, rules: [...(entered ? head : []), rule({ kind: "numgen-vmap", chains: targets })] });
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

/** The chains and map elements that kube-proxy makes of one service port (1.34, without session affinity). */
export function nftService(
  frontend: Frontend,
  endpoints: CategorizedEndpoints,
  context: NftContext,
  before: readonly EndpointChains<NftChain>[] = [],
): NftService {
  const { protocol, port, nodePort, name: comment } = frontend;
  const plan = planOf(frontend, endpoints);
  const own = endpointChains(frontend, endpoints.reachable, before, (endpoint) =>
    endpointChain(plan.port, protocol, endpoint),
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
    serviceIPs: parts.flatMap(({ serviceIPs }) => serviceIPs),
    serviceNodePorts: parts.flatMap(({ serviceNodePorts }) => serviceNodePorts),
    noEndpointServices: parts.flatMap(({ noEndpointServices }) => noEndpointServices),
    noEndpointNodePorts: parts.flatMap(({ noEndpointNodePorts }) => noEndpointNodePorts),
    firewallIPs: parts.flatMap(({ firewallIPs }) => firewallIPs),
  };
}
