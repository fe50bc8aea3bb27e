/** The minor versions of Kubernetes whose kube-proxy is modelled, oldest first. */
export const KUBERNETES_VERSIONS = ["1.31", "1.32", "1.33", "1.34", "1.35"] as const;
export type KubernetesVersion = (typeof KUBERNETES_VERSIONS)[number];

/** What is compiled for if nothing is said. */
export const LATEST_KUBERNETES: KubernetesVersion = "1.35";

/** Whether a version is `since` or a later one. */
export function isAtLeast(version: KubernetesVersion, since: KubernetesVersion): boolean {
  return KUBERNETES_VERSIONS.indexOf(version) >= KUBERNETES_VERSIONS.indexOf(since);
}
