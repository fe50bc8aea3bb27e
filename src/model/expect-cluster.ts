import { expectArgument, isObject } from "../arguments.js";

/** TypeError unless it looks like a cluster. */
export function expectCluster(cluster: unknown, argument: string): void {
  const isCluster =
    isObject(cluster) &&
    ["nodes", "services", "endpointSlices"].every((kind) => Array.isArray(cluster[kind]));
  expectArgument(isCluster, cluster, argument, "what Cluster.parse() answers");
}
