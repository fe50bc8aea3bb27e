import { flannel } from "../cni/flannel.js";
import type { NodeNetwork } from "../cni/network.js";
import type { Configured } from "../config/proxy-config.js";
import type { Diagnostic } from "../diagnostics.js";
import type { Fragment, FrontEnd } from "../fragment/front-end.js";
import type { Cluster } from "../model/cluster.js";
import type { Ip } from "../net/ip.js";
import { type KubernetesVersion, LATEST_KUBERNETES } from "../proxy/kubernetes-version.js";
import type { Interface } from "../ruleset/routes.js";
import type { ProxyMode, Ruleset } from "../ruleset/ruleset.js";
import type { Sysctls } from "../ruleset/sysctls.js";
import { type Addressing, addressingFrontEnd } from "./addressing.js";
import { addressesOf, type CompileOptions, checkWords, findNode } from "./options.js";
import { joinProxied, type Proxied, proxyFrontEnds } from "./proxied.js";
import { detectorWarnings, proxySysctls, withConfig } from "./settings.js";

/** A node to compile for: what its network is without Services, and the front ends that add them. */
export interface Target {
  readonly node: string;
  readonly proxy: ProxyMode;
  readonly kubernetesVersion: KubernetesVersion;
  readonly network: NodeNetwork;
  /** What kube-proxy sets of the kernel. */
  readonly sysctls: Sysctls;
  /** What is told of the options. */
  readonly diagnostics: readonly Diagnostic[];
  /** One a family: kube-proxy runs once for each. */
  readonly proxies: readonly FrontEnd<Fragment, Proxied>[];
  readonly addressing: FrontEnd<Fragment, Addressing>;
}

/** Every address of the node but loopback's. */
function nodeAddressesOf(interfaces: readonly Interface[]): readonly Ip[] {
  return interfaces
    .filter(({ kind }) => kind !== "loopback")
    .flatMap(({ addresses }) => addresses.map(({ address }) => address));
}

/**
 * The node that the options name. Throws InputError if there is no such node, if there is no family in which it has an
 * address and a podCIDR, or for options that are not known.
 */
export function targetOf(cluster: Cluster & Configured, said: CompileOptions): Target {
  checkWords(said);
  const options = withConfig(said, cluster);
  const node = findNode(cluster, options.node);
  const cni = options.cni === undefined || options.cni === "flannel" ? {} : options.cni;
  const network = flannel(cluster, node, cni, addressesOf(options));
  const nodeAddresses = nodeAddressesOf(network.interfaces);
  return {
    node: node.name,
    proxy: options.proxy ?? "iptables",
    kubernetesVersion: options.kubernetesVersion ?? LATEST_KUBERNETES,
    network,
    sysctls: proxySysctls(node, options, network.families),
    diagnostics: detectorWarnings(cluster, node, options, network.interfaces),
    proxies: proxyFrontEnds(cluster, node, { families: network.families, nodeAddresses }, options),
    addressing: addressingFrontEnd(network),
  };
}

/** The whole ruleset, of what the front ends made. */
export function rulesetOf(
  { node, proxy, network, sysctls, diagnostics: ofOptions }: Target,
  { diagnostics }: Pick<Cluster, "diagnostics">,
  parts: readonly Proxied[],
  addressing: Addressing,
): Ruleset {
  const proxied = joinProxied(parts);
  return {
    ...proxied,
    node,
    proxy,
    interfaces: [...network.interfaces, ...proxied.interfaces],
    routes: network.routes,
    neighbours: addressing.neighbours,
    fdb: network.fdb,
    sysctls: { ...proxied.sysctls, ...sysctls },
    get names() {
      return addressing.names;
    },
    diagnostics: [...diagnostics, ...ofOptions, ...network.diagnostics, ...proxied.diagnostics],
  };
}
