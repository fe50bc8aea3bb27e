import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import type { Ip4 } from "../net/ip.js";
import { type Prefix, prefixContains, prefixOf, prefixOverlaps } from "../net/prefix.js";
import type { Neighbour } from "../ruleset/neighbours.js";
import type { Interface, Route } from "../ruleset/routes.js";
import { macOf, nodeError, nodeIp4 } from "./network.js";

/** The network that joins the nodes, as one of them sees it. */
export interface Underlay {
  /** The node's own address. */
  readonly address: Ip4;
  /** The subnet on eth0; nodes outside of it are reached through the gateway. */
  readonly subnet: Prefix;
  readonly gateway: Ip4;
  /** lo and eth0. */
  readonly interfaces: readonly Interface[];
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
}

export const UPLINK = "eth0";
export const UPLINK_MTU = 1500;

/** Docker's network of a kind cluster, whose length is known without looking at the nodes. */
const KIND_NETWORK: Prefix = { address: 0xac120000, length: 16 };

/**
 * Kubernetes does not tell the length of the nodes' subnet. Nodes in kind's network have its /16. Otherwise it
 * is the longest prefix up to /24 that holds every node, unless that is shorter than /8 or swallows the
 * networks of Pods or Services: then the nodes are in several subnets, and this one's is taken as a /24.
 */
function nodeSubnet(own: Ip4, addresses: readonly Ip4[], taken: readonly Prefix[]): Prefix {
  const holdsAll = (prefix: Prefix) => addresses.every((address) => prefixContains(prefix, address));
  if (holdsAll(KIND_NETWORK)) return KIND_NETWORK;
  for (let length = 24; length >= 8; length -= 1) {
    const candidate = prefixOf(own, length);
    if (!holdsAll(candidate)) continue;
    if (!taken.some((prefix) => prefixOverlaps(prefix, candidate))) return candidate;
    break;
  }
  return prefixOf(own, 24);
}

/** The subnet's first address that no node has. */
function gatewayOf(subnet: Prefix, addresses: readonly Ip4[]): Ip4 {
  const nodes = new Set(addresses);
  let gateway = Number(subnet.address) + 1;
  while (nodes.has(gateway)) gateway += 1;
  return gateway;
}

function uplink(address: Ip4, length: number): readonly Interface[] {
  const loopback = { address: 0x7f000001, length: 8 };
  return [
    { name: "lo", kind: "loopback", mac: 0, mtu: 65536, addresses: [loopback] },
    {
      name: UPLINK,
      kind: "uplink",
      mac: macOf("node", address),
      mtu: UPLINK_MTU,
      addresses: [{ address, length }],
    },
  ];
}

/** lo, eth0, the routes through it and the neighbours on it. Throws InputError if the node has no IPv4 address. */
export function underlay(cluster: Cluster, node: Node): Underlay {
  const address = nodeIp4(node);
  if (address === undefined) {
    const message = "no InternalIP of IPv4; nodes with IPv6 alone are not modelled yet: give the node one.";
    throw nodeError(node, "status.addresses", message);
  }
  const addresses = cluster.nodes.map(nodeIp4).filter((ip) => ip !== undefined);
  const subnet = nodeSubnet(address, addresses, [...cluster.clusterCIDRs, ...cluster.serviceCIDRs]);
  const gateway = gatewayOf(subnet, addresses);
  const onLink = [gateway, ...addresses].filter((ip) => ip !== address && prefixContains(subnet, ip));
  return {
    address,
    subnet,
    gateway,
    interfaces: uplink(address, subnet.length),
    routes: [
      { prefix: { address: 0, length: 0 }, via: gateway, dev: UPLINK },
      { prefix: subnet, dev: UPLINK, proto: "kernel", scope: "link", src: address },
    ],
    neighbours: onLink.map((ip) => ({ address: ip, dev: UPLINK, mac: macOf("node", ip) })),
  };
}
