import type { Cluster } from "../../src/model/cluster.js";
import { clusterOf } from "../proxy/cluster-of.js";

/** Services of every kind that kube-proxy's modes treat differently, each alone in what is peculiar to it. */
export function rowsCluster(): Cluster {
  return clusterOf()
    .service("shop/plain", { clusterIPs: "10.96.0.10", ports: "http:80" })
    .slice("shop/plain", "http:8080", "10.244.1.10@worker-1", "10.244.2.10@worker-2")
    .service("shop/empty", { clusterIPs: "10.96.0.11", ports: "http:80" })
    .service("shop/remote", {
      type: "LoadBalancer",
      clusterIPs: "10.96.0.12",
      ports: "http:80>30012",
      ingress: "203.0.113.12",
      externalTrafficPolicy: "Local",
    })
    .slice("shop/remote", "http:8080", "10.244.2.12@worker-2", "10.244.2.13@worker-2")
    .service("shop/local", {
      type: "LoadBalancer",
      clusterIPs: "10.96.0.14",
      ports: "http:80>30014",
      ingress: "203.0.113.14",
      externalTrafficPolicy: "Local",
      healthCheckNodePort: 32014,
    })
    .slice("shop/local", "http:8080", "10.244.1.14@worker-1", "10.244.2.14@worker-2")
    .service("shop/guarded", {
      type: "LoadBalancer",
      clusterIPs: "10.96.0.16",
      ports: "http:80",
      ingress: "203.0.113.16",
      sourceRanges: "192.0.2.0/24",
    })
    .service("shop/sticky", {
      type: "NodePort",
      clusterIPs: "10.96.0.18",
      ports: "http:80>30018",
      affinitySeconds: 600,
    })
    .slice("shop/sticky", "http:8080", "10.244.1.18@worker-1", "10.244.2.18@worker-2")
    .build();
}
