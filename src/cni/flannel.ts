import type { Diagnostic } from "../diagnostics.js";
import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import { type Family, familyOf, type Ip } from "../net/ip.js";
import { hostLength, type Prefix, prefixContains, printPrefix } from "../net/prefix.js";
import type { Neighbour } from "../ruleset/neighbours.js";
import { compareRoutes, type Interface, type Route } from "../ruleset/routes.js";
import type { FdbEntry } from "../ruleset/vxlan.js";
import { addedRoute, macOf, type NodeNetwork, nodeError, nodeIp, nodeWarning, podCIDROf } from "./network.js";
import { clusterNames, isRoomy, podNetwork } from "./pods.js";
import { type Subnet, UPLINK, UPLINK_MTU, underlay } from "./underlay.js";

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

/** Another node as flannel sees it in one family: its lease. */
interface Lease {
  readonly node: Node;
  readonly podCIDR: Prefix;
  readonly address: Ip;
}

/** What a backend adds to reach the other nodes' Pods. */
interface Backend {
  readonly interfaces: readonly Interface[];
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
  readonly fdb: readonly FdbEntry[];
  /** Nodes that it reaches through a tunnel, whose ends bear the podCIDRs' own addresses. */
  readonly vteps: readonly Pick<Lease, "node" | "podCIDR">[];
  readonly diagnostics: readonly Diagnostic[];
}

/** What keeps a node out of a family: the field that has nothing of it. Undefined where nothing does. */
function lackOf(node: Node, family: Family): "spec.podCIDR" | "status.addresses" | undefined {
  if (podCIDROf(node, family) === undefined) return "spec.podCIDR";
  return nodeIp(node, family) === undefined ? "status.addresses" : undefined;
}

/** The families that a node takes part in. InputError if there is none. */
function familiesOf(node: Node): readonly [Family, ...Family[]] {
  const [first, ...more] = ([4, 6] as const).filter((family) => lackOf(node, family) === undefined);
  if (first !== undefined) return [first, ...more];
  if (node.podCIDRs.length > 0) {
    const message = "no InternalIP of its podCIDR's family: give the node one.";
    throw nodeError(node, "status.addresses", message);
  }
  const message = "flannel needs a podCIDR: give the node one, such as 10.244.0.0/24.";
  throw nodeError(node, "spec.podCIDR", message);
}

/** The family of which a node has one thing and not the other. */
function halfFamilies(node: Node): readonly Diagnostic[] {
  return ([4, 6] as const).flatMap((family) => {
    const lack = lackOf(node, family);
    const has = lack === "spec.podCIDR" ? nodeIp(node, family) : podCIDROf(node, family);
    if (lack === undefined || has === undefined) return [];
    return [nodeWarning(node, lack, `none of IPv${family}: the node's network is without that family.`)];
  });
}

function podCIDRsOf(node: Node, families: readonly [Family, ...Family[]]): readonly [Prefix, ...Prefix[]] {
  const podCIDRs = families.map((family) => podCIDROf(node, family) as Prefix);
  const small = podCIDRs.find((podCIDR) => !isRoomy(podCIDR));
  if (small === undefined) return podCIDRs as [Prefix, ...Prefix[]];
  const most = hostLength(small.address) - 2;
  const message = `${printPrefix(small)} has no room for a bridge and a Pod: give the node a podCIDR of /${most} or larger.`;
  throw nodeError(node, "spec.podCIDR", message);
}

function remoteLeases(cluster: Cluster, self: Node, family: Family, diagnostics: Diagnostic[]): Lease[] {
  const leases: Lease[] = [];
  for (const node of cluster.nodes) {
    if (node.name === self.name) continue;
    const podCIDR = podCIDROf(node, family);
    const address = nodeIp(node, family);
    if (podCIDR !== undefined && address !== undefined) leases.push({ node, podCIDR, address });
    else {
      const message = `none of IPv${family}; Node ${self.name} gets no route to its Pods.`;
      diagnostics.push(nodeWarning(node, lackOf(node, family) ?? "", message));
    }
  }
  return leases;
}

function vxlan(own: Lease, leases: readonly Lease[], { vni = 1, port = 8472 }: FlannelOptions): Backend {
  const dev = `flannel.${vni}`;
  const mac = ({ podCIDR }: Lease) => macOf("vtep", podCIDR.address);
  const device: Interface = {
    name: dev,
    kind: "vxlan",
    mac: mac(own),
    mtu: UPLINK_MTU - VXLAN_OVERHEAD,
    addresses: [{ address: own.podCIDR.address, length: 32 }],
    vxlan: { vni, port, local: own.address },
  };
  return {
    interfaces: [device],
    routes: leases.map(({ podCIDR: prefix }) => ({ prefix, via: prefix.address, dev, onlink: true })),
    neighbours: leases.map((lease) => ({ address: lease.podCIDR.address, dev, mac: mac(lease) })),
    fdb: leases.map((lease) => ({ mac: mac(lease), dev, dst: lease.address })),
    vteps: [own, ...leases],
    diagnostics: [],
  };
}

