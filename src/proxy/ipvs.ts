import type { Diagnostic } from "../diagnostics.js";
import { retold } from "../fragment/claims.js";
import { type Collection, compileWith, elementsOf, type FrontEnd } from "../fragment/front-end.js";
import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import type { Service } from "../model/service.js";
import { type ServiceObjects, serviceObjects } from "../model/service-objects.js";
import { compareIp, type Ip } from "../net/ip.js";
import { printHostPort } from "../net/port.js";
import type { Prefix } from "../net/prefix.js";
import type { RulesetStep } from "../ruleset/change.js";
import type { IpSet } from "../ruleset/ipset.js";
import type { Iptables } from "../ruleset/iptables.js";
import type { Ipvs, RealServer, Scheduler, VirtualServer } from "../ruleset/ipvs.js";
import type { InterfaceAddress } from "../ruleset/routes.js";
import { isSame } from "../ruleset/same.js";
import { type CategorizedEndpoints, categorize, type ProxyEndpoint } from "./endpoints.js";
import type { Frontend } from "./frontends.js";
import { type ClusterIPSources, type IsEmpty, ipvsIptables } from "./ipvs-rules.js";
import {
  type Elements,
  insertDummyAddresses,
  insertFrontend,
  ipSet,
  overfullWarnings,
  SET_COLLECTIONS,
  SET_NAMES,
  type SetName,
  type SetsFragment,
} from "./ipvs-sets.js";
import { type DetectLocal, localDetector, nodePortIps } from "./local-traffic.js";
import { countEndpoints, type ServedPort, servedPorts } from "./served-ports.js";
import { serviceKey } from "./service-key.js";
import { commonWarnings, warn } from "./warnings.js";

export interface IpvsOptions {
  /** --masquerade-all; default false. */
  readonly masqueradeAll?: boolean;
  /** --detect-local-mode; default ClusterCIDR. */
  readonly detectLocal?: DetectLocal;
  /** --nodeport-addresses; default every local address. */
  readonly nodePortAddresses?: readonly Prefix[];
  /** --ipvs-scheduler, of all virtual servers; default rr. */
  readonly scheduler?: Scheduler;
  /** The node's local addresses except loopback and kube-ipvs0: nodePorts answer on them. */
  readonly nodeAddresses: readonly Ip[];
}

export interface CompiledIpvs {
  readonly ipvs: Ipvs;
  readonly ipsets: readonly IpSet[];
  readonly iptables: Iptables;
  /** For the dummy interface kube-ipvs0, ascending: they make the VIPs local, where IPVS waits. */
  readonly dummyAddresses: readonly Ip[];
  readonly diagnostics: readonly Diagnostic[];
}

function realServers(endpoints: readonly ProxyEndpoint[]): readonly RealServer[] {
  return endpoints.map(({ address, port }) => ({ address, port, weight: 1 }));
}

/** Policy Local takes local endpoints where there are any, but is no reason to drop: otherwise all are taken. */
function destinations(policyLocal: boolean, { local, cluster }: CategorizedEndpoints): readonly RealServer[] {
  return realServers(policyLocal && local !== undefined && local.length > 0 ? local : (cluster ?? []));
}

/** The virtual servers of one service port: ClusterIP, external IPs, VIPs, then each node address. */
function virtualServers(
  frontend: Frontend,
  endpoints: CategorizedEndpoints,
  { nodePortIps: nodeIps, scheduler }: Pick<IpvsContext, "nodePortIps" | "scheduler">,
): readonly VirtualServer[] {
  const { protocol, port, nodePort, affinitySeconds, internalPolicyLocal, externalPolicyLocal } = frontend;
  const persistence = affinitySeconds === undefined ? {} : { persistence: affinitySeconds };
  // kube-proxy lets Maglev hash the client's port too (its proxier sets the flag by that name alone).
  const schedule = scheduler === "mh" ? ({ scheduler, flags: ["mh-port"] } as const) : { scheduler };
  const internal = destinations(internalPolicyLocal, endpoints);
  const samePolicy = internalPolicyLocal === externalPolicyLocal;
  const external = samePolicy ? internal : destinations(externalPolicyLocal, endpoints);
  const server = (address: Ip, at: number, servers: readonly RealServer[]): VirtualServer => {
    return { protocol, address, port: at, ...schedule, ...persistence, servers, origin: frontend.name };
  };
  return [
    server(frontend.clusterIP, port, internal),
    ...[...frontend.externalIPs, ...frontend.vips].map((ip) => server(ip, port, external)),
    ...(nodePort === 0 ? [] : nodeIps.map((ip) => server(ip, nodePort, external))),
  ];
}

