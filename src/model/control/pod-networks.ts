import { type Family, familyOf, type Ip, type Ip4 } from "../../net/ip.js";
import { type Prefix, prefixContains, prefixOf, prefixOverlaps } from "../../net/prefix.js";
import { DEFAULT_CLUSTER_CIDR, DEFAULT_CLUSTER_CIDR6 } from "./networks.js";

/** kube-controller-manager's --node-cidr-mask-size-ipv4 and -ipv6. */
export const NODE_LENGTHS: Readonly<Record<Family, number>> = { 4: 24, 6: 64 };
const NODE_LENGTH = NODE_LENGTHS[4];
/** A network of 13 Pod addresses is the least that is worth a Node. */
const LONGEST_NODE_LENGTH = 28;
const LONGEST_NODE_LENGTH6 = 124;
/** 10.128.0.0/9, the widest that 10.244.0.0/16 grows to: it still leaves the Service network alone. */
const WIDEST_CLUSTER_LENGTH = 9;

/** The most Nodes that can be made. */
export const MAX_NODES = 2 ** (NODE_LENGTH - WIDEST_CLUSTER_LENGTH);

/**
 * The network to cut podCIDRs from. 10.244.0.0/16 holds 256 of them; for more Nodes it grows, up to 10.128.0.0/9
 * for 32,768.
 */
export function clusterNetwork(asked: Prefix | undefined, count: number): Prefix {
  if (asked !== undefined) return asked;
  const bits = Math.ceil(Math.log2(Math.max(1, count)));
  const length = Math.max(WIDEST_CLUSTER_LENGTH, Math.min(DEFAULT_CLUSTER_CIDR.length, NODE_LENGTH - bits));
  return prefixOf(DEFAULT_CLUSTER_CIDR.address, length);
}

/** fd00:10:244::/56 holds 256 podCIDRs, as kind's does; for more Nodes it grows to a /48. */
export function clusterNetwork6(asked: Prefix | undefined, count: number): Prefix {
  return asked ?? (count <= 256 ? DEFAULT_CLUSTER_CIDR6 : prefixOf(DEFAULT_CLUSTER_CIDR6.address, 48));
}

/**
 * Cuts one podCIDR after another from a network: a /24 (IPv6: /64) each, or as much less as lets `count` of them fit.
 * Those that touch a taken network or address are passed over. The answer is undefined when none is left.
 */
export function podNetworks(
  network: Prefix,
  count: number,
  taken: readonly Prefix[],
  addresses: Iterable<Ip>,
): () => Prefix | undefined {
  return familyOf(network.address) === 4
    ? podNetworks4(network, count, taken, addresses as Iterable<Ip4>)
    : podNetworks6(network, count, taken, addresses);
}

function podNetworks6(
  network: Prefix,
  count: number,
  taken: readonly Prefix[],
  addresses: Iterable<Ip>,
): () => Prefix | undefined {
  const bits = Math.ceil(Math.log2(Math.max(1, count)));
  const length = Math.min(LONGEST_NODE_LENGTH6, Math.max(NODE_LENGTHS[6], network.length + bits));
  const host = BigInt(128 - length);
  const base = BigInt(network.address) >> host;
  const used = new Set<bigint>();
  for (const address of addresses) used.add(BigInt(address) >> host);
  const end = base + (1n << BigInt(Math.max(0, length - network.length)));
  let next = base;
  return () => {
    while (next < end) {
      const block = next++;
      const candidate = { address: block << host, length };
      if (!used.has(block) && !taken.some((prefix) => prefixOverlaps(prefix, candidate))) return candidate;
    }
    return undefined;
  };
}

function podNetworks4(
  network: Prefix,
  count: number,
  taken: readonly Prefix[],
  addresses: Iterable<Ip4>,
): () => Prefix | undefined {
  const length = nodeLength(network, count);
  const blocks = 2 ** Math.max(0, length - network.length);
  const size = 2 ** (32 - length);
  const base = Number(network.address);
  const start = prefixContains(network, DEFAULT_CLUSTER_CIDR.address) ? startOf(base, size) : 0;
  const blockOf = (address: Ip4) => Math.floor((address - base) / size);
  const used = new Set<number>();
  for (const address of addresses) used.add(blockOf(address));
  let next = 0;
  return () => {
    while (next < blocks) {
      const block = (start + next++) % blocks;
      const candidate = { address: base + block * size, length };
      if (!used.has(block) && !taken.some((prefix) => prefixOverlaps(prefix, candidate))) return candidate;
    }
    return undefined;
  };
}

/** In a grown network the first podCIDR is still 10.244.0.0/24, so that more Nodes do not move the others. */
function startOf(base: number, size: number): number {
  return (Number(DEFAULT_CLUSTER_CIDR.address) - base) / size;
}

function nodeLength(network: Prefix, count: number): number {
  const bits = Math.ceil(Math.log2(Math.max(1, count)));
  return Math.min(LONGEST_NODE_LENGTH, Math.max(NODE_LENGTH, network.length + bits));
}
