import type { Diagnostic, Place } from "../../diagnostics.js";
import type { Objects } from "../objects.js";
import type { Pod } from "../pod.js";
import { shortHash } from "../short-hash.js";
import type { Workload } from "../workload.js";
import type { Scheduler } from "./scheduler.js";

/** A Pod with its Node, which may still lack addresses. */
export interface PlacedPod extends Pod {
  readonly place: Place;
}

/**
 * The Pods that the controllers of the workloads would make, placed on Nodes. A workload of which any Pod is given
 * makes no more, and a Deployment whose ReplicaSet is given leaves it to that.
 */
export function makePods(
  objects: Objects,
  scheduler: Scheduler,
  diagnostics: Diagnostic[],
): readonly PlacedPod[] {
  const owners = ownersOf(objects);
  const names = new Set(objects.pods.map(({ namespace, name }) => `${namespace}/${name}`));
  return objects.workloads.flatMap((workload) => {
    if (owners.has(`${workload.kind} ${workload.namespace}/${workload.name}`)) return [];
    const nodeNames = placeWorkload(workload, scheduler, diagnostics);
    const labels = podLabels(workload);
    return nodeNames.map((nodeName, index) => makePod(workload, names, { index, nodeName, labels }));
  });
}

/** Workloads that have Pods, or a ReplicaSet, among the objects given. */
function ownersOf({ pods, workloads }: Objects): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { owners, namespace, labels } of pods) {
    const hash = labels.get("pod-template-hash") ?? "";
    for (const { kind, name } of owners) {
      found.add(`${kind} ${namespace}/${name}`);
      const isDeployed = kind === "ReplicaSet" && hash !== "" && name.endsWith(`-${hash}`);
      if (isDeployed) found.add(`Deployment ${namespace}/${name.slice(0, -hash.length - 1)}`);
    }
  }
  for (const { kind, owners, namespace } of workloads) {
    if (kind === "ReplicaSet")
      for (const owner of owners) found.add(`${owner.kind} ${namespace}/${owner.name}`);
  }
  return found;
}

function placeWorkload(
  { kind, replicas, template, place }: Workload,
  scheduler: Scheduler,
  diagnostics: Diagnostic[],
): readonly string[] {
  const { placement, nodeName } = template.spec;
  if (nodeName !== "") return new Array<string>(replicas).fill(nodeName);
  const isDaemon = kind === "DaemonSet";
  const nodeNames = isDaemon ? scheduler.placeOnEach(placement) : scheduler.place(replicas, placement);
  if (nodeNames.length === 0 && (isDaemon || replicas > 0))
    diagnostics.push(noNodeNote(place, isDaemon ? 0 : replicas));
  return nodeNames;
}

/** Says why Pods that were asked for are absent. */
export function noNodeNote(place: Place, pods: number): Diagnostic {
  const what =
    pods === 0 ? "runs nowhere" : pods === 1 ? "stays pending" : `has ${pods} Pods that stay pending`;
  const message = `${what}: no Node fits its nodeSelector, node affinity and tolerations.`;
  return { severity: "note", place, message };
}

function makePod(
  workload: Workload,
  names: Set<string>,
  { index, nodeName, labels }: { index: number; nodeName: string; labels: ReadonlyMap<string, string> },
): PlacedPod {
  const { namespace, kind, template, place } = workload;
  const { hostNetwork, ports } = template.spec;
  const name = freeName(workload, index, names);
  names.add(`${namespace}/${name}`);
  const own = kind === "StatefulSet" ? withPodLabels(labels, name, workload.firstOrdinal + index) : labels;
  const made = { podIPs: [], ready: true, terminating: false, place };
  return { namespace, name, labels: own, nodeName, hostNetwork, ports, ...made };
}

/** `web-7d4b9c6f5d-x8k2p`, `web-x8k2p` or, for StatefulSets, `web-0`; drawn again where the name is taken. */
function freeName(workload: Workload, index: number, names: ReadonlySet<string>): string {
  const { kind, namespace, name, firstOrdinal } = workload;
  if (kind === "StatefulSet") return `${name}-${firstOrdinal + index}`;
  const stem = kind === "Deployment" ? `${name}-${templateHash(workload)}` : name;
  for (let attempt = 0; ; attempt++) {
    const salt = attempt === 0 ? "" : ` ${attempt}`;
    const drawn = `${stem}-${shortHash(`${kind} ${namespace}/${name} ${index}${salt}`, 5)}`;
    if (!names.has(`${namespace}/${drawn}`)) return drawn;
  }
}

/** Of the name alone: the Pods of a Deployment keep theirs when its template is edited. */
function templateHash({ namespace, name }: Workload): string {
  return shortHash(`${namespace}/${name}`, 10);
}

/** The template's labels and those that the controllers add, which Services may select by. */
function podLabels(workload: Workload): ReadonlyMap<string, string> {
  const { kind, name, template } = workload;
  const labels = new Map(template.labels);
  if (kind === "Deployment") labels.set("pod-template-hash", templateHash(workload));
  if (kind === "Job") labels.set("job-name", name).set("batch.kubernetes.io/job-name", name);
  return labels;
}

/** The StatefulSet controller tells its Pods apart by label. */
function withPodLabels(
  labels: ReadonlyMap<string, string>,
  podName: string,
  ordinal: number,
): ReadonlyMap<string, string> {
  return new Map(labels)
    .set("statefulset.kubernetes.io/pod-name", podName)
    .set("apps.kubernetes.io/pod-index", String(ordinal));
}
