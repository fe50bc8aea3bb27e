import type { Endpoint, EndpointSlice } from "../model/endpointslice.js";
import type { Node } from "../model/node.js";
import type { Service } from "../model/service.js";
import type { Family, Ip } from "../net/ip.js";
import { printHostPort } from "../net/port.js";
import type { Frontend } from "./frontends.js";
import { type TopologyHints, topologyHints } from "./topology-hints.js";

/** One address and port behind a service port, as kube-proxy reads it from an EndpointSlice. */
export interface ProxyEndpoint {
  /** `ip:port`, IPv6 in brackets: its name, and what endpoints are ordered by. */
  readonly name: string;
  readonly address: Ip;
  readonly port: number;
  /** As the slice has it. */
  readonly given: Endpoint;
}

function proxyEndpoint(given: Endpoint, port: number): ProxyEndpoint {
  const { address } = given;
  return { name: printHostPort(address, port), address, port, given };
}

/** What the API leaves open counts as ready, serving and not terminating. */
export const isReady = ({ given }: ProxyEndpoint) => given.conditions.ready ?? true;
export const isServing = ({ given }: ProxyEndpoint) => given.conditions.serving ?? true;
const isTerminating = ({ given }: ProxyEndpoint) => given.conditions.terminating ?? false;

/** Without a nodeName an endpoint counts as remote, whatever its address is. */
export function isOn({ given }: ProxyEndpoint, nodeName: string): boolean {
  return given.nodeName === nodeName;
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
    else if (!isTerminating(endpoint)) kept[last] = endpoint;
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

const DEFAULT_HINTS = topologyHints();
const ZONE_LABEL = "topology.kubernetes.io/zone";

const isFallback = (endpoint: ProxyEndpoint) => isServing(endpoint) && isTerminating(endpoint);

/** Whether zones' hints count for the Service: any word but disabled asks for them, where one has to. */
function heedsZones({ topologyMode }: Service, { zones }: TopologyHints): boolean {
  if (zones !== "annotated") return zones === "always";
  return !["", "disabled", "Disabled"].includes(topologyMode);
}

/**
 * Topology hints count only if every ready endpoint has one and at least one names this node, or else this
 * node's zone: with one endpoint unhinted, all are used.
 */
function preferred(
  ready: readonly ProxyEndpoint[],
  { service }: Frontend,
  node: Node,
  hints: TopologyHints,
): readonly ProxyEndpoint[] {
  if (hints.nodes && ready.every(({ given }) => given.hintNodes.length > 0)) {
    const here = ready.filter(({ given }) => given.hintNodes.includes(node.name));
    if (here.length > 0) return here;
  }
  const zone = node.labels.get(ZONE_LABEL) ?? "";
  if (!heedsZones(service, hints) || zone === "") return ready;
  if (!ready.every(({ given }) => given.hintZones.length > 0)) return ready;
  const here = ready.filter(({ given }) => given.hintZones.includes(zone));
  return here.length > 0 ? here : ready;
}

/** The ready ones, or where there are none those that still serve while they terminate. */
function usable(endpoints: readonly ProxyEndpoint[]): readonly ProxyEndpoint[] {
  const ready = endpoints.filter(isReady);
  return ready.length > 0 ? ready : endpoints.filter(isFallback);
}

/**
 * Sorts the endpoints of a service port by how packets on this node may use them (kube-proxy's
 * CategorizeEndpoints; the version says which hints count). The Cluster and the Local set fall back to terminating
 * endpoints each for itself, and hints never touch the Local set.
 */
export function categorize(
  frontend: Frontend,
  endpoints: readonly ProxyEndpoint[],
  node: Node,
  hints: TopologyHints = DEFAULT_HINTS,
): CategorizedEndpoints {
  const candidates = usable(endpoints);
  const areReady = candidates[0] !== undefined && isReady(candidates[0]);
  const hinted = areReady ? preferred(candidates, frontend, node, hints) : candidates;
  const cluster = frontend.usesClusterEndpoints ? hinted : undefined;
  const hasAny = candidates.length > 0;
  if (!frontend.usesLocalEndpoints) return { cluster, local: undefined, reachable: cluster ?? [], hasAny };
  const local = usable(endpoints.filter((endpoint) => isOn(endpoint, node.name)));
  if (cluster === undefined) return { cluster, local, reachable: local, hasAny };
  const either = new Set([...cluster, ...local]);
  return { cluster, local, reachable: endpoints.filter((endpoint) => either.has(endpoint)), hasAny };
}
