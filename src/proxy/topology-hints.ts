import { isAtLeast, type KubernetesVersion, LATEST_KUBERNETES } from "./kubernetes-version.js";

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
  version: KubernetesVersion = LATEST_KUBERNETES,
  gates: FeatureGates = {},
): TopologyHints {
  const preferSame = gates.PreferSameTrafficDistribution ?? isAtLeast(version, "1.34");
  return {
    zones: isAtLeast(version, "1.33") || (gates.TopologyAwareHints ?? true),
    nodes: isAtLeast(version, "1.35") || (isAtLeast(version, "1.33") && preferSame),
  };
}
