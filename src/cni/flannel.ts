import type { Diagnostic } from "../diagnostics.js";
import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import type { Ip, Ip4 } from "../net/ip.js";
import { type Prefix, prefixContains, printPrefix } from "../net/prefix.js";
import type { Neighbour } from "../ruleset/neighbours.js";
import { compareRoutes, type Interface, type Route } from "../ruleset/routes.js";
import type { FdbEntry } from "../ruleset/vxlan.js";
import { macOf, type NodeNetwork, nodeIp4, nodeWarning, podCIDR4 } from "./network.js";
import { clusterNames, podNetwork } from "./pods.js";
import { type Underlay, UPLINK, UPLINK_MTU, underlay } from "./underlay.js";

export interface FlannelOptions {
  /** Default `vxlan`. */
  readonly backend?: "vxlan" | "host-gw";
  /** VXLAN network identifier, default 1: the device is then called flannel.1. */
  readonly vni?: number;
  /** UDP port of the tunnel, default 8472 (the kernel's, not IANA's 4789). */
  readonly port?: number;
}

/** Octets that VXLAN over IPv4 puts around a frame's payload: 20 + 8 + 8 + 14. */
const VXLAN_OVERHEAD = 50;

/** Another node as flannel sees it: its lease. */
interface Lease {
  readonly node: Node;
  readonly podCIDR: Prefix & { readonly address: Ip4 };
  readonly address: Ip4;
}

/** What a backend adds to reach the other nodes' Pods. */
interface Backend {
  readonly interfaces: readonly Interface[];
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
  readonly fdb: readonly FdbEntry[];
  readonly diagnostics: readonly Diagnostic[];
}

function remoteLeases(cluster: Cluster, self: Node, diagnostics: Diagnostic[]): Lease[] {
  const leases: Lease[] = [];
  for (const node of cluster.nodes) {
    if (node.name === self.name) continue;
    const podCIDR = podCIDR4(node);
    const address = nodeIp4(node);
    if (podCIDR !== undefined && address !== undefined) leases.push({ node, podCIDR, address });
    else {
      const field = podCIDR === undefined ? "spec.podCIDR" : "status.addresses";
      diagnostics.push(
        nodeWarning(node, field, `none of IPv4; Node ${self.name} gets no route to its Pods.`),
      );
    }
  }
  return leases;
}

function vxlan(own: Underlay, podCIDR: Lease["podCIDR"], leases: readonly Lease[], options: FlannelOptions) {
  const { vni = 1, port = 8472 } = options;
  const dev = `flannel.${vni}`;
  const mac = ({ podCIDR }: Pick<Lease, "podCIDR">) => macOf("vtep", podCIDR.address);
  const device: Interface = {
    name: dev,
    kind: "vxlan",
    mac: mac({ podCIDR }),
    mtu: UPLINK_MTU - VXLAN_OVERHEAD,
    addresses: [{ address: podCIDR.address, length: 32 }],
    vxlan: { vni, port, local: own.address },
  };
  return {
    interfaces: [device],
    routes: leases.map(({ podCIDR: prefix }) => ({ prefix, via: prefix.address, dev, onlink: true })),
    neighbours: leases.map((lease) => ({ address: lease.podCIDR.address, dev, mac: mac(lease) })),
    fdb: leases.map((lease) => ({ mac: mac(lease), dev, dst: lease.address })),
    diagnostics: [],
  } satisfies Backend;
}

function hostGateway(own: Underlay, leases: readonly Lease[]): Backend {
  const reached = leases.filter(({ address }) => prefixContains(own.subnet, address));
  const apart = leases.filter(({ address }) => !prefixContains(own.subnet, address));
  const message = `is outside of the subnet ${printPrefix(own.subnet)}; host-gw gets no route to its Pods.`;
  return {
    interfaces: [],
    routes: reached.map(({ podCIDR, address }) => ({ prefix: podCIDR, via: address, dev: UPLINK })),
    neighbours: [],
    fdb: [],
    diagnostics: apart.map(({ node }) => nodeWarning(node, "status.addresses", message)),
  };
}

const IP_MASQ: Diagnostic = {
  severity: "note",
  place: { object: "flannel", field: "--ip-masq" },
  message: "modelled as off: a Pod's packet to an address outside of the cluster keeps the Pod's address.",
};

function namesOf(
  cluster: Cluster,
  { gateway }: Underlay,
  vteps: readonly Pick<Lease, "node" | "podCIDR">[],
): ReadonlyMap<Ip, string> {
  const names = clusterNames(cluster);
  if (!names.has(gateway)) names.set(gateway, "gateway");
  for (const { node, podCIDR } of vteps) names.set(podCIDR.address, `vtep/${node.name}`);
  return names;
}

/**
 * What flannel, the bridge plugin it delegates to and the kubelet leave in one node's kernel. Throws
 * InputError if the node lacks an IPv4 address or podCIDR; other nodes that do are warned of and not reached.
 */
export function flannel(cluster: Cluster, node: Node, options: FlannelOptions = {}): NodeNetwork {
  const tunnels = (options.backend ?? "vxlan") === "vxlan";
  const diagnostics: Diagnostic[] = [IP_MASQ];
  const own = underlay(cluster, node);
  const pods = podNetwork(cluster, node, tunnels ? UPLINK_MTU - VXLAN_OVERHEAD : UPLINK_MTU);
  const leases = remoteLeases(cluster, node, diagnostics);
  const backend = tunnels ? vxlan(own, pods.podCIDR, leases, options) : hostGateway(own, leases);
  diagnostics.push(...pods.diagnostics, ...backend.diagnostics);
  const vteps = tunnels ? [{ node, podCIDR: pods.podCIDR }, ...leases] : [];
  let names: ReadonlyMap<Ip, string> | undefined;
  return {
    podCIDR: pods.podCIDR,
    podAddresses: pods.addresses,
    interfaces: [...own.interfaces, pods.bridge, ...backend.interfaces],
    routes: [...own.routes, pods.route, ...backend.routes].sort(compareRoutes),
    neighbours: [...own.neighbours, ...pods.neighbours, ...backend.neighbours],
    fdb: backend.fdb,
    get names() {
      names ??= namesOf(cluster, own, vteps);
      return names;
    },
    diagnostics,
  };
}
