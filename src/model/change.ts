import { InputError } from "../diagnostics.js";
import type { Cluster } from "./cluster.js";
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

function without<T extends ObjectName>(
  kind: "Service" | "EndpointSlice",
  objects: readonly T[],
  gone: ObjectName,
): readonly T[] {
  const left = objects.filter(({ namespace, name }) => namespace !== gone.namespace || name !== gone.name);
  if (left.length === objects.length) throw missing(kind, gone);
  return left;
}

function withObject<T extends ObjectName>(objects: readonly T[], object: T): readonly T[] {
  const at = objects.findIndex(({ namespace, name }) => {
    return namespace === object.namespace && name === object.name;
  });
  return at < 0 ? [...objects, object] : objects.with(at, object);
}

/** The cluster after a change, whole. Throws InputError for what is deleted but not there. */
export function changeCluster(cluster: Cluster, change: ClusterChange): Cluster {
  const { services, endpointSlices } = cluster;
  switch (change.kind) {
    case "service-set":
      return { ...cluster, services: withObject(services, change.service) };
    case "service-deleted":
      return { ...cluster, services: without("Service", services, change) };
    case "endpointslice-set":
      return { ...cluster, endpointSlices: withObject(endpointSlices, change.endpointSlice) };
    case "endpointslice-deleted":
      return { ...cluster, endpointSlices: without("EndpointSlice", endpointSlices, change) };
  }
}
