import type { Cluster } from "../model/cluster.js";
import { expectCluster } from "../model/expect-cluster.js";
import { serviceObjects } from "../model/service-objects.js";
import type { Family } from "../net/ip.js";
import { isOn, isReady } from "./endpoints.js";
import { servedPorts } from "./served-ports.js";

/** What a kube-proxy that is well answers a load balancer that asks whether a node serves a Service. */
export interface HealthCheck {
  /** `namespace/name` */
  readonly service: string;
  /** spec.healthCheckNodePort, where it is asked. */
  readonly port: number;
  readonly status: 200 | 503;
  /** Ready endpoints on the node, by address: the header X-Load-Balancing-Endpoint-Weight. */
  readonly localEndpoints: number;
}

/**
 * The health checks that one node answers. Endpoints that terminate do not count, so that load balancers turn away
 * while the node still serves by them.
 */
export function healthChecks(cluster: Cluster, nodeName: string, family: Family = 4): readonly HealthCheck[] {
  expectCluster(cluster, "the cluster of healthChecks()");
  return serviceObjects(cluster).flatMap((objects) => {
    const ports = servedPorts(objects, family);
    const port = ports[0]?.frontend.healthCheckNodePort ?? 0;
    if (port === 0) return [];
    const local = ports.flatMap(({ endpoints }) => endpoints.filter((one) => isOn(one, nodeName)));
    const ready = new Set(local.filter(isReady).map(({ address }) => address));
    const service = `${objects.namespace}/${objects.name}`;
    return [{ service, port, status: ready.size > 0 ? 200 : 503, localEndpoints: ready.size }];
  });
}
