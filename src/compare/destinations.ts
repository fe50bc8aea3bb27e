import { InputError } from "../diagnostics.js";
import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import type { Ip4 } from "../net/ip.js";
import { prefixContains } from "../net/prefix.js";
import { servicePorts } from "../proxy/frontends.js";

/** A cluster address of a Service that packets are sent to. */
export interface Destination {
  /** kube-proxy's form: `ns/service:port`. */
  readonly name: string;
  readonly address: Ip4;
  readonly port: number;
  readonly protocol: "TCP" | "UDP";
}

/** A Node and the addresses of Pods on it that packets come from. */
export interface Origin {
  readonly node: string;
  readonly sources: readonly Ip4[];
}

/** A kubelet runs no more Pods than this on a Node unless told to. */
const PODS_MAX = 110;

/** Every TCP and UDP port on a ClusterIP (IPv4), in the order in which kube-proxy lists them. */
export function destinationsOf(cluster: Cluster): readonly Destination[] {
  return servicePorts(cluster).flatMap(({ name, clusterIP, port, protocol }) =>
    typeof clusterIP === "number" && protocol !== "SCTP"
      ? [{ name, address: clusterIP, port, protocol }]
      : [],
  );
}

/** Pods that the Node's bridge reaches. */
function podAddresses(cluster: Cluster, node: Node): Ip4[] {
  const addresses = cluster.pods
    .filter((pod) => pod.nodeName === node.name && !pod.hostNetwork)
    .flatMap((pod) => pod.podIPs)
    .filter((ip) => typeof ip === "number")
    .filter((ip) => node.podCIDRs.some((podCIDR) => prefixContains(podCIDR, ip)));
  return [...new Set(addresses)].slice(0, PODS_MAX);
}

/** The first Node with a Pod of its own. InputError where there is none. */
export function originOf(cluster: Cluster): Origin {
  for (const node of cluster.nodes) {
    const sources = podAddresses(cluster, node);
    if (sources.length > 0) return { node: node.name, sources };
  }
  const message = "no Node has a Pod with an IPv4 address of its podCIDR to send from: add a Pod.";
  throw new InputError([{ severity: "error", place: {}, message }]);
}

/** What a cluster holds of that which is measured. */
export interface ServiceCount {
  /** Services that have a destination. */
  readonly services: number;
  /** All of them, also headless ones and those of type ExternalName. */
  readonly servicesGiven: number;
  /** Endpoints (IPv4) of `services` together. */
  readonly endpoints: number;
}

/** Counts the Services and their endpoints. */
export function countServices(cluster: Cluster): ServiceCount {
  const names = servicePorts(cluster).map(({ service }) => `${service.namespace}/${service.name}`);
  const services = new Set(names);
  const slices = cluster.endpointSlices.filter(
    ({ family, namespace, serviceName }) => family === 4 && services.has(`${namespace}/${serviceName}`),
  );
  return {
    services: services.size,
    servicesGiven: cluster.services.length,
    endpoints: slices.reduce((sum, { endpoints }) => sum + endpoints.length, 0),
  };
}
