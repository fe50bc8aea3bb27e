import type { Diagnostic } from "../../diagnostics.js";
import { type Family, familyOf, type Ip } from "../../net/ip.js";
import { IpMap } from "../../net/ip-map.js";
import { type Prefix, printPrefix } from "../../net/prefix.js";
import type { NodeManifest } from "../node.js";
import type { Objects } from "../objects.js";
import { guessPodCIDRs, onlyOf } from "./pod-network-guess.js";
import { clusterNetwork, clusterNetwork6, MAX_NODES, podNetworks } from "./pod-networks.js";

export interface NodeOptions {
  /** Nodes to make where none is given; 3 if not said. */
  readonly nodes?: number;
  /** Networks to cut podCIDRs from, one a family; 10.244.0.0/16 and fd00:10:244::/56, or wider for more than 256 Nodes, if not said. */
  readonly clusterCIDRs: readonly Prefix[];
  /** Networks of ClusterIPs that are asked for. */
  readonly serviceCIDRs: readonly Prefix[];
}

const BOTH = [4, 6] as const;
const DEFAULT_NODES = 3;
/** 172.18.0.2 and fc00:f853:ccd:e793::2: the first container on the networks that kind makes. */
const FIRST_INTERNAL_IPS: Readonly<Record<Family, Ip>> = {
  4: 0xac120002,
  6: (0xfc00_f853_0ccd_e793n << 64n) + 2n,
};

/**
 * The Nodes with an InternalIP and a podCIDR each. Where no Node is given, those that Pods and endpoints name are
 * made, and `worker-1`, `worker-2`, … up to the number asked for.
 */
export function completeNodes(
  objects: Objects,
  options: NodeOptions,
  diagnostics: Diagnostic[],
): readonly NodeManifest[] {
  const nodes = objects.nodes.length > 0 ? objects.nodes : makeNodes(objects, options.nodes);
  const message = originOf(nodes, objects.nodes.length, options.nodes);
  if (message !== undefined) diagnostics.push({ severity: "note", place: {}, message });
  const addressed = withInternalIPs(nodes, objects, familiesAsked(objects, options));
  const made = BOTH.map((family) => podCIDRsOf(addressed, objects, options, family));
  return addressed.map((node) => withPodCIDRs(node, made, diagnostics));
}

/** The families of which there are addresses or networks; IPv4 where nothing tells. */
function familiesAsked({ services, pods, endpointSlices }: Objects, options: NodeOptions): readonly Family[] {
  const found = new Set<Family>();
  for (const { address } of [...options.clusterCIDRs, ...options.serviceCIDRs]) found.add(familyOf(address));
  for (const { clusterIPs } of services) for (const ip of clusterIPs) found.add(familyOf(ip));
  for (const { podIPs, finished } of pods) if (!finished) for (const ip of podIPs) found.add(familyOf(ip));
  for (const { family, endpoints } of endpointSlices) if (endpoints.length > 0) found.add(family);
  return found.size === 0 ? [4] : BOTH.filter((family) => found.has(family));
}

/** What to tell of Nodes that were made, or that were asked for in vain. */
function originOf(
  nodes: readonly NodeManifest[],
  given: number,
  asked: number | undefined,
): string | undefined {
  if (given === 0) return `no Node is given: made ${nodes.length} (${rangeOf(nodes)}).`;
  if (asked === undefined) return undefined;
  const are = given === 1 ? "1 Node is" : `${given} Nodes are`;
  return `${are} given: no others are made, though ${asked} were asked for.`;
}

function rangeOf(nodes: readonly NodeManifest[]): string {
  const names = nodes.map(({ name }) => name);
  return names.length < 3 ? names.join(", ") : `${names[0]} … ${names.at(-1)}`;
}

export function makeNodes(objects: Objects, asked: number | undefined): readonly NodeManifest[] {
  const names = namedNodes(objects);
  const count = asked ?? (names.size === 0 ? DEFAULT_NODES : 0);
  for (let number = 1; names.size < Math.min(count, MAX_NODES); number++) names.add(`worker-${number}`);
  return [...names].map(makeNode);
}

/** Names that Pods and endpoints give, sorted. */
function namedNodes({ pods, workloads, endpointSlices, endpoints }: Objects): Set<string> {
  const names = new Set<string>();
  for (const { template } of workloads) if (template.spec.nodeName !== "") names.add(template.spec.nodeName);
  for (const { spec, finished } of pods) if (!finished && spec.nodeName !== "") names.add(spec.nodeName);
  for (const slice of [...endpointSlices, ...endpoints]) {
    for (const { nodeName } of slice.endpoints) if (nodeName !== undefined) names.add(nodeName);
  }
  return new Set([...names].sort());
}

