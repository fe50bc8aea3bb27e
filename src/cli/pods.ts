import { type Cluster, InputError } from "../index.js";
import { printNote } from "./output.js";

type Pod = Cluster["pods"][number];

/**
 * What controllers put behind a workload's name: a template hash and a random part, either without vowels, or a
 * StatefulSet's ordinal.
 */
const POD_SUFFIX = /^-(?:(?:[bcdfghjklmnpqrstvwxz2456789]{6,10}-)?[bcdfghjklmnpqrstvwxz2456789]{5}|[0-9]+)$/;

function refuse(namespace: string, name: string, message: string): InputError {
  return new InputError([{ severity: "error", place: { object: `Pod ${namespace}/${name}` }, message }]);
}

function isOfWorkload(pod: string, name: string): boolean {
  return pod.startsWith(name) && POD_SUFFIX.test(pod.slice(name.length));
}

/** Ends a sentence: `; did you mean svc/shop/web?` where other namespaces have one of that name, else the stop. */
export function elsewhere(
  objects: readonly { readonly namespace: string; readonly name: string }[],
  kind: "pod" | "svc",
  name: string,
): string {
  const suits = (one: string) => one === name || (kind === "pod" && isOfWorkload(one, name));
  const found = objects
    .filter((one) => suits(one.name))
    .map(({ namespace }) => `${kind}/${namespace}/${name}`);
  if (found.length === 0) return ".";
  return `; did you mean ${[...new Set(found)].slice(0, 3).join(" or ")}?`;
}

function printSome(pods: readonly Pod[]): string {
  const names = pods.slice(0, 10).map(({ name }) => name);
  return names.join(", ") + (pods.length > 10 ? ` and ${pods.length - 10} more` : "");
}

/** Pods of the workload of that name, or else the one whose name begins so. */
function byPrefix(pods: readonly Pod[], namespace: string, name: string): readonly Pod[] {
  const ofWorkload = pods.filter((pod) => isOfWorkload(pod.name, name));
  if (ofWorkload.length > 0) return ofWorkload;
  const beginning = pods.filter((pod) => pod.name.startsWith(name));
  if (beginning.length <= 1) return beginning;
  throw refuse(namespace, name, `could be ${printSome(beginning)}: write more of the name.`);
}

/**
 * The Pod of that name; or of a workload of that name the first, which is said on stderr, as people know
 * Deployments and not their Pods' hashes. InputError where there is none, or the name could be several.
 */
export function findPod(cluster: Cluster, namespace: string, name: string): Pod {
  const pods = cluster.pods.filter((pod) => pod.namespace === namespace);
  const exact = pods.find((pod) => pod.name === name);
  if (exact !== undefined) return exact;
  const found = byPrefix(pods, namespace, name);
  const [first] = found;
  if (first === undefined) {
    const known = pods.length === 0 ? "there is none" : `there is ${printSome(pods)}`;
    const hint = elsewhere(cluster.pods, "pod", name);
    throw refuse(namespace, name, `is not in the cluster; in the namespace ${known}${hint}`);
  }
  const among = found.length === 1 ? "the only one of that name" : `the first of ${found.length}`;
  printNote(`pod/${namespace}/${name} is taken for ${first.name}, ${among}.`);
  return first;
}
