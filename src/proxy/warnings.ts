import type { Diagnostic } from "../diagnostics.js";
import type { Service } from "../model/service.js";
import { type Family, familyOf } from "../net/ip.js";
import { isProxied } from "./frontends.js";

/** A warning at one field of a Service: what the compiled rules leave out. */
export function warn(service: Service, field: string, message: string): Diagnostic {
  return { severity: "warning", place: { ...service.place, field }, message };
}

const AFFINITY = "ClientIP affinity is not modelled yet: each connection picks its endpoint anew.";
const NONE: readonly Diagnostic[] = [];

/**
 * What mode ipvs does not model yet of a Service: session affinity, the persistence of its virtual servers. It is told
 * once, of the Service's IPv4 if it has any.
 */
export function affinityWarnings(service: Service | undefined, family: Family): readonly Diagnostic[] {
  if (service?.affinitySeconds === undefined || !isProxied(service)) return NONE;
  const teller = service.clusterIPs.some((ip) => familyOf(ip) === 4) ? 4 : 6;
  return family === teller ? [warn(service, "spec.sessionAffinity", AFFINITY)] : NONE;
}
