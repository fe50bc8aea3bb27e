/** Where kube-proxy sends a packet to a Service, from its specification and for one node, worker-1, by inspection. */
export type Mode = "iptables" | "ipvs" | "nftables";
export type Policy = "Cluster" | "Local";

export interface DrawnEndpoint {
  readonly address: string;
  /** On the node that is asked. */
  readonly isLocal: boolean;
  /** draining: serving and terminating, not ready. */
  readonly state: "ready" | "not ready" | "draining";
}

export interface DrawnService {
  readonly clusterIP: string;
  readonly externalIP: string;
  readonly vip: string;
  readonly nodePort: number;
  readonly port: number;
  readonly targetPort: number;
  readonly protocol: "TCP" | "UDP";
  readonly internalPolicy: Policy;
  readonly externalPolicy: Policy;
  readonly endpoints: readonly DrawnEndpoint[];
}

export interface Client {
  readonly address: string;
  /** As kube-proxy tells them apart: in the cluster's pod network, an address of the node, or neither. */
  readonly kind: "pod" | "node" | "outside";
}

/** Which of a Service's addresses is asked. */
export type Front = "clusterIP" | "external" | "nodePort";

export interface Judgement {
  readonly verdict: "FORWARD" | "DROP" | "REJECT";
  readonly endpoints: readonly DrawnEndpoint[];
  /** Whether the source becomes the node's when that endpoint is chosen. */
  readonly masquerades: (endpoint: DrawnEndpoint) => boolean;
}

function admitted(endpoints: readonly DrawnEndpoint[]): readonly DrawnEndpoint[] {
  const ready = endpoints.filter(({ state }) => state === "ready");
  return ready.length > 0 ? ready : endpoints.filter(({ state }) => state === "draining");
}

interface Choice {
  readonly endpoints: readonly DrawnEndpoint[];
  readonly masquerade: boolean;
}

/** Modes iptables and nftables. */
function choose(service: DrawnService, front: Front, client: Client): Choice {
  const cluster = admitted(service.endpoints);
  const local = admitted(service.endpoints.filter(({ isLocal }) => isLocal));
  if (front === "clusterIP") {
    const endpoints = service.internalPolicy === "Local" ? local : cluster;
    return { endpoints, masquerade: client.kind !== "pod" };
  }
  if (service.externalPolicy === "Cluster") return { endpoints: cluster, masquerade: true };
  // What the node and the Pods send to an external address is cut short: it need not come in from outside.
  if (client.kind !== "outside") return { endpoints: cluster, masquerade: client.kind === "node" };
  return { endpoints: local, masquerade: false };
}

/** Mode ipvs: policy Local prefers local endpoints but takes others, for all clients alike. */
function chooseIpvs(service: DrawnService, front: Front, client: Client): Choice {
  const cluster = admitted(service.endpoints);
  const local = admitted(service.endpoints.filter(({ isLocal }) => isLocal));
  const policy = front === "clusterIP" ? service.internalPolicy : service.externalPolicy;
  return {
    endpoints: policy === "Local" && local.length > 0 ? local : cluster,
    masquerade: front === "clusterIP" ? client.kind !== "pod" : policy === "Cluster",
  };
}

/** For a Service that is reachable from outside, so that its cluster endpoints are always looked at. */
export function judge(mode: Mode, service: DrawnService, front: Front, client: Client): Judgement {
  const { endpoints, masquerade } = (mode === "ipvs" ? chooseIpvs : choose)(service, front, client);
  const any = admitted(service.endpoints).length > 0;
  const refusal = any && mode !== "ipvs" ? "DROP" : "REJECT";
  return {
    verdict: endpoints.length > 0 ? "FORWARD" : refusal,
    endpoints,
    masquerades: ({ address, isLocal }) =>
      // A Pod that reaches itself must see another source; IPVS knows the Pods of its own node only.
      masquerade || (address === client.address && (mode !== "ipvs" || isLocal)),
  };
}
