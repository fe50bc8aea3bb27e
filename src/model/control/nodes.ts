import type { Diagnostic } from "../../diagnostics.js";
import { familyOf, type Ip, type Ip4 } from "../../net/ip.js";
import { type Prefix, printPrefix } from "../../net/prefix.js";
import type { NodeManifest } from "../node.js";
import type { Objects } from "../objects.js";
import { guessPodCIDRs, onlyIp4 } from "./pod-network-guess.js";
import { clusterNetwork, MAX_NODES, podNetworks } from "./pod-networks.js";

export interface NodeOptions {
  /** Nodes to make where none is given; 3 if not said. */
  readonly nodes?: number;
  /** IPv4 network to cut podCIDRs from; 10.244.0.0/16, or wider for more than 256 Nodes, if not said. */
  readonly clusterCIDR?: Prefix;
}

const DEFAULT_NODES = 3;
/** 172.18.0.2: the first container on the network that kind makes. */
const FIRST_INTERNAL_IP = 0xac120002;

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
  return withPodCIDRs(withInternalIPs(nodes, objects), objects, options, diagnostics);
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

function withInternalIPs(nodes: readonly NodeManifest[], objects: Objects): readonly NodeManifest[] {
  const used = new Set<Ip>(nodes.flatMap(({ internalIPs }) => internalIPs));
  const hostIPs = new Map<string, Ip>();
  for (const { spec, hostIP } of objects.pods) if (hostIP !== undefined) hostIPs.set(spec.nodeName, hostIP);
  let next = FIRST_INTERNAL_IP;
  return nodes.map((node) => {
    if (node.internalIPs.length > 0) return node;
    const hostIP = hostIPs.get(node.name);
    if (hostIP === undefined || used.has(hostIP)) while (used.has(next)) next++;
    const address = hostIP === undefined || used.has(hostIP) ? next : hostIP;
    used.add(address);
    return { ...node, internalIPs: [address] };
  });
}

function withPodCIDRs(
  nodes: readonly NodeManifest[],
  objects: Objects,
  options: NodeOptions,
  diagnostics: Diagnostic[],
): readonly NodeManifest[] {
  const guesses = guessPodCIDRs(nodes, objects);
  const taken = [...nodes.flatMap(({ podCIDRs }) => podCIDRs), ...guesses.values()].filter(isIp4);
  const lacking = nodes.filter(({ name, podCIDRs }) => podCIDRs.length === 0 && !guesses.has(name));
  const needed = lacking.length + taken.length;
  const network = clusterNetwork(options.clusterCIDR, needed);
  const next = podNetworks(network, needed, taken, foreignAddresses(nodes, objects));
  return nodes.map((node) => {
    if (node.podCIDRs.length > 0) return node;
    const podCIDR = guesses.get(node.name) ?? next();
    if (podCIDR !== undefined) return { ...node, podCIDRs: [podCIDR] };
    const message = `has no podCIDR, and ${printPrefix(network)} has no room for another: widen the clusterCIDR.`;
    diagnostics.push({ severity: "error", place: node.place, message });
    return node;
  });
}

function isIp4(prefix: Prefix): boolean {
  return familyOf(prefix.address) === 4;
}

/** Addresses that no podCIDR to be made may hold. A Pod without a Node gets the one whose podCIDR holds it. */
function* foreignAddresses(nodes: readonly NodeManifest[], objects: Objects): Iterable<Ip4> {
  for (const { internalIPs } of nodes) yield* onlyIp4(internalIPs);
  for (const { clusterIPs } of objects.services) yield* onlyIp4(clusterIPs);
  for (const { spec, podIPs, finished } of objects.pods) {
    if (!finished && spec.nodeName !== "") yield* onlyIp4(podIPs);
  }
}
