import { isAtLeast, type KubernetesVersion, LATEST_KUBERNETES } from "./kubernetes-version.js";

/** featureGates of a KubeProxyConfiguration: what is switched on or off against the version's own choice. */
export type FeatureGates = Readonly<Record<string, boolean>>;

/** Which hints of EndpointSlices kube-proxy heeds. */
export interface TopologyHints {
  readonly zones: boolean;
  readonly nodes: boolean;
}

/** PreferSameTrafficDistribution: unknown before 1.33, alpha in 1.33, beta in 1.34, then there for good. */
function heedsNodes(version: KubernetesVersion, gates: FeatureGates): boolean {
  if (version === "1.33") return gates.PreferSameTrafficDistribution ?? gates.AllAlpha ?? false;
  if (version === "1.34") return gates.PreferSameTrafficDistribution ?? gates.AllBeta ?? true;
  return isAtLeast(version, "1.35");
}

/**
 * Hints that count in a version. Zones' do wherever a slice has them, but the gate TopologyAwareHints could turn them
 * off before 1.33. Neither trafficDistribution nor an annotation of the Service is asked: they steer who writes the
 * slices.
 */
export function topologyHints(
  version: KubernetesVersion = LATEST_KUBERNETES,
  gates: FeatureGates = {},
): TopologyHints {
  const zones = isAtLeast(version, "1.33") || (gates.TopologyAwareHints ?? gates.AllBeta ?? true);
  return { zones, nodes: heedsNodes(version, gates) };
}
