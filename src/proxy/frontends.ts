import type { Cluster } from "../model/cluster.js";
import { compareNames } from "../model/object-name.js";
import { hasHealthCheck, type Service } from "../model/service.js";
import type { ServicePort } from "../model/service-ports.js";
import { type Family, familyOf, type Ip } from "../net/ip.js";
import type { Protocol } from "../net/port.js";
import type { Prefix } from "../net/prefix.js";

/**
 * One port of one Service in one IP family, with every address it answers on: what kube-proxy compiles rules
 * for, and counts Services by.
 */
export interface Frontend {
  /** kube-proxy's printed form: `ns/service:port`, or `ns/service` for a port without a name. */
  readonly name: string;
  /** The port's name alone, "" for none; endpoints join on it. */
  readonly portName: string;
  readonly protocol: Protocol;
  readonly clusterIP: Ip;
  readonly port: number;
  /** 0 for none. */
  readonly nodePort: number;
  readonly externalIPs: readonly Ip[];
  /** Load balancer addresses that the node itself answers (ipMode VIP). */
  readonly vips: readonly Ip[];
  /** Who may reach the vips; empty for everyone. */
  readonly sourceRanges: readonly Prefix[];
  readonly externalPolicyLocal: boolean;
  readonly internalPolicyLocal: boolean;
  /** Something outside of the cluster can name it: a nodePort, an external IP or a VIP. */
  readonly externallyAccessible: boolean;
  /** Some packets may go to any endpoint of the cluster. */
  readonly usesClusterEndpoints: boolean;
  /** Some packets may go only to endpoints on this node. */
  readonly usesLocalEndpoints: boolean;
  /** Seconds of sessionAffinity ClientIP; undefined for none. */
  readonly affinitySeconds: number | undefined;
  /** 0 for none; always 0 where kube-proxy would not serve it. */
  readonly healthCheckNodePort: number;
  readonly service: Service;
}

/** Services of another proxy carry it (kube-proxy's own selector on the API). */
const OTHER_PROXY_LABEL = "service.kubernetes.io/service-proxy-name";

/** Whether kube-proxy would look at the Service at all, in any family. */
export function isProxied(service: Service): boolean {
  return service.type !== "ExternalName" && !service.headless && !service.labels.has(OTHER_PROXY_LABEL);
}

function isExternalPolicyLocal(service: Service): boolean {
  const external = service.type === "NodePort" || service.type === "LoadBalancer";
  return service.externalTrafficPolicy === "Local" && (external || service.externalIPs.length > 0);
}

/** Addresses of one family that are shared by all ports of a Service. */
function addressesOf(service: Service, family: Family) {
  const sameFamily = (ip: Ip) => familyOf(ip) === family;
  return {
    externalIPs: service.externalIPs.filter(sameFamily),
    vips: service.loadBalancerIngress
      .filter(({ ip, ipMode }) => ipMode === "VIP" && sameFamily(ip))
      .map(({ ip }) => ip),
    sourceRanges: service.loadBalancerSourceRanges.filter(({ address }) => sameFamily(address)),
  };
}

function frontendOf(
  service: Service,
  port: ServicePort,
  clusterIP: Ip,
  addresses: ReturnType<typeof addressesOf>,
): Frontend {
  const { externalIPs, vips, sourceRanges } = addresses;
  const externalPolicyLocal = isExternalPolicyLocal(service);
  const internalPolicyLocal = service.internalTrafficPolicy === "Local";
  const externallyAccessible = port.nodePort !== 0 || vips.length > 0 || externalIPs.length > 0;
  const owner = `${service.namespace}/${service.name}`;
  return {
    name: port.name === "" ? owner : `${owner}:${port.name}`,
    portName: port.name,
    protocol: port.protocol,
    clusterIP,
    port: port.port,
    nodePort: port.nodePort,
    externalIPs,
    vips,
    sourceRanges,
    externalPolicyLocal,
    internalPolicyLocal,
    externallyAccessible,
    usesClusterEndpoints: !internalPolicyLocal || externallyAccessible,
    usesLocalEndpoints: internalPolicyLocal || (externalPolicyLocal && externallyAccessible),
    affinitySeconds: service.affinitySeconds,
    healthCheckNodePort: hasHealthCheck(service) ? service.healthCheckNodePort : 0,
    service,
  };
}

/**
 * The service ports that kube-proxy serves in one family, in the Service's own order. Headless and ExternalName
 * Services, Services of another proxy and Services without a clusterIP of the family have none. The type is not
 * looked at for nodePorts, external IPs and VIPs: what is set is used.
 */
export function frontendsOf(service: Service, family: Family = 4): readonly Frontend[] {
  const clusterIP = service.clusterIPs.find((ip) => familyOf(ip) === family);
  if (clusterIP === undefined || !isProxied(service)) return [];
  const addresses = addressesOf(service, family);
  return service.ports.map((port) => frontendOf(service, port, clusterIP, addresses));
}

/**
 * The service ports of all Services by namespace and name. (kube-proxy walks a map, so a real node's order is
 * any.)
 */
export function servicePorts(cluster: Cluster, family: Family = 4): readonly Frontend[] {
  return [...cluster.services].sort(compareNames).flatMap((service) => frontendsOf(service, family));
}
