import { flannel } from "../cni/flannel.js";
import type { NodeNetwork } from "../cni/network.js";
import type { Configured } from "../config/proxy-config.js";
import type { Sysctls } from "../config/sysctls.js";
import type { Fragment, FrontEnd } from "../fragment/front-end.js";
import { joint } from "../fragment/joint.js";
import type { Cluster } from "../model/cluster.js";
import { familyOf, type Ip } from "../net/ip.js";
import type { Interface } from "../ruleset/routes.js";
import type { ProxyMode, Ruleset } from "../ruleset/ruleset.js";
import { type Addressing, addressingFrontEnd } from "./addressing.js";
import { type CompileOptions, checkWords, findNode } from "./options.js";
import { type Proxied, proxyFrontEnd } from "./proxied.js";
import { proxySysctls, withConfig } from "./settings.js";

/** A node to compile for: what its network is without Services, and the front end that adds them. */
export interface Target {
  readonly node: string;
  readonly proxy: ProxyMode;
  readonly network: NodeNetwork;
  /** What kube-proxy sets of the kernel. */
  readonly sysctls: Sysctls;
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
export function targetOf(cluster: Cluster & Configured, said: CompileOptions): Target {
  checkWords(said);
  const options = withConfig(said, cluster);
  const node = findNode(cluster, options.node);
  const cni = options.cni === undefined || options.cni === "flannel" ? {} : options.cni;
  const network = flannel(cluster, node, cni);
  return {
    node: node.name,
    proxy: options.proxy ?? "iptables",
    network,
    sysctls: proxySysctls(node, options, [4]),
    frontEnd: joint(
      proxyFrontEnd(cluster, node, nodeAddressesOf(network.interfaces), options),
      addressingFrontEnd(network),
    ),
  };
}

/** The whole ruleset, of what the front end made. */
export function rulesetOf(
  { node, proxy, network, sysctls }: Target,
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
    sysctls,
    get names() {
      return addressing.names;
    },
    diagnostics: [...diagnostics, ...network.diagnostics, ...proxied.diagnostics],
  };
}
