import { type Diagnostic, InputError } from "../../diagnostics.js";
import { type Family, familyOf, type Ip } from "../../net/ip.js";
import { IpMap } from "../../net/ip-map.js";
import { type Prefix, printPrefix } from "../../net/prefix.js";
import type { NodeManifest } from "../node.js";
import type { Pod } from "../pod.js";
import { AddressPool } from "./address-pool.js";
import type { PlacedPod } from "./workloads.js";

/** Hands out addresses of the Nodes' podCIDRs, upward. Throws an InputError where a podCIDR is too small. */
export function withAddresses(placed: readonly PlacedPod[], nodes: readonly NodeManifest[]): readonly Pod[] {
  const used = new IpMap<true>();
  for (const { podIPs } of placed) for (const ip of podIPs) used.set(ip, true);
  const pools = new Map(nodes.map((node) => [node.name, new NodePools(node, used)]));
  const pods = placed.map((pod) => {
    const { namespace, name, labels, nodeName, hostNetwork, ports, ready, terminating } = pod;
    const pool = pools.get(nodeName);
    const made = hostNetwork ? pool?.hostIPs : pod.podIPs.length === 0 ? pool?.next() : undefined;
    const podIPs = pod.podIPs.length > 0 ? pod.podIPs : (made ?? []);
    return { namespace, name, labels, nodeName, hostNetwork, podIPs, ports, ready, terminating };
  });
  const errors = [...pools.values()].flatMap((pool) => pool.errors());
  if (errors.length > 0) throw new InputError(errors);
  return pods;
}

/** The addresses that one Node has for its Pods: one pool for each family. */
class NodePools {
  readonly hostIPs: readonly Ip[];
  private readonly pools: readonly AddressPool[];
  private missing = 0;

  constructor(
    private readonly node: NodeManifest,
    used: IpMap<true>,
  ) {
    this.hostIPs = firstOfEach(node.internalIPs, familyOf);
    const networks = firstOfEach(node.podCIDRs, ({ address }) => familyOf(address));
    this.pools = networks.map((network) => podPool(network, used));
  }

  next(): readonly Ip[] {
    const ips = this.pools.map((pool) => pool.next()).filter((ip) => ip !== undefined);
    if (ips.length < this.pools.length) this.missing++;
    return ips;
  }

  errors(): readonly Diagnostic[] {
    if (this.missing === 0) return [];
    const message =
      `${this.node.podCIDRs.map(printPrefix).join(", ")} is too small: ${this.missing} more Pods are to run here ` +
      `than it has addresses. Give more Nodes, or a larger podCIDR.`;
    return [{ severity: "error", place: { ...this.node.place, field: "spec.podCIDRs" }, message }];
  }
}

function firstOfEach<T>(items: readonly T[], family: (item: T) => Family): readonly T[] {
  const first = ([4, 6] as const).map((wanted) => items.find((item) => family(item) === wanted));
  return first.filter((item) => item !== undefined);
}

/** From .2 up: .1 is the bridge's, the last one the broadcast address. */
function podPool(network: Prefix, used: IpMap<true>): AddressPool {
  return new AddressPool(network, { first: 2, used });
}
