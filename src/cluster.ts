import { parseManifests } from "./io/manifests.js";
import { buildCluster, type ClusterOptions, type Cluster as Model } from "./model/cluster.js";
import { type SyntheticOptions, syntheticCluster } from "./model/synthetic.js";

/** A whole cluster, as data. */
export type Cluster = Model;

/** How a cluster comes to be. */
export const Cluster = {
  /**
   * Reads Kubernetes objects: YAML of any number of documents, JSON, Lists. What a control plane would have added
   * (nodes, Pods of workloads, addresses, EndpointSlices) is made where it is missing. InputError names every
   * fault by document, object and field, and then nothing is loaded.
   */
  parse(text: string, options: ClusterOptions & { readonly file?: string } = {}): Cluster {
    const { file = "input", ...rest } = options;
    return buildCluster(parseManifests([{ file, text }]), rest);
  },

  /** The same for several files that make one cluster. */
  parseFiles(
    texts: readonly { readonly file: string; readonly text: string }[],
    options: ClusterOptions = {},
  ): Cluster {
    return buildCluster(parseManifests(texts), options);
  },

  /** So many Services of so many endpoints each, for experiments with scale. */
  synthetic(options: SyntheticOptions): Cluster {
    return syntheticCluster(options);
  },
} as const;
