import { isAtLeast, type KubernetesVersion, LATEST_KUBERNETES } from "./kubernetes-version.js";

/** featureGates of a KubeProxyConfiguration: what is switched on or off against the version's own choice. */
export type FeatureGates = Readonly<Record<string, boolean>>;

/** Which hints of EndpointSlices kube-proxy heeds. */
export interface TopologyHints {
  /** annotated: those of Services alone that ask for hints by an annotation. */
  readonly zones: "always" | "annotated" | "never";
  readonly nodes: boolean;
}

/** PreferSameTrafficDistribution: unknown before 1.33, alpha in 1.33, beta in 1.34, then there for good. */
function heedsNodes(version: KubernetesVersion, gates: FeatureGates): boolean {
  if (version === "1.33") return gates.PreferSameTrafficDistribution ?? gates.AllAlpha ?? false;
  if (version === "1.34") return gates.PreferSameTrafficDistribution ?? gates.AllBeta ?? true;
  return isAtLeast(version, "1.35");
}

/** Both gates are beta before 1.33, then there for good; without the second an annotation is asked, as up to 1.30. */
function heedsZones(version: KubernetesVersion, gates: FeatureGates): TopologyHints["zones"] {
  const isOn = (gate: string) => isAtLeast(version, "1.33") || (gates[gate] ?? gates.AllBeta ?? true);
  if (!isOn("TopologyAwareHints")) return "never";
  return isOn("ServiceTrafficDistribution") ? "always" : "annotated";
}

/**
 * Hints that count in a version. Zones' do wherever a slice has them, but gates could limit that before 1.33.
 * Otherwise neither trafficDistribution nor an annotation of the Service is asked: they steer who writes the slices.
 */
export function topologyHints(
  version: KubernetesVersion = LATEST_KUBERNETES,
  gates: FeatureGates = {},
): TopologyHints {
  return { zones: heedsZones(version, gates), nodes: heedsNodes(version, gates) };
}
