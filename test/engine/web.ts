import { tcp } from "../../src/packet/build.js";
import { POD } from "../drawn-cluster.js";
import type { DrawnService } from "../oracle/services.js";

/** A Service with every address, and an endpoint on the node and one elsewhere. */
export const WEB: DrawnService = {
  clusterIP: "10.96.0.10",
  externalIP: "203.0.113.10",
  vip: "192.0.2.10",
  nodePort: 30080,
  port: 80,
  targetPort: 8080,
  protocol: "TCP",
  internalPolicy: "Cluster",
  externalPolicy: "Cluster",
  endpoints: [
    { address: "10.244.1.9", isLocal: true, state: "ready" },
    { address: "10.244.2.9", isLocal: false, state: "ready" },
  ],
};
/** A Pod's first packet to it. */
export const REQUEST = tcp(`${POD}:40000`, "10.96.0.10:80");
