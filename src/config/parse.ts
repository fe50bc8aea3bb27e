import { expectText, isObject } from "../arguments.js";
import { type Diagnostic, InputError, type Place } from "../diagnostics.js";
import { parseManifests } from "../io/manifests.js";
import { Field } from "../model/fields.js";
import type { ManifestObject } from "../model/manifest.js";
import type { ProxyConfig } from "./proxy-config.js";
import { readProxyConfig } from "./read-proxy-config.js";

const KIND = "KubeProxyConfiguration";
const API_VERSION = "kubeproxy.config.k8s.io/v1alpha1";

/** The objects of a text, in `place` of whose messages the text's own name stands. */
function objectsIn(text: string, file: string): readonly ManifestObject[] {
  return parseManifests([{ file, text }]);
}

function refusal(place: Place, message: string): InputError {
  return new InputError([{ severity: "error", place, message }]);
}

function readObject(object: ManifestObject): ProxyConfig {
  const diagnostics: Diagnostic[] = [];
  if (object.apiVersion !== API_VERSION) {
    throw refusal(
      { ...object.place, field: "apiVersion" },
      `«${object.apiVersion}» is not known: it is ${API_VERSION}.`,
    );
  }
  const read = readProxyConfig(Field.of(object, diagnostics));
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new InputError(errors);
  return { ...read, diagnostics };
}

/**
 * Where kubeadm and others keep kube-proxy's configuration in the cluster: a ConfigMap kube-proxy… of kube-system,
 * one key of which (config.conf, config) holds the file.
 */
export function isProxyConfigMap({ apiVersion, kind, value }: ManifestObject): boolean {
  if (apiVersion !== "v1" || kind !== "ConfigMap" || !isObject(value.metadata)) return false;
  const { namespace, name } = value.metadata;
  return namespace === "kube-system" && typeof name === "string" && name.startsWith("kube-proxy");
}

function filesIn({ value, place }: ManifestObject): readonly ManifestObject[] {
  if (!isObject(value.data)) return [];
  return Object.entries(value.data).flatMap(([key, text]) => {
    if (typeof text !== "string" || !text.includes(KIND)) return [];
    const { file = "input", object = "" } = place;
    return objectsIn(text, `${file}: ${object}: data.${key}`);
  });
}

/** The one KubeProxyConfiguration among objects, or within a ConfigMap among them; undefined for none. */
export function findProxyConfig(objects: readonly ManifestObject[]): ProxyConfig | undefined {
  const files = objects.flatMap((object) => (isProxyConfigMap(object) ? filesIn(object) : [object]));
  const [first, second] = files.filter(({ kind }) => kind === KIND);
  if (second !== undefined) throw refusal(second.place, `is a second ${KIND}: a node's kube-proxy has one.`);
  return first === undefined ? undefined : readObject(first);
}

/**
 * Reads a KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1): YAML or JSON as kube-proxy's --config takes it, the
 * ConfigMap that holds it, or kubeadm's file with other documents beside it. InputError names every fault by its
 * field, fields that there are none of among them, or that there is no configuration at all.
 */
export function parseProxyConfig(text: string, file = "input"): ProxyConfig {
  expectText(text, `the text of ${file}`, "a KubeProxyConfiguration");
  const found = findProxyConfig(objectsIn(text, file));
  if (found !== undefined) return found;
  throw refusal({ file }, `holds no ${KIND} (apiVersion ${API_VERSION}).`);
}
