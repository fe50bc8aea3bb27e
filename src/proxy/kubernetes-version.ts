/** The Kubernetes versions whose kube-proxy is followed, oldest first. */
export const KUBERNETES_VERSIONS = ["1.31", "1.32", "1.33", "1.34", "1.35"] as const;
export type KubernetesVersion = (typeof KUBERNETES_VERSIONS)[number];

export const DEFAULT_KUBERNETES_VERSION: KubernetesVersion = "1.35";

export function isSince(version: KubernetesVersion, first: KubernetesVersion): boolean {
  return KUBERNETES_VERSIONS.indexOf(version) >= KUBERNETES_VERSIONS.indexOf(first);
}

/** featureGates of a KubeProxyConfiguration: what is switched on or off against the version's own choice. */
export type FeatureGates = Readonly<Record<string, boolean>>;

/** Which hints of EndpointSlices kube-proxy heeds. */
export interface TopologyHints {
  readonly zones: boolean;
  readonly nodes: boolean;
}

/**
 * Hints that count in a version: nodes' came in 1.33 behind the gate PreferSameTrafficDistribution, which is on
 * since 1.34 and for good in 1.35. Zones' always count, but the gate TopologyAwareHints could turn them off
 * before 1.33.
 */
export function topologyHints(
  version: KubernetesVersion = DEFAULT_KUBERNETES_VERSION,
  gates: FeatureGates = {},
): TopologyHints {
  const preferSame = gates.PreferSameTrafficDistribution ?? isSince(version, "1.34");
  return {
    zones: isSince(version, "1.33") || (gates.TopologyAwareHints ?? true),
    nodes: isSince(version, "1.35") || (isSince(version, "1.33") && preferSame),
  };
}
