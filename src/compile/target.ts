import { flannel } from "../cni/flannel.js";
import type { NodeNetwork } from "../cni/network.js";
import type { Fragment, FrontEnd } from "../fragment/front-end.js";
import { joint } from "../fragment/joint.js";
import type { Cluster } from "../model/cluster.js";
import { familyOf, type Ip } from "../net/ip.js";
import type { Interface } from "../ruleset/routes.js";
import type { ProxyMode, Ruleset } from "../ruleset/ruleset.js";
import { type Addressing, addressingFrontEnd } from "./addressing.js";
import { type CompileOptions, checkWords, findNode } from "./options.js";
import { type Proxied, proxyFrontEnd } from "./proxied.js";

/** A node to compile for: what its network is without Services, and the front end that adds them. */
export interface Target {
  readonly node: string;
  readonly proxy: ProxyMode;
  readonly network: NodeNetwork;
  readonly frontEnd: FrontEnd<Fragment, readonly [Proxied, Addressing]>;
}

/** Every IPv4 address of the node but loopback's. */
function nodeAddressesOf(interfaces: readonly Interface[]): readonly Ip[] {
  return interfaces
    .filter(({ kind }) => kind !== "loopback")
    .flatMap(({ addresses }) => addresses.map(({ address }) => address))
    .filter((address) => familyOf(address) === 4);
}

/**
 * The node that the options name. Throws InputError if there is no such node, if it lacks an IPv4 address or
 * podCIDR, or for options that are not known.
 */
export function targetOf(cluster: Cluster, options: CompileOptions): Target {
  checkWords(options);
  const node = findNode(cluster, options.node);
  const cni = options.cni === undefined || options.cni === "flannel" ? {} : options.cni;
  const network = flannel(cluster, node, cni);
  return {
    node: node.name,
    proxy: options.proxy ?? "iptables",
    network,
    frontEnd: joint(
      proxyFrontEnd(cluster, node, nodeAddressesOf(network.interfaces), options),
      addressingFrontEnd(network),
    ),
  };
}

/** The whole ruleset, of what the front end made. */
export function rulesetOf(
  { node, proxy, network }: Target,
  { diagnostics }: Pick<Cluster, "diagnostics">,
  [proxied, addressing]: readonly [Proxied, Addressing],
): Ruleset {
  return {
    ...proxied,
    node,
    proxy,
    interfaces: [...network.interfaces, ...proxied.interfaces],
    routes: network.routes,
    neighbours: addressing.neighbours,
    fdb: network.fdb,
    get names() {
      return addressing.names;
    },
    diagnostics: [...diagnostics, ...network.diagnostics, ...proxied.diagnostics],
  };
}
