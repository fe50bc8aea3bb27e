import type { Place } from "../diagnostics.js";
import type { Field } from "./fields.js";
import { type Metadata, parseMetadata } from "./metadata.js";
import { type PodSpec, parsePodSpec } from "./pod.js";

export type WorkloadKind =
  | "Deployment"
  | "ReplicaSet"
  | "ReplicationController"
  | "StatefulSet"
  | "DaemonSet"
  | "Job";

/** An object whose controller makes Pods. */
export interface Workload extends Metadata {
  readonly kind: WorkloadKind;
  /** Pods to run at once; of a DaemonSet, one a Node whatever stands here. */
  readonly replicas: number;
  /** Number of the first Pod of a StatefulSet (spec.ordinals.start). */
  readonly firstOrdinal: number;
  readonly template: { readonly labels: ReadonlyMap<string, string>; readonly spec: PodSpec };
  readonly place: Place;
}

/** More Pods than any cluster runs: a slip of the finger rather than a wish. */
const MAX_REPLICAS = 1_000_000;

/** Reads a workload of any kind but CronJob; errors are added to the object's diagnostics. */
export function parseWorkload(kind: WorkloadKind, object: Field): Workload {
  const spec = object.at("spec");
  const template = spec.at("template");
  if (!template.present) template.error("is missing.");
  return {
    ...parseMetadata(object),
    kind,
    replicas: kind === "Job" ? parseJobReplicas(object) : (spec.at("replicas").integer(0, MAX_REPLICAS) ?? 1),
    firstOrdinal: spec.at("ordinals").at("start").integer(0, MAX_REPLICAS) ?? 0,
    template: { labels: template.at("metadata").at("labels").map(), spec: parsePodSpec(template.at("spec")) },
    place: object.place,
  };
}

/** Pods of a Job that run at one time: parallelism, and never more than are still to complete. */
function parseJobReplicas(object: Field): number {
  const spec = object.at("spec");
  const status = object.at("status");
  const parallelism = spec.at("parallelism").integer(0, MAX_REPLICAS) ?? 1;
  const completions = spec.at("completions").integer(0, MAX_REPLICAS) ?? parallelism;
  const succeeded = status.at("succeeded").integer(0, MAX_REPLICAS) ?? 0;
  if (spec.at("suspend").flag() || status.at("completionTime").present) return 0;
  return Math.min(parallelism, Math.max(0, completions - succeeded));
}
