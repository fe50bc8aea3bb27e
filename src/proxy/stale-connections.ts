import type { EndpointSlice } from "../model/endpointslice.js";
import type { ServiceObjects } from "../model/service-objects.js";
import { type Family, familyOf, type Ip, printIp } from "../net/ip.js";
import { printHostPort } from "../net/port.js";
import { isServing } from "./endpoints.js";
import type { Frontend } from "./frontends.js";
import { isAtLeast, type KubernetesVersion, LATEST_KUBERNETES } from "./kubernetes-version.js";
import { type ServedPort, servedPorts } from "./served-ports.js";

/** Of a connection as conntrack knows it: where its first packet was sent, and who answers. */
export interface TrackedConnection {
  /** Of IP: 17 is UDP. */
  readonly protocol: number;
  readonly original: { readonly dst: Ip; readonly dstPort?: number };
  readonly reply: { readonly src: Ip; readonly srcPort?: number };
}

/** The same, of UDP. */
interface UdpFlow {
  readonly dst: Ip;
  readonly dstPort: number;
  readonly replySrc: Ip;
  readonly replySrcPort: number;
}

const UDP = 17;

function flowOf({ original, reply }: TrackedConnection): UdpFlow {
  const { dst, dstPort = 0 } = original;
  return { dst, dstPort, replySrc: reply.src, replySrcPort: reply.srcPort ?? 0 };
}

type IsStale = (flow: UdpFlow) => boolean;

const udpPorts = (objects: ServiceObjects | undefined, family: Family): readonly ServedPort[] =>
  objects === undefined
    ? []
    : servedPorts(objects, family).filter(({ frontend }) => frontend.protocol === "UDP");

const addressesOf = ({ clusterIP, externalIPs, vips }: Frontend) => [clusterIP, ...externalIPs, ...vips];

/** Up to 1.32 a Service's flows are found by its addresses, whatever their port, and by its nodePort. */
function isTo({ clusterIP, externalIPs, vips, nodePort }: Frontend, { dst, dstPort }: UdpFlow): boolean {
  if (dst === clusterIP || externalIPs.includes(dst) || vips.includes(dst)) return true;
  return nodePort !== 0 && dstPort === nodePort;
}

const servingNames = ({ endpoints }: ServedPort) =>
  new Set(endpoints.filter(isServing).map(({ name }) => name));

/**
 * kube-proxy up to 1.32, of one Service: flows to endpoints that no longer serve, all flows of ports that had no
 * endpoint that serves and now have one, and all to the ClusterIP of ports that are gone.
 */
function staleByChange(before: readonly ServedPort[], after: readonly ServedPort[]): readonly IsStale[] {
  const now = new Map(after.map((port) => [port.frontend.name, port]));
  const removed = before
    .filter(({ frontend }) => !now.has(frontend.name))
    .map(
      ({ frontend }): IsStale =>
        ({ dst }) =>
          dst === frontend.clusterIP,
    );
  const was = new Map(before.map((port) => [port.frontend.name, servingNames(port)]));
  const changed = after.map((port): IsStale => {
    const old = was.get(port.frontend.name) ?? new Set();
    const serving = servingNames(port);
    if (old.size === 0) return (flow) => serving.size > 0 && isTo(port.frontend, flow);
    const left = new Set(
      [...old].filter((name) => !serving.has(name)).map((name) => name.slice(0, name.lastIndexOf(":"))),
    );
    return (flow) => left.has(textOf(flow.replySrc)) && isTo(port.frontend, flow);
  });
  return [...removed, ...changed];
}

/** An address as it stands before a port. */
const textOf = (ip: Ip) => (familyOf(ip) === 4 ? printIp(ip) : `[${printIp(ip)}]`);

/** Endpoints that serve behind every address and port of UDP, and behind every nodePort. */
function servingBehind(
  all: readonly ServiceObjects[],
  family: Family,
): ReadonlyMap<string, ReadonlySet<string>> {
  const behind = new Map<string, ReadonlySet<string>>();
  for (const port of all.flatMap((objects) => udpPorts(objects, family))) {
    const { frontend } = port;
    const serving = servingNames(port);
    for (const ip of addressesOf(frontend)) behind.set(printHostPort(ip, frontend.port), serving);
    if (frontend.nodePort !== 0) behind.set(`${frontend.nodePort}`, serving);
  }
  return behind;
}

/**
 * kube-proxy since 1.33: of all Services, flows whose answers come from none that serves. Policies, hints and who
 * terminates are not asked, and a nodePort is known by its number, whatever address a flow is to.
 */
function staleByState(all: readonly ServiceObjects[], family: Family): IsStale {
  const behind = servingBehind(all, family);
  return ({ dst, dstPort, replySrc, replySrcPort }) => {
    const answering = printHostPort(replySrc, replySrcPort);
    return [printHostPort(dst, dstPort), `${dstPort}`].some(
      (key) => behind.get(key)?.has(answering) === false,
    );
  };
}

const hasUdp = (slices: readonly EndpointSlice[], family: Family) =>
  slices.some((slice) => slice.family === family && slice.ports.some(({ protocol }) => protocol === "UDP"));

function isSame(a: readonly EndpointSlice[], b: readonly EndpointSlice[]): boolean {
  return a.length === b.length && a.every((slice, index) => slice === b[index]);
}

/** A Service's objects before and after changes; absent where it was not there. */
export interface ServiceChange {
  readonly before: ServiceObjects | undefined;
  readonly after: ServiceObjects | undefined;
}

function staleIn(
  family: Family,
  version: KubernetesVersion,
  changes: readonly ServiceChange[],
  all: () => readonly ServiceObjects[],
): IsStale {
  if (!isAtLeast(version, "1.33")) {
    const rules = changes.flatMap(({ before, after }) =>
      staleByChange(udpPorts(before, family), udpPorts(after, family)),
    );
    return (flow) => rules.some((isStale) => isStale(flow));
  }
  const isConcerned = changes.some(({ before, after }) => {
    const [old, now] = [before?.slices ?? [], after?.slices ?? []];
    return !isSame(old, now) && (hasUdp(old, family) || hasUdp(now, family));
  });
  return isConcerned ? staleByState(all(), family) : () => false;
}

/**
 * The UDP connections that kube-proxy deletes from conntrack as it follows changes of Services, lest clients that never
 * pause stay with endpoints that left; those of TCP and SCTP it leaves alone. `all` gives every Service as it is now:
 * kube-proxy since 1.33 looks at all of them once an endpoint of UDP changes. Connections of both families and every
 * protocol may be given; slices that did not change are the same objects before and after. (The first releases of 1.33
 * compared answers by address alone, later ones, as here, by port too.)
 */
export function staleConnections<C extends TrackedConnection>(
  changes: readonly ServiceChange[],
  all: () => readonly ServiceObjects[],
  connections: readonly C[],
  version: KubernetesVersion = LATEST_KUBERNETES,
): readonly C[] {
  const stale = new Map<Family, IsStale>();
  return connections.filter((connection) => {
    if (connection.protocol !== UDP) return false;
    const flow = flowOf(connection);
    const family = familyOf(flow.dst);
    const isStale = stale.get(family) ?? staleIn(family, version, changes, all);
    stale.set(family, isStale);
    return isStale(flow);
  });
}
