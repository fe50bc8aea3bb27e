import type { Diagnostic } from "../../diagnostics.js";
import { compareIp, type Family, familyOf } from "../../net/ip.js";
import type { Endpoint, EndpointConditions, EndpointPort, EndpointSlice } from "../endpointslice.js";
import type { Pod } from "../pod.js";
import type { ServiceManifest } from "../service.js";
import type { ServicePort } from "../service-ports.js";
import { shortHash } from "../short-hash.js";
import { Selection } from "./selection.js";

/** The EndpointSlice controller's --max-endpoints-per-slice. */
const MAX_ENDPOINTS = 100;

/** The slices and Endpoints that were given. */
export interface GivenEndpoints {
  readonly endpointSlices: readonly EndpointSlice[];
  readonly endpoints: readonly EndpointSlice[];
}

/**
 * The EndpointSlices given; Endpoints of Services without any; and for Services without either, the slices that
 * the controller would make from their selector.
 */
export function completeEndpointSlices(
  services: readonly ServiceManifest[],
  pods: readonly Pod[],
  given: GivenEndpoints,
  diagnostics: Diagnostic[],
): readonly EndpointSlice[] {
  const sliced = new Set(given.endpointSlices.map(serviceKey));
  const mirrored = given.endpoints.filter((slice) => !sliced.has(serviceKey(slice)));
  for (const slice of mirrored) sliced.add(serviceKey(slice));
  const selection = new Selection(pods);
  const made = services.flatMap((service) => {
    if (service.selector === undefined || sliced.has(`${service.namespace}/${service.name}`)) return [];
    const selected = selection.select(service.namespace, service.selector);
    warnOfUnknownPorts(service, selected, diagnostics);
    return service.families.flatMap((family) => slicesOf(service, selected, family));
  });
  return [...given.endpointSlices, ...mirrored, ...made];
}

function serviceKey({ namespace, serviceName }: EndpointSlice): string {
  return `${namespace}/${serviceName}`;
}

/** Endpoints whose ports resolve alike; the controller keeps them in slices of their own. */
interface PortGroup {
  readonly ports: readonly EndpointPort[];
  readonly endpoints: Endpoint[];
}

function slicesOf(service: ServiceManifest, pods: readonly Pod[], family: Family): readonly EndpointSlice[] {
  const groups = groupByPorts(service, pods, family);
  const slices = [...groups].sort(byKey).flatMap(([key, { ports, endpoints }]) => {
    endpoints.sort((a, b) => compareIp(a.address, b.address));
    return chunks(endpoints).map((chunk, index) => slice(service, family, `${key} ${index}`, ports, chunk));
  });
  return slices.length > 0 ? slices : [slice(service, family, "", [], [])];
}

function groupByPorts(
  service: ServiceManifest,
  pods: readonly Pod[],
  family: Family,
): ReadonlyMap<string, PortGroup> {
  const fixed = service.ports.every(({ targetPort }) => typeof targetPort === "number")
    ? resolvePorts(service.ports, undefined)
    : undefined;
  const groups = new Map<string, PortGroup>();
  for (const pod of pods) {
    const ports = fixed ?? resolvePorts(service.ports, pod);
    const endpoint = endpointOf(pod, family, service.publishNotReadyAddresses);
    if (endpoint === undefined || (ports.length === 0 && service.ports.length > 0)) continue;
    const key = fixed === undefined ? portsKey(ports) : "";
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { ports, endpoints: [endpoint] });
    else group.endpoints.push(endpoint);
  }
  return groups;
}

/** A named targetPort is the Pod's port of that name and protocol; a port that the Pod has not got is left out. */
function resolvePorts(ports: readonly ServicePort[], pod: Pod | undefined): readonly EndpointPort[] {
  return ports.flatMap(({ name, protocol, targetPort }) => {
    if (typeof targetPort === "number") return [{ name, protocol, port: targetPort }];
    const named = pod?.ports.find((port) => port.name === targetPort && port.protocol === protocol);
    return named === undefined ? [] : [{ name, protocol, port: named.port }];
  });
}

function portsKey(ports: readonly EndpointPort[]): string {
  return ports.map(({ name, protocol, port }) => `${name}/${protocol}/${port}`).join(",");
}

export function endpointOf(pod: Pod, family: Family, publishNotReady: boolean): Endpoint | undefined {
  const address = pod.podIPs.find((ip) => familyOf(ip) === family);
  if (address === undefined) return undefined;
  return {
    address,
    conditions: conditionsOf(pod, publishNotReady),
    nodeName: pod.nodeName,
    targetRef: `pod/${pod.namespace}/${pod.name}`,
    hintZones: [],
    hintNodes: [],
  };
}

/** As in the controller's endpoint utilities: serving is the Pod's readiness, ready excludes the terminating. */
function conditionsOf({ ready: serving, terminating }: Pod, publishNotReady: boolean): EndpointConditions {
  return { ready: publishNotReady || (serving && !terminating), serving, terminating };
}

function byKey([a]: readonly [string, PortGroup], [b]: readonly [string, PortGroup]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function chunks(endpoints: readonly Endpoint[]): readonly (readonly Endpoint[])[] {
  const count = Math.ceil(endpoints.length / MAX_ENDPOINTS);
  return Array.from({ length: count }, (_, index) =>
    endpoints.slice(index * MAX_ENDPOINTS, (index + 1) * MAX_ENDPOINTS),
  );
}

function slice(
  { namespace, name: serviceName }: ServiceManifest,
  family: Family,
  key: string,
  ports: readonly EndpointPort[],
  endpoints: readonly Endpoint[],
): EndpointSlice {
  const name = `${serviceName}-${shortHash(`${namespace}/${serviceName} ${family} ${key}`, 5)}`;
  return { namespace, name, serviceName, family, ports, endpoints };
}

/** The commonest slip in a manifest: Pods are selected, but none has a port of that name. */
function warnOfUnknownPorts(service: ServiceManifest, pods: readonly Pod[], diagnostics: Diagnostic[]): void {
  if (pods.length === 0) return;
  service.ports.forEach((port, index) => {
    if (typeof port.targetPort === "number" || pods.some((pod) => resolvePorts([port], pod).length > 0))
      return;
    const place = { ...service.place, field: `spec.ports[${index}].targetPort` };
    const which =
      pods.length === 1 ? "the selected Pod has no" : `none of the ${pods.length} selected Pods has a`;
    const message = `${which} ${port.protocol} port named «${port.targetPort}»: the Service has no endpoints there.`;
    diagnostics.push({ severity: "warning", place, message });
  });
}
