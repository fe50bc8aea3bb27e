import type { Endpoint, EndpointSlice } from "../model/endpointslice.js";
import type { Node } from "../model/node.js";
import type { Family, Ip } from "../net/ip.js";
import { printHostPort } from "../net/port.js";
import type { Frontend } from "./frontends.js";

/** One address and port behind a service port, as kube-proxy reads it from an EndpointSlice. */
export interface ProxyEndpoint {
  /** `ip:port`, IPv6 in brackets: its name, and what endpoints are ordered by. */
  readonly name: string;
  readonly address: Ip;
  readonly port: number;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** undefined counts as remote, whatever the address is. */
  readonly nodeName: string | undefined;
  readonly hintZones: readonly string[];
  readonly hintNodes: readonly string[];
  /** `pod/namespace/name`, for people. */
  readonly targetRef: string | undefined;
}

function proxyEndpoint(endpoint: Endpoint, port: number): ProxyEndpoint {
  const { ready, serving, terminating } = endpoint.conditions;
  return {
    name: printHostPort(endpoint.address, port),
    address: endpoint.address,
    port,
    ready: ready ?? true,
    serving: serving ?? true,
    terminating: terminating ?? false,
    nodeName: endpoint.nodeName,
    hintZones: endpoint.hintZones,
    hintNodes: endpoint.hintNodes,
    targetRef: endpoint.targetRef,
  };
}

function byName(a: ProxyEndpoint, b: ProxyEndpoint): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Of endpoints with one name, which stand side by side here, the later wins unless it is terminating. */
function withoutDuplicates(sorted: readonly ProxyEndpoint[]): readonly ProxyEndpoint[] {
  const kept: ProxyEndpoint[] = [];
  for (const endpoint of sorted) {
    const last = kept.length - 1;
    if (kept[last]?.name !== endpoint.name) kept.push(endpoint);
    else if (!endpoint.terminating) kept[last] = endpoint;
  }
  return kept;
}

/**
 * Joins EndpointSlices of a Service to one of its ports by name and protocol; ordered by name octet by octet. The
 * port number is the slice's; the Service's targetPort is never read.
 */
export function joinSlices(
  slices: readonly EndpointSlice[],
  { portName, protocol }: Pick<Frontend, "portName" | "protocol">,
  family: Family = 4,
): readonly ProxyEndpoint[] {
  const found: ProxyEndpoint[] = [];
  for (const slice of slices) {
    if (slice.family !== family) continue;
    for (const port of slice.ports) {
      if (port.name !== portName || port.protocol !== protocol || port.port === 0) continue;
      for (const endpoint of slice.endpoints) found.push(proxyEndpoint(endpoint, port.port));
    }
  }
  return withoutDuplicates(found.sort(byName));
}

/** Where the packets of one service port may go on one node. */
export interface CategorizedEndpoints {
  /** For policy Cluster; undefined where no packet follows it. */
  readonly cluster: readonly ProxyEndpoint[] | undefined;
  /** For policy Local; undefined where no packet follows it. */
  readonly local: readonly ProxyEndpoint[] | undefined;
  /** The union of both, in the order of endpoints. */
  readonly reachable: readonly ProxyEndpoint[];
  /** Some endpoint exists anywhere, be it out of this node's reach: then packets are dropped, not refused. */
  readonly hasAny: boolean;
}

const ZONE_LABEL = "topology.kubernetes.io/zone";

const isFallback = (endpoint: ProxyEndpoint) => endpoint.serving && endpoint.terminating;

/**
 * Topology hints count only if every ready endpoint has one and at least one names this node, or else this
 * node's zone: with one endpoint unhinted, all are used.
 */
function preferred(ready: readonly ProxyEndpoint[], node: Node): readonly ProxyEndpoint[] {
  if (ready.every(({ hintNodes }) => hintNodes.length > 0)) {
    const here = ready.filter(({ hintNodes }) => hintNodes.includes(node.name));
    if (here.length > 0) return here;
  }
  const zone = node.labels.get(ZONE_LABEL) ?? "";
  if (zone === "" || !ready.every(({ hintZones }) => hintZones.length > 0)) return ready;
  const here = ready.filter(({ hintZones }) => hintZones.includes(zone));
  return here.length > 0 ? here : ready;
}

/** The ready ones, or where there are none those that still serve while they terminate. */
function usable(endpoints: readonly ProxyEndpoint[]): readonly ProxyEndpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  return ready.length > 0 ? ready : endpoints.filter(isFallback);
}

/**
 * Sorts the endpoints of a service port by how packets on this node may use them (kube-proxy's
 * CategorizeEndpoints, 1.35). The Cluster and the Local set fall back to terminating endpoints each for itself,
 * and hints never touch the Local set.
 */
export function categorize(
  frontend: Frontend,
  endpoints: readonly ProxyEndpoint[],
  node: Node,
): CategorizedEndpoints {
  const candidates = usable(endpoints);
  const hinted = candidates[0]?.ready ? preferred(candidates, node) : candidates;
  const cluster = frontend.usesClusterEndpoints ? hinted : undefined;
  const hasAny = candidates.length > 0;
  if (!frontend.usesLocalEndpoints) return { cluster, local: undefined, reachable: cluster ?? [], hasAny };
  const local = usable(endpoints.filter(({ nodeName }) => nodeName === node.name));
  if (cluster === undefined) return { cluster, local, reachable: local, hasAny };
  const either = new Set([...cluster, ...local]);
  return { cluster, local, reachable: endpoints.filter((endpoint) => either.has(endpoint)), hasAny };
}
