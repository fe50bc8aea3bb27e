import type { Diagnostic } from "../diagnostics.js";
import type { Service } from "../model/service.js";

/** A warning at one field of a Service: what the compiled rules leave out. */
export function warn(service: Service, field: string, message: string): Diagnostic {
  return { severity: "warning", place: { ...service.place, field }, message };
}
