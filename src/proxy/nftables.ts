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
import { familyOf, type Ip, printIp } from "../net/ip.js";
import type { Prefix } from "../net/prefix.js";
import type { NftChain, NftMapElement, NftSet, NftTable, NftVerdictMap } from "../ruleset/nftables.js";
import { isSame } from "../ruleset/same.js";
import { categorize } from "./endpoints.js";
import {
  type DetectLocal,
  localDetector,
  matchesAllAddresses,
  nodePortIps,
  primaryAddress,
} from "./local-traffic.js";
import { fixedChains, MAPS, SETS } from "./nft-base.js";
import { joined, type NftContext, type NftService, nftService } from "./nft-service.js";
import { countEndpoints, servedPorts } from "./served-ports.js";
import { serviceKey } from "./service-key.js";
import { commonWarnings, warn } from "./warnings.js";

export interface NftablesOptions {
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

function nodePortIPsOf(node: Node, options: NftablesOptions): readonly Ip[] | "all" {
  const { nodePortAddresses, nodeAddresses = node.internalIPs } = options;
  if (nodePortAddresses === undefined) {
    const primary = primaryAddress(node);
    return primary === undefined ? [] : [primary];
  }
  if (matchesAllAddresses(nodePortAddresses)) return "all";
  return nodePortIps(nodeAddresses, nodePortAddresses).filter((ip) => familyOf(ip) === 4);
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

/** A map that is filled Service by Service; of two elements with one key the first keeps it. */
function mapCollection(part: keyof typeof MAPS): Collection<NftFragment, NftMapElement> {
  const map = MAPS[part].name;
  return {
    elementsOf: (fragment) => fragment[part],
    keyOf: ({ address, protocol, port }) => serviceKey(address, protocol, port),
    set: (element) => ({ kind: "nft-element-set", map, element }),
    removed: ({ verdict: _verdict, comment: _comment, ...element }) => {
      return { kind: "nft-element-removed", map, element };
    },
    clash,
  };
}

const CLUSTER_IPS: Collection<NftFragment, Ip> = {
  elementsOf: ({ clusterIPs }) => clusterIPs,
  keyOf: (address) => `${address}`,
  set: (address) => ({ kind: "nft-address-added", set: SETS.clusterIPs, address }),
  removed: (address) => ({ kind: "nft-address-removed", set: SETS.clusterIPs, address }),
};

const CHAINS: Collection<NftFragment, NftChain> = {
  elementsOf: ({ chains }) => chains,
  keyOf: ({ name }) => name,
  set: (chain) => ({ kind: "nft-chain-set", chain }),
  removed: ({ name }) => ({ kind: "nft-chain-removed", name }),
};

/** The parts of NftService that fill maps, in the order of the table. */
const PARTS = Object.keys(MAPS) as readonly (keyof typeof MAPS)[];

function setOf(name: string, comment: string, addresses: readonly Ip[]): NftSet {
  return { name, comment, addresses: addresses.map((address) => ({ address })) };
}

function fragmentOf(
  context: NftContext,
  node: Node,
  objects: ServiceObjects,
  before?: NftFragment,
): NftFragment {
  const ports = servedPorts(objects);
  const { service } = objects;
  const clusterIPs = ports.slice(0, 1).map(({ frontend }) => frontend.clusterIP);
  const made = joined(
    ports.map(({ frontend, endpoints }) =>
      nftService(frontend, categorize(frontend, endpoints, node), context, before?.endpointChains),
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

/** The parts that are there whatever Services there are. */
interface Fixed {
  readonly chains: readonly NftChain[];
  readonly nodePortIPs: readonly Ip[] | "all";
}

function finishTable({ chains, nodePortIPs }: Fixed, fragments: readonly NftFragment[]): CompiledNftables {
  const filled = PARTS.map((part) => elementsOf(mapCollection(part), fragments));
  const clusterIPs = elementsOf(CLUSTER_IPS, fragments).elements;
  const sets = [setOf(SETS.clusterIPs, "Active ClusterIPs", clusterIPs)];
  if (nodePortIPs !== "all") {
    sets.push(setOf(SETS.nodePortIPs, "IPs that accept NodePort traffic", nodePortIPs));
  }
  const maps = PARTS.map((part, index): NftVerdictMap => {
    return { ...MAPS[part], elements: filled[index]?.elements ?? [] };
  });
  return {
    nftables: {
      family: "ip",
      name: "kube-proxy",
      comment: "rules for kube-proxy",
      sets,
      maps,
      chains: chains.concat(inOrder(fragments, (fragment) => fragment.chains)),
    },
    diagnostics: [
      ...fragments.flatMap(({ diagnostics }) => diagnostics),
      ...filled.flatMap(({ clashes }) => clashes),
    ],
  };
}

/**
 * kube-proxy's nftables mode for one node, IPv4: table `ip kube-proxy` in the layout of 1.34 and 1.35. What is
 * left out (session affinity, IPv6) is warned of, Service by Service.
 */
export function nftablesFrontEnd(
  cluster: Cluster,
  node: Node,
  options: NftablesOptions = {},
): FrontEnd<NftFragment, CompiledNftables> {
  const context: NftContext = {
    masqueradeAll: options.masqueradeAll ?? false,
    localPods: localDetector(cluster, node, options.detectLocal),
    nodeIP: primaryAddress(node),
  };
  const nodePortIPs = nodePortIPsOf(node, options);
  const serviceCIDRs = cluster.serviceCIDRs.filter(({ address }) => familyOf(address) === 4);
  const fixed: Fixed = { chains: fixedChains(serviceCIDRs, nodePortIPs), nodePortIPs };
  return {
    write: (objects, _, before) => fragmentOf(context, node, objects, before),
    finish: (fragments) => finishTable(fixed, fragments),
    ownChains: CHAINS,
    collections: [...PARTS.map(mapCollection), CLUSTER_IPS],
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
