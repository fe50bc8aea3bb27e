import { type Family, familyOf, type Ip } from "../../net/ip.js";
import { IpMap } from "../../net/ip-map.js";
import { type Prefix, prefixOf, prefixOverlaps } from "../../net/prefix.js";
import type { NodeManifest } from "../node.js";
import type { Objects } from "../objects.js";
import { NODE_LENGTHS } from "./pod-networks.js";

export function onlyOf(addresses: readonly Ip[], family: Family): readonly Ip[] {
  return addresses.filter((address) => familyOf(address) === family);
}

/**
 * A dump of Pods still tells the podCIDRs of Nodes that come without: the /24 (IPv6: /64) that holds all the Pods of one
 * Node, and no Pod of another, no Node and no known podCIDR. Nodes without such a network are left out.
 */
export function guessPodCIDRs(
  nodes: readonly NodeManifest[],
  objects: Objects,
  family: Family,
): ReadonlyMap<string, Prefix> {
  const { holders, networks } = podNetworksInUse(objects, family);
  const foreign = new IpMap<true>();
  for (const { internalIPs } of nodes)
    for (const ip of onlyOf(internalIPs, family)) foreign.set(networkOf(ip), true);
  const known = nodes.flatMap(({ podCIDRs }) => podCIDRs);
  const guesses = new Map<string, Prefix>();
  for (const { name, podCIDRs } of nodes) {
    const [address, ...others] = networks.get(name)?.keys() ?? [];
    if (podCIDRs.length > 0 || address === undefined || others.length > 0) continue;
    const guess = { address, length: NODE_LENGTHS[family] };
    const isOwn = holders.get(address)?.size === 1 && !foreign.has(address);
    if (isOwn && !known.some((prefix) => prefixOverlaps(prefix, guess))) guesses.set(name, guess);
  }
  return guesses;
}

function networkOf(address: Ip): Ip {
  return prefixOf(address, NODE_LENGTHS[familyOf(address)]).address;
}

interface NetworksInUse {
  /** Names of the Nodes with Pods in a network. */
  readonly holders: ReadonlyMap<Ip, ReadonlySet<string>>;
  /** The networks in which a Node has Pods. */
  readonly networks: ReadonlyMap<string, ReadonlyMap<Ip, true>>;
}

function podNetworksInUse({ pods }: Objects, family: Family): NetworksInUse {
  const holders = new IpMap<Set<string>>();
  const networks = new Map<string, IpMap<true>>();
  for (const { spec, podIPs, finished } of pods) {
    if (finished || spec.hostNetwork) continue;
    for (const address of onlyOf(podIPs, family)) {
      const network = networkOf(address);
      holders.set(network, (holders.get(network) ?? new Set()).add(spec.nodeName));
      networks.set(spec.nodeName, (networks.get(spec.nodeName) ?? new IpMap<true>()).set(network, true));
    }
  }
  return { holders, networks };
}
