import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import { type Family, familyOf, type Ip } from "../net/ip.js";
import { type Prefix, prefixContains } from "../net/prefix.js";

/**
 * kube-proxy's --detect-local-mode: what tells Pods' packets from others. By their source: "ClusterCIDR" (the
 * default) is the cluster's Pod network, or prefixes to take instead, "NodeCIDR" this node's. By the interface that
 * they come in through: a bridge, or all whose name begins with a prefix. "none" tells them nowhere.
 */
export type DetectLocal =
  | "ClusterCIDR"
  | "NodeCIDR"
  | "none"
  | Prefix
  | readonly Prefix[]
  | { readonly bridgeInterface: string }
  | { readonly interfaceNamePrefix: string };

/** What a packet of a local Pod has in one family. */
export type LocalDetector =
  | { readonly kind: "source"; readonly prefix: Prefix }
  /** `isPrefix`: every interface whose name begins so. */
  | { readonly kind: "interface"; readonly name: string; readonly isPrefix: boolean };

function prefixesOf(
  cluster: Cluster,
  node: Node,
  detect: "ClusterCIDR" | "NodeCIDR" | Prefix | readonly Prefix[],
): readonly Prefix[] {
  if (detect === "ClusterCIDR") return cluster.clusterCIDRs;
  if (detect === "NodeCIDR") return node.podCIDRs;
  return "address" in detect ? [detect] : detect;
}

/** The detector of one family; undefined means that there is none, also where no prefix is of the family. */
export function detectorOf(
  cluster: Cluster,
  node: Node,
  detect: DetectLocal = "ClusterCIDR",
  family: Family = 4,
): LocalDetector | undefined {
  if (detect === "none") return undefined;
  if (typeof detect === "object" && "bridgeInterface" in detect) {
    return { kind: "interface", name: detect.bridgeInterface, isPrefix: false };
  }
  if (typeof detect === "object" && "interfaceNamePrefix" in detect) {
    return { kind: "interface", name: detect.interfaceNamePrefix, isPrefix: true };
  }
  const prefix = prefixesOf(cluster, node, detect).find(({ address }) => familyOf(address) === family);
  return prefix === undefined ? undefined : { kind: "source", prefix };
}

/** What a node calls itself without a network: of IPv6 one address. */
export const LOOPBACK: Readonly<Record<Family, Prefix>> = {
  4: { address: 0x7f000000, length: 8 },
  6: { address: 1n, length: 128 },
};

export function withoutLoopback(addresses: readonly Ip[]): readonly Ip[] {
  return addresses.filter((ip) => !prefixContains(LOOPBACK[familyOf(ip)], ip));
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

/** Whether nodePorts answer on every local address of the family: so they do where no prefix is of the family. */
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

/**
 * Whether nodePorts are to answer on 127.0.0.0/8, so that kube-proxy sets route_localnet where they may: without
 * IPv4 prefixes, and where one lies there or holds its first address.
 */
export function selectsLoopback(nodePortAddresses: readonly Prefix[]): boolean {
  const selected = selectedAddresses(nodePortAddresses, 4);
  if (selected.length === 0) return true;
  return selected.some(({ address, length }) => {
    return (Number(address) >>> 24 === 127 && length >= 8) || prefixContains({ address, length }, 0x7f000000);
  });
}