/** With the labels that every kubelet sets. */
export function makeNode(name: string): NodeManifest {
  return {
    name,
    labels: new Map([
      ["kubernetes.io/hostname", name],
      ["kubernetes.io/os", "linux"],
      ["kubernetes.io/arch", "amd64"],
    ]),
    internalIPs: [],
    externalIPs: [],
    podCIDRs: [],
    unschedulable: false,
    taints: [],
    place: { object: `Node ${name}` },
  };
}

/** Nodes without an address get those of their Pods' hostIP, or one of each family of their podCIDRs, or else of those asked for. */
function withInternalIPs(
  nodes: readonly NodeManifest[],
  objects: Objects,
  families: readonly Family[],
): readonly NodeManifest[] {
  const used = new IpMap<true>();
  for (const { internalIPs } of nodes) for (const ip of internalIPs) used.set(ip, true);
  const hostIPs = new Map<string, Ip>();
  for (const { spec, hostIP } of objects.pods) if (hostIP !== undefined) hostIPs.set(spec.nodeName, hostIP);
  const next: Record<Family, Ip> = { ...FIRST_INTERNAL_IPS };
  return nodes.map((node) => {
    if (node.internalIPs.length > 0) return node;
    const hostIP = hostIPs.get(node.name);
    const own = new Set(node.podCIDRs.map(({ address }) => familyOf(address)));
    const internalIPs = (own.size > 0 ? [...own] : families).map((family) => {
      const isTold = hostIP !== undefined && familyOf(hostIP) === family && !used.has(hostIP);
      if (!isTold) while (used.has(next[family])) next[family] = successor(next[family]);
      const address = isTold ? hostIP : next[family];
      used.set(address, true);
      return address;
    });
    return { ...node, internalIPs };
  });
}

/** What a family's podCIDRs are made from, and those that Nodes without any get. */
interface Made {
  readonly family: Family;
  readonly network: Prefix;
  /** By the Node's name; undefined where none is left. */
  readonly podCIDRs: ReadonlyMap<string, Prefix | undefined>;
}

/** The podCIDRs of one family for Nodes that have none at all, but an address of that family. */
function podCIDRsOf(
  nodes: readonly NodeManifest[],
  objects: Objects,
  { clusterCIDRs }: NodeOptions,
  family: Family,
): Made {
  const isOwn = ({ address }: Prefix) => familyOf(address) === family;
  const guesses = guessPodCIDRs(nodes, objects, family);
  const taken = [...nodes.flatMap(({ podCIDRs }) => podCIDRs), ...guesses.values()].filter(isOwn);
  const needy = nodes.filter(
    ({ podCIDRs, internalIPs }) => podCIDRs.length === 0 && onlyOf(internalIPs, family).length > 0,
  );
  const lacking = needy.filter(({ name }) => !guesses.has(name));
  const needed = lacking.length + taken.length;
  const network = (family === 4 ? clusterNetwork : clusterNetwork6)(clusterCIDRs.find(isOwn), needed);
  const next = podNetworks(network, needed, taken, foreignAddresses(nodes, objects, family));
  const podCIDRs = new Map(needy.map(({ name }) => [name, guesses.get(name) ?? next()]));
  return { family, network, podCIDRs };
}

/** A Node's podCIDRs come in the order of its addresses. */
function withPodCIDRs(node: NodeManifest, made: readonly Made[], diagnostics: Diagnostic[]): NodeManifest {
  if (node.podCIDRs.length > 0) return node;
  const families = [...new Set(node.internalIPs.map(familyOf))];
  const podCIDRs = families.flatMap((family) => {
    const { network, podCIDRs: given } = made.find((one) => one.family === family) as Made;
    const podCIDR = given.get(node.name);
    if (podCIDR !== undefined) return [podCIDR];
    const message = `has no podCIDR, and ${printPrefix(network)} has no room for another: widen the clusterCIDR.`;
    diagnostics.push({ severity: "error", place: node.place, message });
    return [];
  });
  return { ...node, podCIDRs };
}

/** Addresses that no podCIDR to be made may hold. A Pod without a Node gets the one whose podCIDR holds it. */
function* foreignAddresses(nodes: readonly NodeManifest[], objects: Objects, family: Family): Iterable<Ip> {
  for (const { internalIPs } of nodes) yield* onlyOf(internalIPs, family);
  for (const { clusterIPs } of objects.services) yield* onlyOf(clusterIPs, family);
  for (const { spec, podIPs, finished } of objects.pods) {
    if (!finished && spec.nodeName !== "") yield* onlyOf(podIPs, family);
  }
}

function successor(ip: Ip): Ip {
  return typeof ip === "number" ? ip + 1 : ip + 1n;
}