function hostGateway({ prefix: subnet }: Subnet, leases: readonly Lease[]): Backend {
  const reached = leases.filter(({ address }) => prefixContains(subnet, address));
  const apart = leases.filter(({ address }) => !prefixContains(subnet, address));
  const message = `is outside of the subnet ${printPrefix(subnet)}; host-gw gets no route to its Pods.`;
  return {
    interfaces: [],
    routes: reached.map(({ podCIDR, address }) => addedRoute({ prefix: podCIDR, via: address, dev: UPLINK })),
    neighbours: [],
    fdb: [],
    vteps: [],
    diagnostics: apart.map(({ node }) => nodeWarning(node, "status.addresses", message)),
  };
}

const IP_MASQ: Diagnostic = {
  severity: "note",
  place: { object: "flannel", field: "--ip-masq" },
  message: "modelled as off: a Pod's packet to an address outside of the cluster keeps the Pod's address.",
};

/** flannel-v6.1 and its like send IPv6 through IPv6. */
const NO_VXLAN6: Diagnostic = {
  severity: "note",
  place: { object: "flannel", field: "Backend" },
  message: "VXLAN over IPv6 is not modelled: IPv6 to other nodes goes by routes, as with host-gw.",
};

/** How a node reaches the others' Pods in one family. */
function backendOf(
  cluster: Cluster,
  node: Node,
  subnet: Subnet,
  podCIDR: Prefix,
  options: FlannelOptions,
): Backend {
  const family = familyOf(podCIDR.address);
  const diagnostics: Diagnostic[] = [];
  const leases = remoteLeases(cluster, node, family, diagnostics);
  const asksTunnels = (options.backend ?? "vxlan") === "vxlan";
  if (asksTunnels && family === 6 && leases.length > 0) diagnostics.push(NO_VXLAN6);
  const backend =
    asksTunnels && family === 4
      ? vxlan({ node, podCIDR, address: subnet.address }, leases, options)
      : hostGateway(subnet, leases);
  return { ...backend, diagnostics: [...diagnostics, ...backend.diagnostics] };
}

function namesOf(
  cluster: Cluster,
  node: Node,
  subnets: readonly Subnet[],
  vteps: Backend["vteps"],
  further: readonly Ip[],
): ReadonlyMap<Ip, string> {
  const names = clusterNames(cluster);
  for (const address of further) if (!names.has(address)) names.set(address, `node/${node.name}`);
  for (const { gateway } of subnets) if (!names.has(gateway)) names.set(gateway, "gateway");
  for (const vtep of vteps) names.set(vtep.podCIDR.address, `vtep/${vtep.node.name}`);
  return names;
}

/**
 * What flannel, the bridge plugin it delegates to and the kubelet leave in one node's kernel, in the families in which
 * the node has both an InternalIP and a podCIDR; `localAddresses` are further ones on its uplink. Throws InputError if
 * there is no such family, or a podCIDR is too small; other nodes that lack something are warned of and not reached.
 */
export function flannel(
  cluster: Cluster,
  node: Node,
  options: FlannelOptions = {},
  localAddresses: readonly Ip[] = [],
): NodeNetwork {
  const families = familiesOf(node);
  const podCIDRs = podCIDRsOf(node, families);
  const own = underlay(cluster, node, families, localAddresses);
  const backends = own.subnets.map((subnet, index) =>
    backendOf(cluster, node, subnet, podCIDRs[index] as Prefix, options),
  );
  const tunnels = backends.flatMap(({ interfaces }) => interfaces);
  const pods = podNetwork(cluster, node, podCIDRs, tunnels[0]?.mtu ?? UPLINK_MTU);
  const vteps = backends.flatMap((backend) => backend.vteps);
  let names: ReadonlyMap<Ip, string> | undefined;
  return {
    families,
    podCIDRs,
    pods: pods.neighbours,
    interfaces: [...own.interfaces, pods.bridge, ...tunnels],
    routes: [...own.routes, ...pods.routes, ...backends.flatMap(({ routes }) => routes)].sort(compareRoutes),
    neighbours: [
      ...own.neighbours,
      ...pods.neighbours.values(),
      ...backends.flatMap(({ neighbours }) => neighbours),
    ],
    fdb: backends.flatMap(({ fdb }) => fdb),
    get names() {
      names ??= namesOf(cluster, node, own.subnets, vteps, localAddresses);
      return names;
    },
    diagnostics: [
      IP_MASQ,
      ...halfFamilies(node),
      ...pods.diagnostics,
      ...backends.flatMap(({ diagnostics }) => diagnostics),
    ],
  };
}
