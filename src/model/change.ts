import { InputError } from "../diagnostics.js";
import type { EndpointSlice } from "./endpointslice.js";
import type { ObjectName } from "./object-name.js";
import type { Service } from "./service.js";

/**
 * What happens to one object of a cluster. Objects are complete, as a Cluster holds them: a Service has its
 * addresses and nodePorts.
 */
export type ClusterChange =
  /** Adds the Service, or replaces that of the same namespace and name. */
  | { readonly kind: "service-set"; readonly service: Service }
  | { readonly kind: "service-deleted"; readonly namespace: string; readonly name: string }
  /** Adds the EndpointSlice, or replaces that of the same namespace and name. */
  | { readonly kind: "endpointslice-set"; readonly endpointSlice: EndpointSlice }
  | { readonly kind: "endpointslice-deleted"; readonly namespace: string; readonly name: string };

/** The error for a change that deletes what is not there. */
export function missing(kind: "Service" | "EndpointSlice", { namespace, name }: ObjectName): InputError {
  const message = "is not there, so it cannot be deleted: check its namespace and name.";
  return new InputError([{ severity: "error", place: { object: `${kind} ${namespace}/${name}` }, message }]);
}
