import { type ClusterBuilder, clusterOf, type ServiceFields } from "../proxy/cluster-of.js";

/** A Service as it is written most often, with what a test says of it. */
export function webOf(fields: ServiceFields, ...endpoints: readonly string[]): ClusterBuilder {
  return clusterOf()
    .service("shop/web", { clusterIPs: "10.96.0.10", ports: "http:80", ...fields })
    .slice("shop/web", "http:8080", ...endpoints);
}

export const ENDPOINTS = ["10.244.1.10@worker-1", "10.244.2.10@worker-2"] as const;
