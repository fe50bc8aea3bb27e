import type { Diagnostic } from "../diagnostics.js";
import {
  type Collection,
  compileWith,
  elementsOf,
  type Fragment,
  type FrontEnd,
  inOrder,
} from "../fragment/front-end.js";
import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import type { Service } from "../model/service.js";
import { type ServiceObjects, serviceObjects } from "../model/service-objects.js";
import { type Family, familyOf, type Ip, printIp } from "../net/ip.js";
import { type Prefix, prefixContains } from "../net/prefix.js";
import type { RulesetStep } from "../ruleset/change.js";
import type { NftChain, NftMapElement, NftSet, NftTable, NftVerdictMap } from "../ruleset/nftables.js";
import { isSame } from "../ruleset/same.js";
import { categorize } from "./endpoints.js";
import { isAtLeast, type KubernetesVersion, LATEST_KUBERNETES } from "./kubernetes-version.js";
import {
  type DetectLocal,
  localDetector,
  matchesAllAddresses,
  nodePortIps,
  primaryAddress,
} from "./local-traffic.js";
import { MAPS, SETS } from "./nft-base.js";
import { fixedChains, type NftFixed } from "./nft-fixed.js";
import { joined, type NftContext, type NftService, nftService } from "./nft-service.js";
import { masqueradeMark } from "./rules.js";
import { countEndpoints, servedPorts } from "./served-ports.js";
import { serviceKey } from "./service-key.js";
import { commonWarnings, warn } from "./warnings.js";

export interface NftablesOptions {
  /** Of the two instances of kube-proxy the one to compile; default 4. */
  readonly family?: Family;
  /** Default the latest that is modelled. */
  readonly kubernetesVersion?: KubernetesVersion;
  /** The mark's bit that says that a packet is to be masqueraded: 0 to 31, default 14. */
  readonly masqueradeBit?: number;
  /** Masquerades everything that goes to a ClusterIP; default false. */
  readonly masqueradeAll?: boolean;
  readonly detectLocal?: DetectLocal;
  /** Where nodePorts answer; default kube-proxy's in this mode: the node's primary address alone. */
  readonly nodePortAddresses?: readonly Prefix[];
  /** The node's local addresses without loopback, out of which nodePortAddresses chooses. */
  readonly nodeAddresses?: readonly Ip[];
}

export interface CompiledNftables {
  readonly nftables: NftTable;
  readonly diagnostics: readonly Diagnostic[];
}

const LOOPBACK: readonly Prefix[] = [
  { address: 0x7f000000, length: 8 },
  { address: 1n, length: 128 },
];

function nodePortIPsOf(node: Node, options: NftablesOptions, family: Family): readonly Ip[] | "all" {
  const { nodePortAddresses, nodeAddresses = node.internalIPs } = options;
  if (nodePortAddresses === undefined) {
    const primary = primaryAddress(node, family);
    // kube-proxy makes the primary address a prefix of its own; without one, none limits the family.
    return primary === undefined ? "all" : [primary];
  }
  if (matchesAllAddresses(nodePortAddresses, family)) return "all";
  const isLoopback = (ip: Ip) => LOOPBACK.some((prefix) => prefixContains(prefix, ip));
  return nodePortIps(nodeAddresses, nodePortAddresses, family).filter((ip) => !isLoopback(ip));
}

/** What one Service adds. */
export interface NftFragment extends Fragment, NftService {
  readonly clusterIPs: readonly Ip[];
}

function fieldOf({ clusterIPs, externalIPs }: Service, address: Ip | undefined): string {
  if (address === undefined) return "spec.ports";
  if (clusterIPs.includes(address)) return "spec.clusterIPs";
  return externalIPs.includes(address) ? "spec.externalIPs" : "status.loadBalancer.ingress";
}

/** One Service may name an address twice, as external IP and as VIP: that is no clash. */
function clash(service: Service, element: NftMapElement, holder: NftMapElement): Diagnostic | undefined {
  const { address, protocol, port } = element;
  if (isSame(element, holder)) return undefined;
  const where = address === undefined ? `nodePort ${port}` : `${printIp(address)} port ${port}`;
  const message =
    `${where} over ${protocol} belongs to another Service already; which one wins on a real node is a race, ` +
    "here it is the first by name.";
  return warn(service, fieldOf(service, address), message);
}

/** A step as one of the family's table. */
function ofFamily<S extends RulesetStep>(step: S, family: Family): S {
  return family === 6 ? { ...step, family } : step;
}

/** A map that is filled Service by Service; of two elements with one key the first keeps it. */
function mapCollection(part: keyof typeof MAPS, family: Family): Collection<NftFragment, NftMapElement> {
  const map = MAPS[part].name;
  return {
    elementsOf: (fragment) => fragment[part],
    keyOf: ({ address, protocol, port }) => serviceKey(address, protocol, port),
    set: (element) => ofFamily({ kind: "nft-element-set", map, element }, family),
    removed: ({ verdict: _verdict, comment: _comment, ...element }) =>
      ofFamily({ kind: "nft-element-removed", map, element }, family),
    clash,
  };
}

function clusterIPsOf(family: Family): Collection<NftFragment, Ip> {
  const set = SETS.clusterIPs;
  return {
    elementsOf: ({ clusterIPs }) => clusterIPs,
    keyOf: (address) => `${address}`,
    set: (address) => ofFamily({ kind: "nft-address-added", set, address }, family),
    removed: (address) => ofFamily({ kind: "nft-address-removed", set, address }, family),
  };
}

