import { expectArgument, expectObjects, expectOptions, expectText, isObject } from "./arguments.js";
import { findProxyConfig, isProxyConfigMap } from "./config/parse.js";
import type { Configured } from "./config/proxy-config.js";
import { type Diagnostic, InputError } from "./diagnostics.js";
import { type ManifestText, parseManifests } from "./io/manifests.js";
import { buildCluster, type ClusterOptions, type Cluster as Model } from "./model/cluster.js";
import type { ManifestObject } from "./model/manifest.js";
import { type SyntheticOptions, syntheticCluster } from "./model/synthetic.js";

/** A whole cluster, as data. */
export type Cluster = Model & Configured;

/** Objects of texts. InputError where there is none at all: that is a mistake, not a cluster. */
function objectsOf(texts: readonly ManifestText[]): readonly ManifestObject[] {
  for (const { file, text } of texts)
    expectText(
      text,
      `the text of ${file ?? "a file"}`,
      'the objects as text: read the file with readFile(path, "utf8")',
    );
  const objects = parseManifests(texts);
  if (objects.length > 0) return objects;
  throw new InputError(texts.length === 0 ? [refusalOf({ text: "" })] : texts.map(refusalOf));
}

function refusalOf({ file = "input", text }: ManifestText): Diagnostic {
  const fault = text.trim() === "" ? "is empty" : "holds no object";
  const message = `${fault}: Kubernetes objects are expected, as kubectl get -o yaml prints them.`;
  return { severity: "error", place: { file }, message };
}

const CONFIG_KIND = "KubeProxyConfiguration";

/** What the objects hold of kube-proxy's configuration stands beside the cluster that the others make. */
function build(objects: readonly ManifestObject[], options: ClusterOptions): Cluster {
  const holders = objects.filter((object) => object.kind === CONFIG_KIND || isProxyConfigMap(object));
  const proxyConfig = findProxyConfig(holders);
  if (proxyConfig === undefined) return buildCluster(objects, options);
  const others = objects.filter((object) => !holders.includes(object));
  const cluster = buildCluster(others, options);
  return { ...cluster, proxyConfig, diagnostics: [...cluster.diagnostics, ...proxyConfig.diagnostics] };
}

/** How a cluster comes to be. */
export const Cluster = {
  /**
   * Reads Kubernetes objects: YAML of any number of documents, JSON, Lists. What a control plane would have added
   * (nodes, Pods of workloads, addresses, EndpointSlices) is made where it is missing. kube-proxy's configuration is
   * found among them too, also in kubeadm's ConfigMap kube-system/kube-proxy. InputError names every
   * fault by document, object and field, or that there is no object at all, and then nothing is loaded. TypeError for
   * what is no text.
   */
  parse(text: string, options: ClusterOptions & { readonly file?: string } = {}): Cluster {
    expectOptions(options, "Cluster.parse()");
    const { file = "input", ...rest } = options;
    return build(objectsOf([{ file, text }]), rest);
  },

  /** The same for several files that make one cluster. */
  parseFiles(
    texts: readonly { readonly file: string; readonly text: string }[],
    options: ClusterOptions = {},
  ): Cluster {
    expectObjects(texts, "the texts of Cluster.parseFiles()", "a list of { file, text }");
    expectOptions(options, "Cluster.parseFiles()");
    return build(objectsOf(texts), options);
  },

  /** So many Services of so many endpoints each, for experiments with scale. */
  synthetic(options: SyntheticOptions): Cluster {
    expectArgument(isObject(options), options, "what Cluster.synthetic() makes", "{ services, endpoints }");
    return syntheticCluster(options);
  },
} as const;
