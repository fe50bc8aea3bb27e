import { type Diagnostic, InputError } from "./diagnostics.js";
import { type ManifestText, parseManifests } from "./io/manifests.js";
import { buildCluster, type ClusterOptions, type Cluster as Model } from "./model/cluster.js";
import type { ManifestObject } from "./model/manifest.js";
import { type SyntheticOptions, syntheticCluster } from "./model/synthetic.js";

/** A whole cluster, as data. */
export type Cluster = Model;

/** Objects of texts. InputError where there is none at all: that is a mistake, not a cluster. */
function objectsOf(texts: readonly ManifestText[]): readonly ManifestObject[] {
  for (const { text } of texts) {
    if (typeof text === "string") continue;
    throw new TypeError('Give the text of the objects: read the file as text, with readFile(path, "utf8").');
  }
  const objects = parseManifests(texts);
  if (objects.length > 0) return objects;
  throw new InputError(texts.length === 0 ? [refusalOf({ text: "" })] : texts.map(refusalOf));
}

function refusalOf({ file = "input", text }: ManifestText): Diagnostic {
  const fault = text.trim() === "" ? "is empty" : "holds no object";
  const message = `${fault}: Kubernetes objects are expected, as kubectl get -o yaml prints them.`;
  return { severity: "error", place: { file }, message };
}

/** How a cluster comes to be. */
export const Cluster = {
  /**
   * Reads Kubernetes objects: YAML of any number of documents, JSON, Lists. What a control plane would have added
   * (nodes, Pods of workloads, addresses, EndpointSlices) is made where it is missing. InputError names every
   * fault by document, object and field, or that there is no object at all, and then nothing is loaded. TypeError for
   * what is no text.
   */
  parse(text: string, options: ClusterOptions & { readonly file?: string } = {}): Cluster {
    const { file = "input", ...rest } = options;
    return buildCluster(objectsOf([{ file, text }]), rest);
  },

  /** The same for several files that make one cluster. */
  parseFiles(
    texts: readonly { readonly file: string; readonly text: string }[],
    options: ClusterOptions = {},
  ): Cluster {
    return buildCluster(objectsOf(texts), options);
  },

  /** So many Services of so many endpoints each, for experiments with scale. */
  synthetic(options: SyntheticOptions): Cluster {
    return syntheticCluster(options);
  },
} as const;