/** Sets come before the chains that name them. */
function ownOf(family: Family): Collection<NftFragment, NftSet | NftChain> {
  const step = (one: NftSet | NftChain): RulesetStep =>
    "rules" in one ? { kind: "nft-chain-set", chain: one } : { kind: "nft-set-set", set: one };
  const removal = (one: NftSet | NftChain): RulesetStep =>
    "rules" in one
      ? { kind: "nft-chain-removed", name: one.name }
      : { kind: "nft-set-removed", name: one.name };
  return {
    elementsOf: ({ chains, affinitySets }) =>
      affinitySets.length === 0 ? chains : [...affinitySets, ...chains],
    keyOf: ({ name }) => name,
    set: (one) => ofFamily(step(one), family),
    removed: (one) => ofFamily(removal(one), family),
  };
}

/** The parts of NftService that fill maps, in the order of the table. */
const PARTS = Object.keys(MAPS) as readonly (keyof typeof MAPS)[];

function setOf(name: string, comment: string, addresses: readonly Ip[]): NftSet {
  return { name, comment, addresses: addresses.map((address) => ({ address })) };
}

/** The endpoints' chains that were written before, if affinity still asks for the same. */
function knownChains(service: Service | undefined, before: NftFragment | undefined) {
  const hadAffinity = before?.service?.affinitySeconds !== undefined;
  return hadAffinity === (service?.affinitySeconds !== undefined) ? before?.endpointChains : undefined;
}

function fragmentOf(
  context: NftContext,
  node: Node,
  objects: ServiceObjects,
  before?: NftFragment,
): NftFragment {
  const ports = servedPorts(objects, context.family);
  const { service } = objects;
  const clusterIPs = ports.slice(0, 1).map(({ frontend }) => frontend.clusterIP);
  const known = knownChains(service, before);
  const made = joined(
    ports.map(({ frontend, endpoints }) =>
      nftService(frontend, categorize(frontend, endpoints, node), context, known),
    ),
  );
  return {
    service,
    endpoints: countEndpoints(ports),
    diagnostics: commonWarnings(service),
    ...made,
    clusterIPs,
  };
}

function finishTable(fixed: NftFixed, fragments: readonly NftFragment[]): CompiledNftables {
  const { family, nodePortIPs } = fixed;
  const filled = PARTS.map((part) => elementsOf(mapCollection(part, family), fragments));
  const clusterIPs = elementsOf(clusterIPsOf(family), fragments).elements;
  const sets = [setOf(SETS.clusterIPs, "Active ClusterIPs", clusterIPs)];
  if (nodePortIPs !== "all") {
    sets.push(setOf(SETS.nodePortIPs, "IPs that accept NodePort traffic", nodePortIPs));
  }
  const maps = PARTS.map((part, index): NftVerdictMap => {
    return { ...MAPS[part], elements: filled[index]?.elements ?? [] };
  });
  return {
    nftables: {
      family: family === 4 ? "ip" : "ip6",
      name: "kube-proxy",
      comment: "rules for kube-proxy",
      sets: sets.concat(inOrder(fragments, (fragment) => fragment.affinitySets)),
      maps,
      chains: fixedChains(fixed).concat(inOrder(fragments, (fragment) => fragment.chains)),
    },
    diagnostics: [
      ...fragments.flatMap(({ diagnostics }) => diagnostics),
      ...filled.flatMap(({ clashes }) => clashes),
    ],
  };
}

function contextOf(cluster: Cluster, node: Node, options: NftablesOptions): NftContext & NftFixed {
  const { family = 4, kubernetesVersion = LATEST_KUBERNETES } = options;
  return {
    family,
    layout: isAtLeast(kubernetesVersion, "1.34") ? "1.34" : "1.31",
    masqueradeAll: options.masqueradeAll ?? false,
    masqueradeMark: masqueradeMark(options.masqueradeBit),
    localPods: localDetector(cluster, node, options.detectLocal, family),
    nodeIP: primaryAddress(node, family),
    nodePortIPs: nodePortIPsOf(node, options, family),
    serviceCIDRs: cluster.serviceCIDRs.filter(({ address }) => familyOf(address) === family),
  };
}

/**
 * kube-proxy's nftables mode for one node and one family: table `ip kube-proxy` or `ip6 kube-proxy`, in the layout
 * of 1.31 to 1.33 or that of 1.34 and 1.35.
 */
export function nftablesFrontEnd(
  cluster: Cluster,
  node: Node,
  options: NftablesOptions = {},
): FrontEnd<NftFragment, CompiledNftables> {
  const context = contextOf(cluster, node, options);
  const { family } = context;
  return {
    write: (objects, _, before) => fragmentOf(context, node, objects, before),
    finish: (fragments) => finishTable(context, fragments),
    ownChains: ownOf(family),
    collections: [...PARTS.map((part) => mapCollection(part, family)), clusterIPsOf(family)],
  };
}

/** The same for a whole cluster at once. */
export function compileNftables(
  cluster: Cluster,
  node: Node,
  options: NftablesOptions = {},
): CompiledNftables {
  return compileWith(nftablesFrontEnd(cluster, node, options), serviceObjects(cluster));
}
