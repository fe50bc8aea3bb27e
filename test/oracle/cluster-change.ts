import { type ClusterChange, missing } from "../../src/model/change.js";
import type { Cluster } from "../../src/model/cluster.js";
import type { ObjectName } from "../../src/model/object-name.js";

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
