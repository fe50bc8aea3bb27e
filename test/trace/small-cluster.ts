import { Cluster } from "../../src/cluster.js";
import { type CompileOptions, compile } from "../../src/compile.js";
import { Engine } from "../../src/engine/engine.js";
import type { EngineOptions } from "../../src/engine/options.js";

const node = (name: string, podCIDR: string, address: string) => `
kind: Node
apiVersion: v1
metadata: { name: ${name} }
spec: { podCIDR: ${podCIDR} }
status: { addresses: [{ type: InternalIP, address: ${address} }] }
---`;

const pod = (name: string, nodeName: string, podIP: string) => `
kind: Pod
apiVersion: v1
metadata: { name: ${name}, namespace: shop, labels: { app: ${name} } }
spec:
  nodeName: ${nodeName}
  containers: [{ name: main, image: main, ports: [{ name: http, containerPort: 8080 }] }]
status: { podIP: ${podIP} }
---`;

const service = (name: string, clusterIP: string, more = "") => `
kind: Service
apiVersion: v1
metadata: { name: ${name}, namespace: shop }
spec:
  clusterIP: ${clusterIP}
  selector: { app: ${name} }
  ports: [{ name: http, port: 80, targetPort: http${more} }]
---`;

/** Two nodes; every Service has one endpoint, so that nothing is left to chance. */
export const SMALL_CLUSTER = [
  node("worker-1", "10.244.1.0/24", "172.18.0.3"),
  node("worker-2", "10.244.2.0/24", "172.18.0.4"),
  pod("cart", "worker-1", "10.244.1.7"),
  pod("near", "worker-1", "10.244.1.8"),
  pod("far", "worker-2", "10.244.2.9"),
  service("near", "10.96.0.10"),
  service("far", "10.96.0.20"),
  service("door", "10.96.0.30", ", nodePort: 30080")
    .replace("spec:", "spec:\n  type: NodePort")
    .replace("app: door", "app: near"),
  service("empty", "10.96.0.99"),
].join("");

/** A node's engine over the small cluster. */
export async function engineOf(options: CompileOptions = {}, more: EngineOptions = {}): Promise<Engine> {
  return Engine.load(compile(Cluster.parse(SMALL_CLUSTER), options), { connections: 1024, ...more });
}
