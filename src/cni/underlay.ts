import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import { type Family, familyOf, type Ip } from "../net/ip.js";
import type { Mac } from "../net/mac.js";
import { hostPrefix, type Prefix, prefixContains, prefixOf, prefixOverlaps } from "../net/prefix.js";
import type { Neighbour } from "../ruleset/neighbours.js";
import type { Interface, InterfaceAddress, Route } from "../ruleset/routes.js";
import { addedRoute, macOf, networkRoute, nodeIp, offsetOf } from "./network.js";

/** The network that joins the nodes in one family, as one of them sees it. */
export interface Subnet {
  /** The node's own address. */
  readonly address: Ip;
  /** The prefix on eth0; nodes outside of it are reached through the gateway. */
  readonly prefix: Prefix;
  readonly gateway: Ip;
}

/** The network that joins the nodes. */
export interface Underlay {
  /** One a family, in their order. */
  readonly subnets: readonly Subnet[];
  /** lo and eth0. */
  readonly interfaces: readonly Interface[];
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
}

export const UPLINK = "eth0";
export const UPLINK_MTU = 1500;

/** Docker's networks of a kind cluster, whose length is known without looking at the nodes. */
const KIND_NETWORKS = {
  4: { address: 0xac120000, length: 16 },
  6: { address: 0xfc00_f853_0ccd_e793n << 64n, length: 64 },
} as const satisfies Readonly<Record<Family, Prefix>>;
/** Lengths that the nodes' subnet may have, from the longest to the shortest. */
const LENGTHS = { 4: [24, 8], 6: [64, 32] } as const;

/**
 * Kubernetes does not tell the length of the nodes' subnet. Nodes in kind's network have its /16 (IPv6: /64).
 * Otherwise it is the longest prefix up to /24 (/64) that holds every node, unless that is shorter than /8 (/32) or
 * swallows the networks of Pods or Services: then the nodes are in several subnets, and this one's is taken as a /24 (/64).
 */
function prefixOfNodes(own: Ip, addresses: readonly Ip[], taken: readonly Prefix[]): Prefix {
  const family = familyOf(own);
  const [usual, least] = LENGTHS[family];
  const holdsAll = (prefix: Prefix) => addresses.every((address) => prefixContains(prefix, address));
  if (holdsAll(KIND_NETWORKS[family])) return KIND_NETWORKS[family];
  for (let length: number = usual; length >= least; length -= 1) {
    const candidate = prefixOf(own, length);
    if (!holdsAll(candidate)) continue;
    if (!taken.some((prefix) => prefixOverlaps(prefix, candidate))) return candidate;
    break;
  }
  return prefixOf(own, usual);
}

/** The subnet's first address that no node has. */
function gatewayOf(subnet: Prefix, addresses: readonly Ip[]): Ip {
  const nodes = new Set(addresses);
  let gateway = offsetOf(subnet.address, 1);
  while (nodes.has(gateway)) gateway = offsetOf(gateway, 1);
  return gateway;
}

/** A node has one MAC address on eth0, whatever family asks for it. */
function nodeMac(node: Node): Mac {
  return macOf("node", nodeIp(node, 4) ?? nodeIp(node, 6) ?? 0);
}

function loopback(families: readonly Family[]): Interface {
  const all: Readonly<Record<Family, InterfaceAddress>> = {
    4: { address: 0x7f000001, length: 8 },
    6: { address: 1n, length: 128 },
  };
  const addresses = families.map((family) => all[family]);
  return { name: "lo", kind: "loopback", mac: 0, mtu: 65536, addresses };
}

/** The network of one family. */
function subnetOf(cluster: Cluster, own: Ip): Subnet {
  const addresses = nodeIps(cluster, familyOf(own));
  const prefix = prefixOfNodes(own, addresses, [...cluster.clusterCIDRs, ...cluster.serviceCIDRs]);
  return { address: own, prefix, gateway: gatewayOf(prefix, addresses) };
}

function nodeIps({ nodes }: Cluster, family: Family): readonly Ip[] {
  return nodes.map((node) => nodeIp(node, family)).filter((ip) => ip !== undefined);
}

function neighboursOn({ address: own, prefix, gateway }: Subnet, { nodes }: Cluster): readonly Neighbour[] {
  const others = nodes.flatMap((node): Neighbour[] => {
    const address = nodeIp(node, familyOf(own));
    return address === undefined ? [] : [{ address, dev: UPLINK, mac: nodeMac(node) }];
  });
  return [{ address: gateway, dev: UPLINK, mac: macOf("node", gateway) }, ...others].filter(
    ({ address }) => address !== own && prefixContains(prefix, address),
  );
}

/**
 * lo, eth0, the routes through it and the neighbours on it, in families in which the node has an address; `further`
 * are other addresses that it has on eth0.
 */
export function underlay(
  cluster: Cluster,
  node: Node,
  families: readonly Family[],
  further: readonly Ip[] = [],
): Underlay {
  const own = families.map((family) => nodeIp(node, family)).filter((ip) => ip !== undefined);
  const subnets = own.map((address) => subnetOf(cluster, address));
  const addresses = [
    ...subnets.map(({ address, prefix }) => ({ address, length: prefix.length })),
    ...further.map(hostPrefix),
  ];
  return {
    subnets,
    interfaces: [
      loopback(families),
      { name: UPLINK, kind: "uplink", mac: nodeMac(node), mtu: UPLINK_MTU, addresses },
    ],
    routes: subnets.flatMap(({ address, prefix, gateway }) => [
      addedRoute({ prefix: prefixOf(address, 0), via: gateway, dev: UPLINK }),
      networkRoute(prefix, UPLINK, address),
    ]),
    neighbours: subnets.flatMap((subnet) => neighboursOn(subnet, cluster)),
  };
}
