import { isObject } from "../arguments.js";
import type { Place } from "../diagnostics.js";

/** One Kubernetes object as it was written, not yet judged: what io/manifests.ts reads and the model parses. */
export interface ManifestObject {
  /** `v1`, `apps/v1`, … */
  readonly apiVersion: string;
  readonly kind: string;
  readonly value: Readonly<Record<string, unknown>>;
  /** File, document and object; never a field. */
  readonly place: Place;
}

/** `apps/v1` → `apps`; the core group, `v1`, is "". */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf("/");
  return slash < 0 ? "" : apiVersion.slice(0, slash);
}

const CLUSTER_SCOPED = new Set(["Node", "Namespace"]);

/** `Service shop/web`, `Node worker-1`; without a name the kind alone. */
export function objectName(kind: string, metadata: unknown): string {
  if (!isObject(metadata)) return kind;
  const name = typeof metadata.name === "string" ? metadata.name : metadata.generateName;
  if (typeof name !== "string") return kind;
  if (CLUSTER_SCOPED.has(kind)) return `${kind} ${name}`;
  const namespace = typeof metadata.namespace === "string" ? metadata.namespace : "default";
  return `${kind} ${namespace}/${name}`;
}
