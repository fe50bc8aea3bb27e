import type { Diagnostic } from "../diagnostics.js";
import type { Service } from "../model/service.js";
import { familyOf } from "../net/ip.js";
import { isProxied } from "./frontends.js";

/** A warning at one field of a Service: what the compiled rules leave out. */
export function warn(service: Service, field: string, message: string): Diagnostic {
  return { severity: "warning", place: { ...service.place, field }, message };
}

function ipv6Warning(service: Service): readonly Diagnostic[] {
  if (!service.clusterIPs.some((ip) => familyOf(ip) === 6)) return [];
  const message = service.clusterIPs.some((ip) => familyOf(ip) === 4)
    ? "IPv6 is not modelled yet: only the IPv4 side of this Service is compiled."
    : "IPv6 is not modelled yet: this Service has no IPv4 ClusterIP, so nothing of it is compiled.";
  return [warn(service, "spec.clusterIPs", message)];
}

const AFFINITY = "ClientIP affinity is not modelled yet: each connection picks its endpoint anew.";
const SCTP = "SCTP is not modelled yet: rules are made for it, but its packets are punted.";
const NONE: readonly Diagnostic[] = [];

/** What no mode models yet of a Service: IPv6, session affinity, SCTP. */
export function commonWarnings(service: Service | undefined): readonly Diagnostic[] {
  if (service === undefined || !isProxied(service)) return NONE;
  const warnings = [...ipv6Warning(service)];
  const isCompiled = service.clusterIPs.some((ip) => familyOf(ip) === 4) && service.ports.length > 0;
  if (!isCompiled) return warnings;
  if (service.affinitySeconds !== undefined) warnings.push(warn(service, "spec.sessionAffinity", AFFINITY));
  if (service.ports.some(({ protocol }) => protocol === "SCTP")) {
    warnings.push(warn(service, "spec.ports", SCTP));
  }
  return warnings;
}