/** What one Service adds. */
export interface IpvsFragment extends SetsFragment {
  readonly servers: readonly VirtualServer[];
  /** For kube-ipvs0. */
  readonly addresses: readonly Ip[];
}

/** IPVS knows one virtual server for an address, protocol and port: the first Service's, as said of the others. */
const SERVERS: Collection<IpvsFragment, VirtualServer> = {
  elementsOf: ({ servers }) => servers,
  keyOf: ({ address, protocol, port }) => serviceKey(address, protocol, port),
  set: (server) => ({ kind: "server-set", server }),
  removed: ({ protocol, address, port }) => ({ kind: "server-removed", protocol, address, port }),
  clash: (service, { protocol, address, port, origin }, holder) => {
    if (origin === holder.origin) return undefined;
    const at = `${protocol} ${printHostPort(address, port)}`;
    const message = `${at} is also of Service port ${holder.origin}, which keeps it; on a real node either may win.`;
    return warn(service, "spec.ports", message);
  },
};

/** Makes VIPs the node's own, so that packets to them come through INPUT, where IPVS waits. */
export const DUMMY = "kube-ipvs0";

export function dummyAddress(address: Ip): InterfaceAddress {
  return { address, length: 32 };
}

const ADDRESSES: Collection<IpvsFragment, Ip> = {
  elementsOf: ({ addresses }) => addresses,
  keyOf: (address) => `${address}`,
  set: (address) => ({ kind: "address-added", dev: DUMMY, address: dummyAddress(address) }),
  removed: (address) => ({ kind: "address-removed", dev: DUMMY, address }),
};

const SOURCE_RANGES =
  "source ranges are not modelled yet in proxy mode ipvs: every client reaches the load balancer's addresses.";

function warningsOf(service: Service | undefined, ports: readonly ServedPort[]): readonly Diagnostic[] {
  const common = commonWarnings(service);
  const guarded = ports.some(({ frontend }) => frontend.sourceRanges.length > 0 && frontend.vips.length > 0);
  if (service === undefined || !guarded) return common;
  return [...common, warn(service, "spec.loadBalancerSourceRanges", SOURCE_RANGES)];
}

/** What the fragments of one node are written with. */
interface IpvsContext {
  readonly node: Node;
  /** Where nodePorts answer. */
  readonly nodePortIps: readonly Ip[];
  readonly scheduler: Scheduler;
  /** Every address that kube-ipvs0 need not have. */
  readonly nodeAddresses: ReadonlySet<Ip>;
}

/** The addresses of kube-ipvs0: the ClusterIP, and external IPs and VIPs that no other interface has. */
function dummyAddressesOf(ports: readonly ServedPort[], nodeAddresses: ReadonlySet<Ip>): readonly Ip[] {
  const addresses = new Set<Ip>();
  for (const { frontend } of ports) {
    addresses.add(frontend.clusterIP);
    for (const ip of [...frontend.externalIPs, ...frontend.vips]) {
      if (!nodeAddresses.has(ip)) addresses.add(ip);
    }
  }
  return [...addresses];
}

