import type { Diagnostic } from "../diagnostics.js";
import { compileWith, elementsOf, type FrontEnd, inOrder } from "../fragment/front-end.js";
import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import { type ServiceObjects, serviceObjects } from "../model/service-objects.js";
import { type Family, familyOf, type Ip } from "../net/ip.js";
import type { NftSet, NftTable, NftVerdictMap } from "../ruleset/nftables.js";
import { categorize } from "./endpoints.js";
import { isAtLeast, LATEST_KUBERNETES } from "./kubernetes-version.js";
import {
  detectorOf,
  matchesAllAddresses,
  nodePortIps,
  primaryAddress,
  withoutLoopback,
} from "./local-traffic.js";
import { MAPS, SETS } from "./nft-base.js";
import { clusterIPsOf, mapCollection, type NftFragment, ownOf, PARTS } from "./nft-collections.js";
import { fixedChains, type NftFixed } from "./nft-fixed.js";
import { joined, type NftContext, nftService } from "./nft-service.js";
import { masqueradeMark, type ProxyOptions } from "./options.js";
import { countEndpoints, servedPorts } from "./served-ports.js";
import { topologyHints } from "./topology-hints.js";

export interface CompiledNftables {
  readonly nftables: NftTable;
  readonly diagnostics: readonly Diagnostic[];
}

function nodePortIPsOf(node: Node, options: ProxyOptions, family: Family): readonly Ip[] | "all" {
  const { nodePortAddresses, nodeAddresses = node.internalIPs } = options;
  if (nodePortAddresses === undefined) {
    const primary = options.nodeIP ?? primaryAddress(node, family);
    // kube-proxy makes a prefix of it; where there is none, no prefix limits the family.
    return primary === undefined ? "all" : [primary];
  }
  if (matchesAllAddresses(nodePortAddresses, family)) return "all";
  return nodePortIps(withoutLoopback(nodeAddresses), nodePortAddresses, family);
}

function fragmentOf(
  context: NftContext,
  node: Node,
  objects: ServiceObjects,
  before?: NftFragment,
): NftFragment {
  const { family, hints } = context;
  const ports = servedPorts(objects, family);
  const { service } = objects;
  const clusterIPs = ports.slice(0, 1).map(({ frontend }) => frontend.clusterIP);
  const made = joined(
    ports.map(({ frontend, endpoints }) =>
      nftService(frontend, categorize(frontend, endpoints, node, hints), context, before?.endpointChains),
    ),
  );
  return {
    service,
    endpoints: countEndpoints(ports),
    ...made,
    clusterIPs,
  };
}

function setOf(name: string, comment: string, addresses: readonly Ip[]): NftSet {
  return { name, comment, addresses: addresses.map((address) => ({ address })) };
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
      sets: sets.concat(inOrder(fragments, ({ affinitySets }) => affinitySets)),
      maps,
      chains: fixedChains(fixed).concat(inOrder(fragments, ({ chains }) => chains)),
    },
    diagnostics: filled.flatMap(({ clashes }) => clashes),
  };
}

function contextOf(cluster: Cluster, node: Node, options: ProxyOptions): NftContext & NftFixed {
  const { family = 4, kubernetesVersion = LATEST_KUBERNETES } = options;
  return {
    family,
    layout: isAtLeast(kubernetesVersion, "1.34") ? "1.34" : "1.31",
    hints: topologyHints(kubernetesVersion, options.featureGates),
    masqueradeAll: options.masqueradeAll ?? false,
    masqueradeMark: masqueradeMark(options.masqueradeBit),
    localPods: detectorOf(cluster, node, options.detectLocal, family),
    nodeIP: options.nodeIP ?? primaryAddress(node, family),
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
  options: ProxyOptions = {},
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
export function compileNftables(cluster: Cluster, node: Node, options: ProxyOptions = {}): CompiledNftables {
  return compileWith(nftablesFrontEnd(cluster, node, options), serviceObjects(cluster));
}
