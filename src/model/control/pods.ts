import type { Diagnostic } from "../../diagnostics.js";
import { familyOf, type Ip, printIp } from "../../net/ip.js";
import { type Prefix, prefixContains, printPrefix } from "../../net/prefix.js";
import type { NodeManifest } from "../node.js";
import type { Objects } from "../objects.js";
import type { Pod, PodManifest } from "../pod.js";
import { nodeNetworks } from "./node-networks.js";
import { withAddresses } from "./pod-addresses.js";
import { Scheduler } from "./scheduler.js";
import { makePods, noNodeNote, type PlacedPod } from "./workloads.js";

/**
 * The Pods given and those that the workloads make, each with a Node and its addresses. Pods that have run to
 * completion are left out, as are those that no Node admits.
 */
export function completePods(
  objects: Objects,
  nodes: readonly NodeManifest[],
  diagnostics: Diagnostic[],
): readonly Pod[] {
  const running = objects.pods.filter(({ finished }) => !finished);
  noteFinished(objects.pods.length - running.length, diagnostics);
  const scheduler = new Scheduler(nodes);
  for (const { spec } of running) scheduler.occupy(spec.nodeName);
  const given = placeGiven(running, nodes, scheduler, diagnostics);
  const made = makePods(objects, scheduler, diagnostics);
  warnOfStrays(given, nodes, diagnostics);
  return withAddresses([...given, ...made], nodes);
}

function noteFinished(count: number, diagnostics: Diagnostic[]): void {
  if (count === 0) return;
  const message = `left out ${count} Pod${count === 1 ? "" : "s"} that ran to completion (Succeeded or Failed).`;
  diagnostics.push({ severity: "note", place: {}, message });
}

/** A Pod without nodeName but with an address runs where that address lives. */
function placeGiven(
  pods: readonly PodManifest[],
  nodes: readonly NodeManifest[],
  scheduler: Scheduler,
  diagnostics: Diagnostic[],
): readonly PlacedPod[] {
  const holderOf = nodeNetworks(nodes);
  return pods.flatMap((pod) => {
    const { spec, podIPs, place } = pod;
    if (spec.nodeName !== "") return [placed(pod, spec.nodeName)];
    const holder = podIPs.map(holderOf).find((name) => name !== undefined);
    if (holder !== undefined) scheduler.occupy(holder);
    const nodeName = holder ?? scheduler.place(1, spec.placement)[0];
    if (nodeName === undefined) diagnostics.push(noNodeNote(place, 1));
    return nodeName === undefined ? [] : [placed(pod, nodeName)];
  });
}

function placed({ namespace, name, labels, spec, ...pod }: PodManifest, nodeName: string): PlacedPod {
  const { hostNetwork, ports } = spec;
  const { podIPs, ready, terminating, place } = pod;
  return { namespace, name, labels, nodeName, hostNetwork, podIPs, ports, ready, terminating, place };
}

/** Routes lead to podCIDRs: an address outside the one of its Node is not reached. One warning a Node. */
function warnOfStrays(
  pods: readonly PlacedPod[],
  nodes: readonly NodeManifest[],
  diagnostics: Diagnostic[],
): void {
  const podCIDRs = new Map(nodes.map((node) => [node.name, node.podCIDRs]));
  const strays = new Map<string, PlacedPod[]>();
  for (const pod of pods) {
    const { hostNetwork, nodeName } = pod;
    const networks = podCIDRs.get(nodeName) ?? [];
    if (hostNetwork || pod.podIPs.every((ip) => isWithin(ip, networks))) continue;
    const others = strays.get(nodeName);
    if (others === undefined) strays.set(nodeName, [pod]);
    else others.push(pod);
  }
  for (const [name, found] of strays) diagnostics.push(strayWarning(found, podCIDRs.get(name) ?? []));
}

/** True also where the Node has no network of that family to hold it against. */
function isWithin(ip: Ip, networks: readonly Prefix[]): boolean {
  const family = networks.filter(({ address }) => familyOf(address) === familyOf(ip));
  return family.length === 0 || family.some((network) => prefixContains(network, ip));
}

function strayWarning(pods: readonly PlacedPod[], networks: readonly Prefix[]): Diagnostic {
  const [first] = pods as readonly [PlacedPod, ...PlacedPod[]];
  const more = pods.length === 1 ? "" : ` (and ${pods.length - 1} more of its Pods)`;
  const message =
    `${first.podIPs.map(printIp).join(", ")} lies outside the podCIDRs of Node ${first.nodeName}, ` +
    `${networks.map(printPrefix).join(", ")}${more}: no route leads there.`;
  return { severity: "warning", place: { ...first.place, field: "status.podIPs" }, message };
}