function fragmentOf(context: IpvsContext, objects: ServiceObjects): IpvsFragment {
  const { node, nodePortIps, nodeAddresses } = context;
  const ports = servedPorts(objects);
  const sets: Elements = {};
  const servers: VirtualServer[] = [];
  for (const { frontend, endpoints } of ports) {
    insertFrontend(sets, frontend, endpoints, node.name, nodePortIps);
    servers.push(...virtualServers(frontend, categorize(frontend, endpoints, node), context));
  }
  const addresses = dummyAddressesOf(ports, nodeAddresses);
  insertDummyAddresses(sets, addresses);
  const { service } = objects;
  const diagnostics = warningsOf(service, ports);
  return { service, endpoints: countEndpoints(ports), diagnostics, servers, sets, addresses };
}

/** Whether sets are empty, of sizes in the order of SET_NAMES. */
function emptiness(sizes: readonly number[]): IsEmpty {
  const empty = new Set(SET_NAMES.filter((_, index) => (sizes[index] ?? 0) === 0));
  return (set) => empty.has(set);
}

function finishIpvs(sources: ClusterIPSources, fragments: readonly IpvsFragment[]): CompiledIpvs {
  const ipsets = SET_COLLECTIONS.map((collection, index) =>
    ipSet(SET_NAMES[index] as SetName, elementsOf(collection, fragments).elements),
  );
  const sizes = ipsets.map(({ entries }) => entries.length);
  const servers = elementsOf(SERVERS, fragments);
  return {
    ipvs: { servers: servers.elements },
    ipsets,
    iptables: ipvsIptables(emptiness(sizes), sources),
    dummyAddresses: [...elementsOf(ADDRESSES, fragments).elements].sort(compareIp),
    diagnostics: [
      ...fragments.flatMap(({ diagnostics }) => diagnostics),
      ...servers.clashes,
      ...overfullWarnings(sizes),
    ],
  };
}

/** Rules ask only sets that are not empty, so that some come or go with a set's first element. */
function changedRules(
  sources: ClusterIPSources,
  before: readonly number[],
  after: readonly number[],
): readonly RulesetStep[] {
  if (SET_NAMES.every((_, index) => (before[index] === 0) === (after[index] === 0))) return [];
  const [old, made] = [before, after].map((sizes) => ipvsIptables(emptiness(sizes), sources).tables);
  return (made ?? []).flatMap(({ name: table, chains }, index) => {
    // The chains are the same whatever the sets hold.
    const was = new Map(old?.[index]?.chains.map((chain) => [chain.name, chain]));
    return chains
      .filter((chain) => !isSame(was.get(chain.name), chain))
      .map((chain) => ({ kind: "chain-set" as const, table, chain }));
  });
}

/**
 * What kube-proxy (1.31 to 1.35) keeps in one node's kernel in mode ipvs, IPv4, after a full sync: virtual
 * servers (one scheduler, every weight 1), the sets and the rules beside them. Endpoints that have left, which a
 * real node keeps with weight 0 until they are idle, are not known here. Left out with a warning: source ranges,
 * session affinity (printed as persistence), SCTP and IPv6.
 */
export function ipvsFrontEnd(
  cluster: Cluster,
  node: Node,
  options: IpvsOptions,
): FrontEnd<IpvsFragment, CompiledIpvs> {
  const context: IpvsContext = {
    node,
    nodePortIps: nodePortIps(options.nodeAddresses, options.nodePortAddresses ?? []),
    scheduler: options.scheduler ?? "rr",
    nodeAddresses: new Set(options.nodeAddresses),
  };
  const sources: ClusterIPSources = {
    masqueradeAll: options.masqueradeAll ?? false,
    localPods: localDetector(cluster, node, options.detectLocal),
  };
  return {
    write: (objects) => fragmentOf(context, objects),
    finish: (fragments) => finishIpvs(sources, fragments),
    // The sets come first: what follows from their sizes takes them by their place.
    collections: [...SET_COLLECTIONS, SERVERS, ADDRESSES],
    consequences: (before, after) => [
      ...changedRules(sources, before, after),
      ...retold(overfullWarnings(before), overfullWarnings(after)),
    ],
  };
}

/** The same for a whole cluster at once. */
export function compileIpvs(cluster: Cluster, node: Node, options: IpvsOptions): CompiledIpvs {
  return compileWith(ipvsFrontEnd(cluster, node, options), serviceObjects(cluster));
}
