import type { Collection } from "../fragment/front-end.js";
import type { Ip } from "../net/ip.js";
import { printHostPort } from "../net/port.js";
import { hostPrefix } from "../net/prefix.js";
import type { AddressedServer, RealServer, Scheduler } from "../ruleset/ipvs.js";
import type { CategorizedEndpoints, ProxyEndpoint } from "./endpoints.js";
import type { Frontend } from "./frontends.js";
import type { SetsFragment } from "./ipvs-sets.js";
import type { ServedPort } from "./served-ports.js";
import { serviceKey } from "./service-key.js";
import { warn } from "./warnings.js";

/** What one Service adds. */
export interface ServersFragment extends SetsFragment {
  readonly servers: readonly AddressedServer[];
  /** For kube-ipvs0. */
  readonly addresses: readonly Ip[];
}

function realServers(endpoints: readonly ProxyEndpoint[]): readonly RealServer[] {
  return endpoints.map(({ address, port }) => ({ address, port, weight: 1 }));
}

/** Policy Local takes local endpoints where there are any, but is no reason to drop: otherwise all are taken. */
function destinations(policyLocal: boolean, { local, cluster }: CategorizedEndpoints): readonly RealServer[] {
  return realServers(policyLocal && local !== undefined && local.length > 0 ? local : (cluster ?? []));
}

/** The virtual servers of one service port: ClusterIP, external IPs, VIPs, then each address of nodePorts. */
export function virtualServers(
  frontend: Frontend,
  endpoints: CategorizedEndpoints,
  nodePortIps: readonly Ip[],
  scheduler: Scheduler,
): readonly AddressedServer[] {
  const { protocol, port, nodePort, affinitySeconds, internalPolicyLocal, externalPolicyLocal } = frontend;
  const persistence = affinitySeconds === undefined ? {} : { persistence: affinitySeconds };
  // kube-proxy lets Maglev hash the client's port too (its proxier sets the flag by that name alone).
  const schedule = scheduler === "mh" ? ({ scheduler, flags: ["mh-port"] } as const) : { scheduler };
  const internal = destinations(internalPolicyLocal, endpoints);
  const samePolicy = internalPolicyLocal === externalPolicyLocal;
  const external = samePolicy ? internal : destinations(externalPolicyLocal, endpoints);
  const server = (address: Ip, at: number, servers: readonly RealServer[]): AddressedServer => {
    return { protocol, address, port: at, ...schedule, ...persistence, servers, origin: frontend.name };
  };
  return [
    server(frontend.clusterIP, port, internal),
    ...[...frontend.externalIPs, ...frontend.vips].map((ip) => server(ip, port, external)),
    ...(nodePort === 0 ? [] : nodePortIps.map((ip) => server(ip, nodePort, external))),
  ];
}

/** IPVS knows one virtual server for an address, protocol and port: the first Service's, as said of the others. */
export const SERVERS: Collection<ServersFragment, AddressedServer> = {
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

export const ADDRESSES: Collection<ServersFragment, Ip> = {
  elementsOf: ({ addresses }) => addresses,
  keyOf: (address) => `${address}`,
  set: (address) => ({ kind: "address-added", dev: DUMMY, address: hostPrefix(address) }),
  removed: (address) => ({ kind: "address-removed", dev: DUMMY, address }),
};

/** The addresses of kube-ipvs0: the ClusterIP, and external IPs and VIPs that no other interface has. */
export function dummyAddressesOf(
  ports: readonly ServedPort[],
  nodeAddresses: ReadonlySet<Ip>,
): readonly Ip[] {
  const addresses = new Set<Ip>();
  for (const { frontend } of ports) {
    addresses.add(frontend.clusterIP);
    for (const ip of [...frontend.externalIPs, ...frontend.vips]) {
      if (!nodeAddresses.has(ip)) addresses.add(ip);
    }
  }
  return [...addresses];
}
