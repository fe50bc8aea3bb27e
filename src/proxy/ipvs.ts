import type { Diagnostic } from "../diagnostics.js";
import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import { compareIp, type Ip } from "../net/ip.js";
import { printHostPort } from "../net/port.js";
import type { Prefix } from "../net/prefix.js";
import type { IpSet } from "../ruleset/ipset.js";
import type { Iptables } from "../ruleset/iptables.js";
import type { Ipvs, RealServer, Scheduler, VirtualServer } from "../ruleset/ipvs.js";
import { type CategorizedEndpoints, categorize, endpointsOf, type ProxyEndpoint } from "./endpoints.js";
import { type Frontend, servicePorts } from "./frontends.js";
import { ipvsIptables } from "./ipvs-rules.js";
import {
  emptySets,
  finishedSets,
  insertDummyAddresses,
  insertFrontend,
  overfullWarnings,
} from "./ipvs-sets.js";
import { type DetectLocal, localDetector, nodePortIps } from "./local-traffic.js";
import { commonWarnings, warn, warnWhere } from "./warnings.js";

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
  { nodeIps, scheduler }: { readonly nodeIps: readonly Ip[]; readonly scheduler: Scheduler },
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

/** IPVS knows one virtual server for an address, protocol and port: the first Service's, as said of the others. */
class VirtualServers {
  readonly servers: VirtualServer[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly #origins = new Map<string, string>();

  add(frontend: Frontend, server: VirtualServer): void {
    const at = `${server.protocol} ${printHostPort(server.address, server.port)}`;
    const origin = this.#origins.get(at);
    if (origin === undefined) {
      this.#origins.set(at, server.origin);
      this.servers.push(server);
    } else if (origin !== server.origin) {
      const message = `${at} is also of Service port ${origin}, which keeps it; on a real node either may win.`;
      this.diagnostics.push(warn(frontend.service, "spec.ports", message));
    }
  }
}

function sourceRangeWarnings(frontends: readonly Frontend[]): readonly Diagnostic[] {
  return warnWhere(
    frontends,
    ({ sourceRanges, vips }) => sourceRanges.length > 0 && vips.length > 0,
    "spec.loadBalancerSourceRanges",
    "source ranges are not modelled yet in proxy mode ipvs: every client reaches the load balancer's addresses.",
  );
}

/** The addresses of kube-ipvs0: every ClusterIP, and external IPs and VIPs that no other interface has. */
function dummyAddressesOf(frontends: readonly Frontend[], nodeAddresses: readonly Ip[]): readonly Ip[] {
  const elsewhere = new Set(nodeAddresses);
  const addresses = new Set<Ip>();
  for (const { clusterIP, externalIPs, vips } of frontends) {
    addresses.add(clusterIP);
    for (const ip of externalIPs) if (!elsewhere.has(ip)) addresses.add(ip);
    for (const ip of vips) if (!elsewhere.has(ip)) addresses.add(ip);
  }
  return [...addresses].sort(compareIp);
}

/**
 * What kube-proxy (1.31 to 1.35) keeps in one node's kernel in mode ipvs, IPv4, after a full sync: virtual
 * servers (one scheduler, every weight 1), the sets and the rules beside them. Endpoints that have left, which a
 * real node keeps with weight 0 until they are idle, are not known here. Left out with a warning: source ranges,
 * session affinity (printed as persistence), SCTP and IPv6.
 */
export function compileIpvs(cluster: Cluster, node: Node, options: IpvsOptions): CompiledIpvs {
  const frontends = servicePorts(cluster);
  const find = endpointsOf(cluster);
  const nodeIps = nodePortIps(options.nodeAddresses, options.nodePortAddresses ?? []);
  const { scheduler = "rr" } = options;
  const virtual = new VirtualServers();
  const sets = emptySets();
  for (const frontend of frontends) {
    const endpoints = find(frontend);
    insertFrontend(sets, frontend, endpoints, node.name, nodeIps);
    const categorized = categorize(frontend, endpoints, node);
    for (const server of virtualServers(frontend, categorized, { nodeIps, scheduler }))
      virtual.add(frontend, server);
  }
  const dummyAddresses = dummyAddressesOf(frontends, options.nodeAddresses);
  insertDummyAddresses(sets, dummyAddresses);
  const ipsets = finishedSets(sets);
  const localPods = localDetector(cluster, node, options.detectLocal);
  return {
    ipvs: { servers: virtual.servers },
    ipsets,
    iptables: ipvsIptables(sets, { masqueradeAll: options.masqueradeAll ?? false, localPods }),
    dummyAddresses,
    diagnostics: [
      ...commonWarnings(cluster, frontends),
      ...sourceRangeWarnings(frontends),
      ...virtual.diagnostics,
      ...overfullWarnings(ipsets),
    ],
  };
}
