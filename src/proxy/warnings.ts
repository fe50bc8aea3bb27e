import type { Diagnostic } from "../diagnostics.js";
import type { Service } from "../model/service.js";
import { isProxied } from "./frontends.js";

/** A warning at one field of a Service: what the compiled rules leave out. */
export function warn(service: Service, field: string, message: string): Diagnostic {
  return { severity: "warning", place: { ...service.place, field }, message };
}

const AFFINITY = "ClientIP affinity is not modelled yet: each connection picks its endpoint anew.";
const SCTP = "SCTP is not modelled yet: rules are made for it, but its packets are punted.";
const NONE: readonly Diagnostic[] = [];

/** What no mode models yet of a Service: session affinity, SCTP. */
export function commonWarnings(service: Service | undefined): readonly Diagnostic[] {
  if (service === undefined || !isProxied(service)) return NONE;
  const warnings: Diagnostic[] = [];
  if (service.affinitySeconds !== undefined) warnings.push(warn(service, "spec.sessionAffinity", AFFINITY));
  if (service.ports.some(({ protocol }) => protocol === "SCTP")) {
    warnings.push(warn(service, "spec.ports", SCTP));
  }
  return warnings;
}
