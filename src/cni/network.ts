import { type Diagnostic, InputError } from "../diagnostics.js";
import type { Node } from "../model/node.js";
import type { Ip, Ip4 } from "../net/ip.js";
import type { Mac } from "../net/mac.js";
import type { Prefix } from "../net/prefix.js";
import type { Neighbour } from "../ruleset/neighbours.js";
import type { Interface, Route } from "../ruleset/routes.js";
import type { FdbEntry } from "../ruleset/vxlan.js";

/** What a CNI plugin, the kubelet and the machine's own set-up leave in one node's kernel. */
export interface NodeNetwork {
  /** The network of this node's own Pods, and such of their addresses as are inside of it. */
  readonly podCIDR: Prefix;
  readonly podAddresses: ReadonlySet<Ip4>;
  readonly interfaces: readonly Interface[];
  /** In the kernel's order. */
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
  readonly fdb: readonly FdbEntry[];
  /** Put together when first asked for. `node/…`, `pod/…`, `vtep/…` (tunnel addresses), `bridge/…` (pods' gateways), `gateway`. */
  readonly names: ReadonlyMap<Ip, string>;
  readonly diagnostics: readonly Diagnostic[];
}

/** The first IPv4 InternalIP, which is the node's primary address of that family. */
export function nodeIp4(node: Node): Ip4 | undefined {
  return node.internalIPs.find((ip): ip is Ip4 => typeof ip === "number");
}

/** The first IPv4 podCIDR. */
export function podCIDR4(node: Node): (Prefix & { readonly address: Ip4 }) | undefined {
  return node.podCIDRs.find((cidr): cidr is Prefix & { address: Ip4 } => typeof cidr.address === "number");
}

/** A locally administered MAC address: two octets that say whose it is, then the IPv4 address it stands for. */
export function macOf(owner: "pod" | "node" | "vtep", address: Ip4): Mac {
  // 0a:58 is the bridge plugin's, 02:42 Docker's (kind nodes are containers); flannel draws at random, and
  // 0e:f1 followed by the tunnel address is as distinct and repeatable.
  const octets = { pod: 0x0a58, node: 0x0242, vtep: 0x0ef1 }[owner];
  return octets * 2 ** 32 + address;
}

export function nodeWarning(node: Node, field: string, message: string): Diagnostic {
  return { severity: "warning", place: { object: `Node ${node.name}`, field }, message };
}

export function nodeError(node: Node, field: string, message: string): InputError {
  return new InputError([{ severity: "error", place: { object: `Node ${node.name}`, field }, message }]);
}
