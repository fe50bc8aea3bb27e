import { InputError } from "../diagnostics.js";
import { type Prefix, prefixOf } from "../net/prefix.js";
import type { Cluster } from "./cluster.js";
import { chunks, endpointOf } from "./control/endpoint-slices.js";
import { makeNode } from "./control/nodes.js";
import type { Endpoint, EndpointSlice } from "./endpointslice.js";
import type { Node } from "./node.js";
import type { Pod } from "./pod.js";
import { SCATTER_BITS, scatter } from "./scatter.js";
import type { Service } from "./service.js";

export interface SyntheticOptions {
  /** 0 … 1,000,000. */
  readonly services: number;
  /** Endpoints of each Service. */
  readonly endpoints: number;
  /** 3 if not said. */
  readonly nodes?: number;
  /** Scatters the ClusterIPs over the Service network, as a real allocator does; in order if not said. */
  readonly seed?: number;
}

const NAMESPACE = "scale";
const SERVICE_CIDR: Prefix = { address: 0x0a600000, length: 32 - SCATTER_BITS };
/** Past the band that Kubernetes keeps for those who choose their own address. */
const FIRST_CLUSTER_IP = 257;
const FIRST_INTERNAL_IP = 0xac120002;
const MAX_SERVICES = 1_000_000;

/**
 * A cluster for measuring: Services `scale/svc-00001`, …, each with one TCP port, 80 to 8080, and its endpoints
 * dealt over the Nodes. Pods have podCIDRs out of 10.244.0.0/16, a /24 each, or where these are too small out of
 * 10.128.0.0/9, as wide as needed: a /15 for 250,000 endpoints on three Nodes. Throws an InputError for numbers
 * that do not fit.
 */
export function syntheticCluster(options: SyntheticOptions): Cluster {
  const { services: count, endpoints, seed, nodes: nodeCount = 3 } = options;
  checkCounts({ services: [count, 0], endpoints: [endpoints, 0], nodes: [nodeCount, 1] });
  const { clusterCIDR, nodeLength } = networksFor(nodeCount, Math.ceil((count * endpoints) / nodeCount));
  const nodes = Array.from({ length: nodeCount }, (_, index) => nodeOf(index, clusterCIDR, nodeLength));
  const services: Service[] = [];
  const pods: Pod[] = [];
  const endpointSlices: EndpointSlice[] = [];
  const clusterIpOf = clusterIps(seed);
  for (let index = 0; index < count; index++) {
    const service = serviceOf(`svc-${String(index + 1).padStart(5, "0")}`, clusterIpOf());
    const own = Array.from({ length: endpoints }, (_, replica) =>
      podOf(service, replica, nodes, index * endpoints + replica),
    );
    services.push(service);
    for (const pod of own) pods.push(pod);
    endpointSlices.push(...slicesOf(service, own));
  }
  return {
    nodes,
    namespaces: ["default", NAMESPACE],
    pods,
    services,
    endpointSlices,
    clusterCIDRs: [clusterCIDR],
    serviceCIDRs: [SERVICE_CIDR],
    diagnostics: [],
  };
}

function checkCounts(counts: Readonly<Record<string, readonly [value: number, min: number]>>): void {
  for (const [name, [value, min]] of Object.entries(counts)) {
    if (Number.isInteger(value) && value >= min && value <= MAX_SERVICES) continue;
    throw refusal(`${name}: ${value} is not a whole number from ${min} to ${MAX_SERVICES}.`);
  }
}

function refusal(message: string): InputError {
  return new InputError([{ severity: "error", place: {}, message }]);
}

/** Three addresses of a podCIDR are no Pod's: the network's own, the bridge's and the broadcast address. */
function networksFor(nodes: number, podsPerNode: number): { clusterCIDR: Prefix; nodeLength: number } {
  const nodeLength = Math.min(24, 32 - Math.ceil(Math.log2(podsPerNode + 3)));
  const small = nodeLength === 24 && nodes <= 256;
  const clusterCIDR = small ? { address: 0x0af40000, length: 16 } : { address: 0x0a800000, length: 9 };
  if (nodes > 2 ** (nodeLength - clusterCIDR.length)) {
    throw refusal(
      `${nodes} Nodes with ${podsPerNode} Pods each do not fit in 10.128.0.0/9: ask for fewer endpoints.`,
    );
  }
  return { clusterCIDR, nodeLength };
}

function nodeOf(index: number, clusterCIDR: Prefix, length: number): Node {
  const address = Number(clusterCIDR.address) + index * 2 ** (32 - length);
  const node = makeNode(`worker-${index + 1}`);
  return { ...node, internalIPs: [FIRST_INTERNAL_IP + index], podCIDRs: [prefixOf(address, length)] };
}

function serviceOf(name: string, clusterIP: number): Service {
  return {
    namespace: NAMESPACE,
    name,
    labels: new Map(),
    type: "ClusterIP",
    selector: new Map([["app", name]]),
    clusterIPs: [clusterIP],
    headless: false,
    ports: [{ name: "", protocol: "TCP", port: 80, nodePort: 0, targetPort: 8080 }],
    externalIPs: [],
    loadBalancerIngress: [],
    loadBalancerSourceRanges: [],
    externalTrafficPolicy: "Cluster",
    internalTrafficPolicy: "Cluster",
    healthCheckNodePort: 0,
    affinitySeconds: undefined,
    publishNotReadyAddresses: false,
    topologyMode: "",
    place: { object: `Service ${NAMESPACE}/${name}` },
  };
}

/** The `serial`-th Pod of all: dealt to the Nodes in turn, so that each podCIDR fills evenly. */
function podOf(service: Service, replica: number, nodes: readonly Node[], serial: number): Pod {
  const node = nodes[serial % nodes.length] as Node;
  const base = Number(node.podCIDRs[0]?.address);
  return {
    namespace: NAMESPACE,
    name: `${service.name}-${replica}`,
    labels: service.selector ?? new Map(),
    nodeName: node.name,
    hostNetwork: false,
    podIPs: [base + 2 + Math.floor(serial / nodes.length)],
    ports: [{ name: "", port: 8080, protocol: "TCP" }],
    ready: true,
    terminating: false,
  };
}

function slicesOf({ name }: Service, pods: readonly Pod[]): readonly EndpointSlice[] {
  const endpoints = pods
    .map((pod) => endpointOf(pod, 4, false))
    .filter((endpoint): endpoint is Endpoint => endpoint !== undefined)
    .sort((a, b) => Number(a.address) - Number(b.address));
  return chunks(endpoints).map((chunk, index) => ({
    namespace: NAMESPACE,
    name: `${name}-${index}`,
    serviceName: name,
    family: 4,
    ports: [{ name: "", protocol: "TCP", port: 8080 }],
    endpoints: chunk,
  }));
}

/** ClusterIPs, each once: in order, or along a permutation of the Service network that the seed chooses. */
function clusterIps(seed: number | undefined): () => number {
  const last = 2 ** SCATTER_BITS - 2;
  let index = seed === undefined ? FIRST_CLUSTER_IP : 0;
  return () => {
    for (;;) {
      const offset = seed === undefined ? index++ : scatter(index++, seed);
      if (offset >= FIRST_CLUSTER_IP && offset <= last) return Number(SERVICE_CIDR.address) + offset;
    }
  };
}
