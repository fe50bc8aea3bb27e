import { type Diagnostic, InputError } from "../diagnostics.js";
import type { Node } from "../model/node.js";
import { type Family, familyOf, type Ip } from "../net/ip.js";
import type { Mac } from "../net/mac.js";
import type { Prefix } from "../net/prefix.js";
import type { Neighbour } from "../ruleset/neighbours.js";
import type { Interface, Route } from "../ruleset/routes.js";
import type { FdbEntry } from "../ruleset/vxlan.js";

/** What a CNI plugin, the kubelet and the machine's own set-up leave in one node's kernel. */
export interface NodeNetwork {
  /** Families in which the node has an address and Pods have a network, IPv4 first. */
  readonly families: readonly Family[];
  /** The networks of this node's own Pods, one a family, and the neighbours that these are by their addresses. */
  readonly podCIDRs: readonly Prefix[];
  readonly pods: ReadonlyMap<Ip, Neighbour>;
  readonly interfaces: readonly Interface[];
  /** In the kernel's order. */
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
  readonly fdb: readonly FdbEntry[];
  /** Put together when first asked for. `node/…`, `pod/…`, `vtep/…` (tunnel addresses), `bridge/…` (pods' gateways), `gateway`. */
  readonly names: ReadonlyMap<Ip, string>;
  readonly diagnostics: readonly Diagnostic[];
}

/** The first InternalIP of a family, which is the node's primary address of it. */
export function nodeIp(node: Node, family: Family): Ip | undefined {
  return node.internalIPs.find((ip) => familyOf(ip) === family);
}

/** The first podCIDR of a family. */
export function podCIDROf(node: Node, family: Family): Prefix | undefined {
  return node.podCIDRs.find(({ address }) => familyOf(address) === family);
}

/** A locally administered MAC address: two octets that say whose it is, then the IPv4 address it stands for, or an IPv6 one's last 32 bits. */
export function macOf(owner: "pod" | "node" | "vtep", address: Ip): Mac {
  // 0a:58 is the bridge plugin's, 02:42 Docker's (kind nodes are containers); flannel draws at random, and
  // 0e:f1 followed by the tunnel address is as distinct and repeatable.
  const octets = { pod: 0x0a58, node: 0x0242, vtep: 0x0ef1 }[owner];
  return octets * 2 ** 32 + (typeof address === "number" ? address : Number(address & 0xffffffffn));
}

/** The address so many after another of its family. */
export function offsetOf(address: Ip, offset: number): Ip {
  return typeof address === "number" ? address + offset : address + BigInt(offset);
}

export function nodeWarning(node: Node, field: string, message: string): Diagnostic {
  return { severity: "warning", place: { object: `Node ${node.name}`, field }, message };
}

export function nodeError(node: Node, field: string, message: string): InputError {
  return new InputError([{ severity: "error", place: { object: `Node ${node.name}`, field }, message }]);
}

/** The kernel's metrics of IPv6 routes (IP6_RT_PRIO_ADDRCONF and IP6_RT_PRIO_USER); those of IPv4 have none. */
const METRIC_OF_NETWORK = 256;
const METRIC_OF_ROUTE = 1024;

/** The route that the kernel adds to the network of an interface's own address. */
export function networkRoute(prefix: Prefix, dev: string, own: Ip): Route {
  return familyOf(own) === 4
    ? { prefix, dev, proto: "kernel", scope: "link", src: own }
    : { prefix, dev, proto: "kernel", metric: METRIC_OF_NETWORK };
}

/** A route as it stands when somebody has added it without a metric. */
export function addedRoute(route: Route): Route {
  return familyOf(route.prefix.address) === 4 ? route : { ...route, metric: METRIC_OF_ROUTE };
}
