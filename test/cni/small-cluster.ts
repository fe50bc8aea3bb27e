import type { Cluster } from "../../src/model/cluster.js";
import type { Node } from "../../src/model/node.js";
import type { Pod } from "../../src/model/pod.js";
import { ip, prefix } from "../proxy/cluster-of.js";

/** A node as short as a test reads best: addresses with a space between. */
export function node(name: string, address: string, podCIDR?: string): Node {
  return {
    name,
    labels: new Map(),
    internalIPs: address.split(" ").map(ip),
    externalIPs: [],
    podCIDRs: podCIDR === undefined ? [] : podCIDR.split(" ").map(prefix),
    unschedulable: false,
  };
}

/** `pod("shop/cart", "worker-1", "10.244.1.7")`; with `host` it shares its node's address. */
export function pod(path: string, nodeName: string, address: string, host = false): Pod {
  const [namespace = "", name = ""] = path.split("/");
  return {
    namespace,
    name,
    labels: new Map(),
    nodeName,
    hostNetwork: host,
    podIPs: address.split(" ").map(ip),
    ports: [],
    ready: true,
    terminating: false,
  };
}

export function clusterWith(nodes: readonly Node[], pods: readonly Pod[] = []): Cluster {
  return {
    nodes,
    namespaces: ["default"],
    pods,
    services: [],
    endpointSlices: [],
    clusterCIDRs: [prefix("10.244.0.0/16")],
    serviceCIDRs: [prefix("10.96.0.0/12")],
    diagnostics: [],
  };
}
