import type { Diagnostic } from "../diagnostics.js";
import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import { familyOf, type Ip, printIp } from "../net/ip.js";
import type { Prefix } from "../net/prefix.js";
import { printVerdict } from "../ruleset/nft-terms.js";
import type { NftMapElement, NftSet, NftTable, NftVerdictMap } from "../ruleset/nftables.js";
import { categorize, endpointsOf } from "./endpoints.js";
import { type Frontend, servicePorts } from "./frontends.js";
import {
  type DetectLocal,
  localDetector,
  matchesAllAddresses,
  nodePortIps,
  primaryAddress,
} from "./local-traffic.js";
import { fixedChains, MAPS, SETS } from "./nft-base.js";
import { type NftService, nftService } from "./nft-service.js";
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

function setOf(name: string, comment: string, addresses: Iterable<Ip>): NftSet {
  return { name, comment, addresses: Array.from(addresses, (address) => ({ address })) };
}

/** One Service may name an address twice, as external IP and as VIP. */
function isSame(a: NftMapElement, b: NftMapElement): boolean {
  return a.comment === b.comment && printVerdict(a.verdict) === printVerdict(b.verdict);
}

/** A map that is filled Service by Service; of two with one key the first keeps it. */
class MapDraft {
  readonly #elements = new Map<string, NftMapElement>();

  constructor(
    readonly name: string,
    readonly comment: string,
    readonly key: NftVerdictMap["key"],
  ) {}

  /** Returns the elements that were refused because their key is taken. */
  add(elements: readonly NftMapElement[]): readonly NftMapElement[] {
    const refused: NftMapElement[] = [];
    for (const element of elements) {
      const key = `${element.address ?? ""} ${element.protocol} ${element.port}`;
      const owner = this.#elements.get(key);
      if (owner === undefined) this.#elements.set(key, element);
      else if (!isSame(owner, element)) refused.push(element);
    }
    return refused;
  }

  done(): NftVerdictMap {
    const { name, comment, key } = this;
    return { name, comment, key, elements: [...this.#elements.values()] };
  }
}

function fieldOf({ clusterIP, externalIPs }: Frontend, address: Ip | undefined): string {
  if (address === undefined) return "spec.ports";
  if (address === clusterIP) return "spec.clusterIPs";
  return externalIPs.includes(address) ? "spec.externalIPs" : "status.loadBalancer.ingress";
}

function clash(frontend: Frontend, { address, protocol, port }: NftMapElement): Diagnostic {
  const where = address === undefined ? `nodePort ${port}` : `${printIp(address)} port ${port}`;
  const message =
    `${where} over ${protocol} belongs to another Service already; which one wins on a real node is a race, ` +
    "here it is the first by name.";
  return warn(frontend.service, fieldOf(frontend, address), message);
}

const NO_ENDPOINTS = "vmap to drop or reject packets to";

function emptyMaps() {
  const byAddress = "daddr-proto-dport";
  return {
    noEndpointNodePorts: new MapDraft(
      MAPS.noEndpointNodePorts,
      `${NO_ENDPOINTS} service nodeports with no endpoints`,
      "proto-dport",
    ),
    noEndpointServices: new MapDraft(
      MAPS.noEndpointServices,
      `${NO_ENDPOINTS} services with no endpoints`,
      byAddress,
    ),
    firewallIPs: new MapDraft(
      MAPS.firewallIPs,
      "destinations that are subject to LoadBalancerSourceRanges",
      byAddress,
    ),
    serviceIPs: new MapDraft(MAPS.serviceIPs, "ClusterIP, ExternalIP and LoadBalancer IP traffic", byAddress),
    serviceNodePorts: new MapDraft(MAPS.serviceNodePorts, "NodePort traffic", "proto-dport"),
  } satisfies Partial<Record<keyof NftService, MapDraft>>;
}

/**
 * kube-proxy's nftables mode for one node, IPv4: table `ip kube-proxy` in the layout of 1.34 and 1.35. What is
 * left out (session affinity, IPv6) is warned of, Service by Service.
 */
export function compileNftables(
  cluster: Cluster,
  node: Node,
  options: NftablesOptions = {},
): CompiledNftables {
  const context = {
    masqueradeAll: options.masqueradeAll ?? false,
    localPods: localDetector(cluster, node, options.detectLocal),
    nodeIP: primaryAddress(node),
  };
  const frontends = servicePorts(cluster);
  const endpointsFor = endpointsOf(cluster);
  const diagnostics: Diagnostic[] = [...commonWarnings(cluster, frontends)];
  const nodePortIPs = nodePortIPsOf(node, options);
  const serviceCIDRs = cluster.serviceCIDRs.filter(({ address }) => familyOf(address) === 4);
  const chains = [...fixedChains(serviceCIDRs, nodePortIPs)];
  const maps = emptyMaps();
  const parts = Object.keys(maps) as (keyof typeof maps)[];
  for (const frontend of frontends) {
    const made = nftService(frontend, categorize(frontend, endpointsFor(frontend), node), context);
    for (const chain of made.chains) chains.push(chain);
    for (const part of parts) {
      for (const element of maps[part].add(made[part])) diagnostics.push(clash(frontend, element));
    }
  }
  const clusterIPs = new Set(frontends.map(({ clusterIP }) => clusterIP));
  const sets = [setOf(SETS.clusterIPs, "Active ClusterIPs", clusterIPs)];
  if (nodePortIPs !== "all") {
    sets.push(setOf(SETS.nodePortIPs, "IPs that accept NodePort traffic", nodePortIPs));
  }
  return {
    nftables: {
      family: "ip",
      name: "kube-proxy",
      comment: "rules for kube-proxy",
      sets,
      maps: Object.values(maps).map((map) => map.done()),
      chains,
    },
    diagnostics,
  };
}
