import type { Diagnostic } from "../diagnostics.js";
import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import type { Pod } from "../model/pod.js";
import { type Family, familyOf, type Ip, printIp } from "../net/ip.js";
import { IpMap } from "../net/ip-map.js";
import type { Mac } from "../net/mac.js";
import { hostLength, type Prefix, prefixContains, printPrefix } from "../net/prefix.js";
import type { Neighbour } from "../ruleset/neighbours.js";
import type { Interface, Route } from "../ruleset/routes.js";
import { macOf, networkRoute, nodeWarning, offsetOf, podCIDROf } from "./network.js";

/** A node's own Pods on the bridge plugin's cni0. */
export interface PodNetwork {
  /** One a family, in their order. */
  readonly podCIDRs: readonly Prefix[];
  readonly bridge: Interface;
  readonly routes: readonly Route[];
  /** The node's Pods at their addresses inside of the podCIDRs. */
  readonly neighbours: ReadonlyMap<Ip, Neighbour>;
  readonly diagnostics: readonly Diagnostic[];
}

export const BRIDGE = "cni0";

/** Whether a podCIDR has room for a bridge and a Pod. */
export function isRoomy({ address, length }: Prefix): boolean {
  return length <= hostLength(address) - 2;
}

/** The Pod's own addresses of some families, the first of each; none for Pods that share their node's. */
function ownIps(pod: Pod, families: readonly Family[]): readonly Ip[] {
  if (pod.hostNetwork) return [];
  const firsts = families.map((family) => pod.podIPs.find((ip) => familyOf(ip) === family));
  return firsts.filter((ip) => ip !== undefined);
}

/** The bridge reaches an address of the podCIDRs with the MAC that its plugin gives Pods: of their first address, if that is known. */
export function podNeighbour(address: Ip, mac: Mac = macOf("pod", address)): Neighbour {
  return { address, dev: BRIDGE, mac };
}

/** The node's Pods' own addresses: neighbours inside of its podCIDRs, and others outside. */
function localPods(cluster: Cluster, node: Node, podCIDRs: readonly Prefix[]) {
  const families = podCIDRs.map(({ address }) => familyOf(address));
  const inside = new IpMap<Neighbour>();
  const outside = new IpMap<Prefix>();
  for (const pod of cluster.pods) {
    if (pod.nodeName !== node.name) continue;
    const addresses = ownIps(pod, families);
    for (const address of addresses) {
      const podCIDR = podCIDRs[families.indexOf(familyOf(address))] as Prefix;
      if (prefixContains(podCIDR, address))
        inside.set(address, podNeighbour(address, macOf("pod", addresses[0] ?? address)));
      else outside.set(address, podCIDR);
    }
  }
  return { inside, outside };
}

/** Pods that another network plugin gave addresses to: cni0 does not reach them. One warning a podCIDR. */
function strangers(node: Node, outside: ReadonlyMap<Ip, Prefix>): readonly Diagnostic[] {
  return [...new Set(outside.values())].map((podCIDR) => {
    const addresses = [...outside].filter(([, prefix]) => prefix === podCIDR).map(([address]) => address);
    const message =
      `Pods of the node have addresses outside of ${printPrefix(podCIDR)} (${addresses.length}, the first ` +
      `${printIp(addresses[0] as Ip)}); the bridge does not reach them.`;
    return nodeWarning(node, "spec.podCIDR", message);
  });
}

/** The bridge's own address, the podCIDR's first. */
function bridgeIp(podCIDR: Prefix): Ip {
  return offsetOf(podCIDR.address, 1);
}

/**
 * The bridge cni0 as the bridge plugin leaves it once the node's first Pod runs: it holds the first address of each of
 * the podCIDRs, which must be roomy.
 */
export function podNetwork(
  cluster: Cluster,
  node: Node,
  podCIDRs: readonly [Prefix, ...Prefix[]],
  mtu: number,
): PodNetwork {
  const { inside, outside } = localPods(cluster, node, podCIDRs);
  return {
    podCIDRs,
    bridge: {
      name: BRIDGE,
      kind: "bridge",
      mac: macOf("pod", bridgeIp(podCIDRs[0])),
      mtu,
      addresses: podCIDRs.map((podCIDR) => ({ address: bridgeIp(podCIDR), length: podCIDR.length })),
    },
    routes: podCIDRs.map((podCIDR) => networkRoute(podCIDR, BRIDGE, bridgeIp(podCIDR))),
    neighbours: inside,
    diagnostics: strangers(node, outside),
  };
}

/** What people call the addresses of the whole cluster; where several share one, the node's name stands. */
export function clusterNames(cluster: Cluster): Map<Ip, string> {
  const names = new IpMap<string>();
  const name = (ip: Ip, text: string) => names.has(ip) || names.set(ip, text);
  for (const node of cluster.nodes) {
    for (const ip of [...node.internalIPs, ...node.externalIPs]) name(ip, `node/${node.name}`);
    for (const family of [4, 6] as const) {
      const podCIDR = podCIDROf(node, family);
      if (podCIDR !== undefined) name(bridgeIp(podCIDR), `bridge/${node.name}`);
    }
  }
  for (const pod of cluster.pods) {
    for (const ip of pod.podIPs) name(ip, `pod/${pod.namespace}/${pod.name}`);
  }
  return names;
}
