import type { Diagnostic } from "../diagnostics.js";
import type { Cluster } from "../model/cluster.js";
import type { Service } from "../model/service.js";
import { familyOf } from "../net/ip.js";
import { type Frontend, isProxied } from "./frontends.js";

/** A warning at one field of a Service: what the compiled rules leave out. */
export function warn(service: Service, field: string, message: string): Diagnostic {
  return { severity: "warning", place: { ...service.place, field }, message };
}

/** One warning for each Service with an IPv6 side, which no mode compiles yet. */
export function ipv6Warnings(cluster: Cluster): readonly Diagnostic[] {
  return cluster.services
    .filter((service) => isProxied(service) && service.clusterIPs.some((ip) => familyOf(ip) === 6))
    .map((service) =>
      warn(
        service,
        "spec.clusterIPs",
        service.clusterIPs.some((ip) => familyOf(ip) === 4)
          ? "IPv6 is not modelled yet: only the IPv4 side of this Service is compiled."
          : "IPv6 is not modelled yet: this Service has no IPv4 ClusterIP, so nothing of it is compiled.",
      ),
    );
}

/** One warning for each Service that has a frontend for which `applies`. */
export function warnWhere(
  frontends: readonly Frontend[],
  applies: (frontend: Frontend) => boolean,
  field: string,
  message: string,
): readonly Diagnostic[] {
  const services = new Set(frontends.filter(applies).map(({ service }) => service));
  return [...services].map((service) => warn(service, field, message));
}

/** What no mode models yet: IPv6, session affinity, SCTP. */
export function commonWarnings(cluster: Cluster, frontends: readonly Frontend[]): readonly Diagnostic[] {
  return [
    ...ipv6Warnings(cluster),
    ...warnWhere(
      frontends,
      ({ affinitySeconds }) => affinitySeconds !== undefined,
      "spec.sessionAffinity",
      "ClientIP affinity is not modelled yet: each connection picks its endpoint anew.",
    ),
    ...warnWhere(
      frontends,
      ({ protocol }) => protocol === "SCTP",
      "spec.ports",
      "SCTP is not modelled yet: rules are made for it, but its packets are punted.",
    ),
  ];
}
