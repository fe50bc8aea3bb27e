import type { Diagnostic } from "../diagnostics.js";
import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import type { Pod } from "../model/pod.js";
import { type Ip, type Ip4, printIp } from "../net/ip.js";
import { type Prefix, prefixContains, printPrefix } from "../net/prefix.js";
import type { Neighbour } from "../ruleset/neighbours.js";
import type { Interface, Route } from "../ruleset/routes.js";
import { macOf, nodeError, nodeWarning, podCIDR4 } from "./network.js";

/** A node's own Pods on the bridge plugin's cni0. */
export interface PodNetwork {
  readonly podCIDR: Prefix & { readonly address: Ip4 };
  readonly bridge: Interface;
  readonly route: Route;
  /** Addresses of the node's Pods inside of the podCIDR. */
  readonly addresses: ReadonlySet<Ip4>;
  /** One for each of them. */
  readonly neighbours: readonly Neighbour[];
  readonly diagnostics: readonly Diagnostic[];
}

export const BRIDGE = "cni0";

/** The Pod's IPv4 address; undefined for Pods that share their node's. */
function podIp4(pod: Pod): Ip4 | undefined {
  return pod.hostNetwork ? undefined : pod.podIPs.find((ip): ip is Ip4 => typeof ip === "number");
}

/** The node's Pods' own addresses: inside of its podCIDR, and others. */
function localPodIps(cluster: Cluster, node: Node, podCIDR: Prefix) {
  const inside = new Set<Ip4>();
  const outside = new Set<Ip4>();
  for (const pod of cluster.pods) {
    const address = pod.nodeName === node.name ? podIp4(pod) : undefined;
    if (address !== undefined) (prefixContains(podCIDR, address) ? inside : outside).add(address);
  }
  return { inside, outside };
}

/** The bridge reaches every address of the podCIDR with the MAC that its plugin gives Pods. */
export function podNeighbour(address: Ip4): Neighbour {
  return { address, dev: BRIDGE, mac: macOf("pod", address) };
}

/** Pods that another network plugin gave addresses to: cni0 does not reach them. */
function strangers(node: Node, podCIDR: Prefix, outside: ReadonlySet<Ip4>): Diagnostic[] {
  const [first] = outside;
  if (first === undefined) return [];
  const message =
    `Pods of the node have addresses outside of ${printPrefix(podCIDR)} (${outside.size}, the first ` +
    `${printIp(first)}); the bridge does not reach them.`;
  return [nodeWarning(node, "spec.podCIDR", message)];
}

/**
 * The bridge cni0 as the bridge plugin leaves it once the node's first Pod runs: it holds the podCIDR's first
 * address. Throws InputError if the node has no IPv4 podCIDR or one too small for a bridge and a Pod.
 */
export function podNetwork(cluster: Cluster, node: Node, mtu: number): PodNetwork {
  const podCIDR = podCIDR4(node);
  if (podCIDR === undefined || podCIDR.length > 30) {
    const message =
      "flannel needs a podCIDR of IPv4, /30 or larger: give the node one, such as 10.244.0.0/24.";
    throw nodeError(node, "spec.podCIDR", message);
  }
  const address = podCIDR.address + 1;
  const { inside, outside } = localPodIps(cluster, node, podCIDR);
  return {
    podCIDR,
    bridge: {
      name: BRIDGE,
      kind: "bridge",
      mac: macOf("pod", address),
      mtu,
      addresses: [{ address, length: podCIDR.length }],
    },
    route: { prefix: podCIDR, dev: BRIDGE, proto: "kernel", scope: "link", src: address },
    addresses: inside,
    neighbours: Array.from(inside, podNeighbour),
    diagnostics: strangers(node, podCIDR, outside),
  };
}

/** What people call the addresses of the whole cluster; where several share one, the node's name stands. */
export function clusterNames(cluster: Cluster): Map<Ip, string> {
  const names = new Map<Ip, string>();
  const name = (ip: Ip, text: string) => names.has(ip) || names.set(ip, text);
  for (const node of cluster.nodes) {
    for (const ip of [...node.internalIPs, ...node.externalIPs]) name(ip, `node/${node.name}`);
    const podCIDR = podCIDR4(node);
    if (podCIDR !== undefined) name(podCIDR.address + 1, `bridge/${node.name}`);
  }
  for (const pod of cluster.pods) {
    for (const ip of pod.podIPs) name(ip, `pod/${pod.namespace}/${pod.name}`);
  }
  return names;
}
