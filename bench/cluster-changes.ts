import type { ClusterChange } from "../src/model/change.js";
import type { Cluster } from "../src/model/cluster.js";
import { drawing } from "./change-scene.js";

/** A change of one object and what takes it back. */
export interface ClusterToggle {
  readonly kind: string;
  readonly there: ClusterChange;
  readonly back: ClusterChange;
}

/** Services deleted and endpoints taken away, drawn alike often. */
export function clusterToggles({ services, endpointSlices }: Cluster, seed: number): () => ClusterToggle {
  const draw = drawing(seed);
  const one = <T>(list: readonly T[]) => list[draw(list.length)] as T;
  const endpoint = (): ClusterToggle => {
    const endpointSlice = one(endpointSlices);
    const endpoints = endpointSlice.endpoints.toSpliced(draw(endpointSlice.endpoints.length), 1);
    return {
      kind: "endpoint removed, added",
      there: { kind: "endpointslice-set", endpointSlice: { ...endpointSlice, endpoints } },
      back: { kind: "endpointslice-set", endpointSlice },
    };
  };
  const service = (): ClusterToggle => {
    const gone = one(services);
    const { namespace, name } = gone;
    return {
      kind: "Service deleted, set",
      there: { kind: "service-deleted", namespace, name },
      back: { kind: "service-set", service: gone },
    };
  };
  return () => (draw(2) === 0 ? endpoint() : service());
}
