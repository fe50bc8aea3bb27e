import { type Diagnostic, type Place, printPlace } from "../diagnostics.js";
import { familyOf, type Ip, printIp } from "../net/ip.js";
import { IpMap } from "../net/ip-map.js";
import { type Prefix, printPrefix } from "../net/prefix.js";
import type { NodeManifest } from "./node.js";
import type { Objects } from "./objects.js";
import type { PodManifest } from "./pod.js";
import { hasHealthCheck, type ServiceManifest } from "./service.js";

/** What must hold between objects; every breach becomes an error or a warning that names both. */
export function checkObjects(objects: Objects, diagnostics: Diagnostic[]): void {
  checkPodCIDRs(objects.nodes, diagnostics);
  checkNodeAddresses(objects.nodes, diagnostics);
  checkPodNodes(objects, diagnostics);
  checkPodAddresses(objects.pods, diagnostics);
  checkClusterIPs(objects.services, diagnostics);
  checkNodePorts(objects.services, diagnostics);
  checkExternalAddresses(objects.services, diagnostics);
}

/** Remembers who took a key first; answers with the earlier taker. */
function claims<K extends string | Ip>(
  taken: Map<K, Place> = new Map(),
): (key: K, place: Place) => Place | undefined {
  return (key, place) => {
    const first = taken.get(key);
    if (first === undefined) taken.set(key, place);
    return first;
  };
}

function at(place: Place, field: string): Place {
  return { ...place, field };
}

function nameOf(place: Place): string {
  return place.object ?? printPlace(place);
}

interface PodNetwork {
  readonly prefix: Prefix;
  readonly place: Place;
}

/** Sorted by their first address, prefixes overlap some other one only if they overlap the widest before them. */
function checkPodCIDRs(nodes: readonly NodeManifest[], diagnostics: Diagnostic[]): void {
  const networks = nodes.flatMap(({ podCIDRs, place }) => podCIDRs.map((prefix) => ({ prefix, place })));
  for (const family of [4, 6]) {
    const sorted = networks.filter(({ prefix }) => familyOf(prefix.address) === family).sort(byAddress);
    let widest: PodNetwork | undefined;
    for (const network of sorted) {
      const overlaps = widest !== undefined && lastOf(widest.prefix) >= network.prefix.address;
      if (widest !== undefined && overlaps) diagnostics.push(overlapOf(network, widest));
      if (widest === undefined || lastOf(network.prefix) > lastOf(widest.prefix)) widest = network;
    }
  }
}

function byAddress(a: PodNetwork, b: PodNetwork): number {
  if (a.prefix.address === b.prefix.address) return a.prefix.length - b.prefix.length;
  return a.prefix.address < b.prefix.address ? -1 : 1;
}

function lastOf({ address, length }: Prefix): Ip {
  if (typeof address === "number") return address + 2 ** (32 - length) - 1;
  return address + (1n << BigInt(128 - length)) - 1n;
}

function overlapOf(network: PodNetwork, other: PodNetwork): Diagnostic {
  const message = `${printPrefix(network.prefix)} overlaps ${printPrefix(other.prefix)} of ${nameOf(other.place)}: give each Node a network of its own.`;
  return { severity: "error", place: at(network.place, "spec.podCIDRs"), message };
}

function checkNodeAddresses(nodes: readonly NodeManifest[], diagnostics: Diagnostic[]): void {
  const claim = claims<Ip>(new IpMap());
  for (const { internalIPs, place } of nodes) {
    for (const ip of internalIPs) {
      const first = claim(ip, place);
      if (first === undefined) continue;
      const message = `InternalIP ${printIp(ip)} already belongs to ${nameOf(first)}.`;
      diagnostics.push({ severity: "error", place: at(place, "status.addresses"), message });
    }
  }
}

/** Where no Node is given the model makes those that Pods name. */
function checkPodNodes({ nodes, pods, workloads }: Objects, diagnostics: Diagnostic[]): void {
  const names = new Set(nodes.map(({ name }) => name));
  const check = (nodeName: string, place: Place, field: string) => {
    if (names.size === 0 || nodeName === "" || names.has(nodeName)) return;
    const message = `names ${nodeName}, which is none of the Nodes given: ${shortList([...names])}.`;
    diagnostics.push({ severity: "error", place: at(place, field), message });
  };
  for (const { spec, place, finished } of pods) if (!finished) check(spec.nodeName, place, "spec.nodeName");
  for (const { template, place } of workloads)
    check(template.spec.nodeName, place, "spec.template.spec.nodeName");
}

function shortList(names: readonly string[]): string {
  return names.length <= 5 ? names.join(", ") : `${names.slice(0, 5).join(", ")}, …`;
}

function checkPodAddresses(pods: readonly PodManifest[], diagnostics: Diagnostic[]): void {
  const claim = claims<Ip>(new IpMap());
  for (const { podIPs, spec, finished, place } of pods) {
    if (spec.hostNetwork || finished) continue;
    for (const ip of podIPs) {
      const first = claim(ip, place);
      if (first === undefined) continue;
      const message = `${printIp(ip)} already belongs to ${nameOf(first)}.`;
      diagnostics.push({ severity: "error", place: at(place, "status.podIPs"), message });
    }
  }
}

function checkClusterIPs(services: readonly ServiceManifest[], diagnostics: Diagnostic[]): void {
  const claim = claims<Ip>(new IpMap());
  for (const { clusterIPs, place } of services) {
    for (const ip of clusterIPs) {
      const first = claim(ip, place);
      if (first === undefined) continue;
      const message = `${printIp(ip)} already belongs to ${nameOf(first)}.`;
      diagnostics.push({ severity: "error", place: at(place, "spec.clusterIPs"), message });
    }
  }
}

function checkNodePorts(services: readonly ServiceManifest[], diagnostics: Diagnostic[]): void {
  const claim = claims<string>();
  const check = (number: number, protocol: string, place: Place) => {
    const first = number === 0 ? undefined : claim(`${number}/${protocol}`, place);
    if (first === undefined) return;
    diagnostics.push({
      severity: "error",
      place,
      message: `${number}/${protocol} already belongs to ${nameOf(first)}.`,
    });
  };
  for (const service of services) {
    const { ports, healthCheckNodePort, place } = service;
    ports.forEach(({ nodePort, protocol }, index) => {
      check(nodePort, protocol, at(place, `spec.ports[${index}].nodePort`));
    });
    if (hasHealthCheck(service)) check(healthCheckNodePort, "TCP", at(place, "spec.healthCheckNodePort"));
  }
}

/** The API lets two Services claim one external address and port; which of them kube-proxy serves is a race. */
function checkExternalAddresses(services: readonly ServiceManifest[], diagnostics: Diagnostic[]): void {
  const claim = claims<string>();
  for (const service of services) {
    const vips = service.loadBalancerIngress.filter(({ ipMode }) => ipMode === "VIP").map(({ ip }) => ip);
    for (const ip of new Set([...service.externalIPs, ...vips])) {
      for (const { port, protocol } of service.ports) {
        const address = `${printIp(ip)} port ${port}/${protocol}`;
        const first = claim(address, service.place);
        if (first === undefined) continue;
        const message = `${address} is also claimed by ${nameOf(first)}: which of the two a node serves is not defined.`;
        diagnostics.push({ severity: "warning", place: service.place, message });
      }
    }
  }
}
