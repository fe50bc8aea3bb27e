import type { Ip, Ip4 } from "../../net/ip.js";
import { type Prefix, prefixOf, prefixOverlaps } from "../../net/prefix.js";
import type { NodeManifest } from "../node.js";
import type { Objects } from "../objects.js";

export function onlyIp4(addresses: readonly Ip[]): readonly Ip4[] {
  return addresses.filter((address) => typeof address === "number");
}

/**
 * A dump of Pods still tells the podCIDRs of Nodes that come without: the /24 that holds all the Pods of one Node,
 * and no Pod of another, no Node and no known podCIDR. Nodes without such a network are left out.
 */
export function guessPodCIDRs(nodes: readonly NodeManifest[], objects: Objects): ReadonlyMap<string, Prefix> {
  const { holders, networks } = podNetworksInUse(objects);
  const foreign = new Set(nodes.flatMap(({ internalIPs }) => onlyIp4(internalIPs).map(networkOf)));
  const known = nodes.flatMap(({ podCIDRs }) => podCIDRs);
  const guesses = new Map<string, Prefix>();
  for (const { name, podCIDRs } of nodes) {
    const [address, ...others] = networks.get(name) ?? [];
    if (podCIDRs.length > 0 || address === undefined || others.length > 0) continue;
    const guess = { address, length: 24 };
    const isOwn = holders.get(address)?.size === 1 && !foreign.has(address);
    if (isOwn && !known.some((prefix) => prefixOverlaps(prefix, guess))) guesses.set(name, guess);
  }
  return guesses;
}

function networkOf(address: Ip4): Ip4 {
  return Number(prefixOf(address, 24).address);
}

interface NetworksInUse {
  /** Names of the Nodes with Pods in a /24. */
  readonly holders: ReadonlyMap<Ip4, ReadonlySet<string>>;
  /** The /24s in which a Node has Pods. */
  readonly networks: ReadonlyMap<string, ReadonlySet<Ip4>>;
}

function podNetworksInUse({ pods }: Objects): NetworksInUse {
  const holders = new Map<Ip4, Set<string>>();
  const networks = new Map<string, Set<Ip4>>();
  for (const { spec, podIPs, finished } of pods) {
    if (finished || spec.hostNetwork) continue;
    for (const address of onlyIp4(podIPs)) {
      add(holders, networkOf(address), spec.nodeName);
      add(networks, spec.nodeName, networkOf(address));
    }
  }
  return { holders, networks };
}

function add<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([value]));
  else set.add(value);
}
