import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import { type Family, familyOf, type Ip } from "../net/ip.js";
import { type Prefix, prefixContains } from "../net/prefix.js";

/**
 * kube-proxy's --detect-local-mode as far as modelled: by the source's prefix. "ClusterCIDR" (the default) is
 * the cluster's pod network, "NodeCIDR" this node's; "none" tells pods from others nowhere.
 */
export type DetectLocal = "ClusterCIDR" | "NodeCIDR" | "none" | Prefix;

/** The source prefix of pods' packets; undefined means that there is no detector. */
export function localDetector(
  cluster: Cluster,
  node: Node,
  detect: DetectLocal = "ClusterCIDR",
  family: Family = 4,
): Prefix | undefined {
  if (detect === "none") return undefined;
  if (typeof detect === "object") return familyOf(detect.address) === family ? detect : undefined;
  const prefixes = detect === "ClusterCIDR" ? cluster.clusterCIDRs : node.podCIDRs;
  return prefixes.find(({ address }) => familyOf(address) === family);
}

/** kube-proxy's primary address of the node in the family: the first InternalIP, or else ExternalIP. */
export function primaryAddress(node: Node, family: Family = 4): Ip | undefined {
  return [...node.internalIPs, ...node.externalIPs].find((ip) => familyOf(ip) === family);
}

/** --nodeport-addresses of one family; empty where every address is selected, also by a zero prefix. */
function selectedAddresses(nodePortAddresses: readonly Prefix[], family: Family): readonly Prefix[] {
  const selected = nodePortAddresses.filter(({ address }) => familyOf(address) === family);
  return selected.some(({ length }) => length === 0) ? [] : selected;
}

/** Whether nodePorts answer on every local address of the family. */
export function matchesAllAddresses(nodePortAddresses: readonly Prefix[], family: Family = 4): boolean {
  return selectedAddresses(nodePortAddresses, family).length === 0;
}

/** Of the node's addresses (of any family) those of this family on which nodePorts answer. */
export function nodePortIps(
  nodeAddresses: readonly Ip[],
  nodePortAddresses: readonly Prefix[],
  family: Family = 4,
): readonly Ip[] {
  const selected = selectedAddresses(nodePortAddresses, family);
  const answers = (ip: Ip) => selected.length === 0 || selected.some((prefix) => prefixContains(prefix, ip));
  return nodeAddresses.filter((ip) => familyOf(ip) === family && answers(ip));
}
