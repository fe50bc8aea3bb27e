import { type FlannelOptions, flannel } from "./cni/flannel.js";
import type { NodeNetwork } from "./cni/network.js";
import { type Diagnostic, InputError } from "./diagnostics.js";
import type { Cluster } from "./model/cluster.js";
import type { Node } from "./model/node.js";
import { familyOf, type Ip } from "./net/ip.js";
import { type Prefix, parsePrefix } from "./net/prefix.js";
import { isProxied } from "./proxy/frontends.js";
import { compileIptables } from "./proxy/iptables.js";
import { compileIpvs } from "./proxy/ipvs.js";
import type { DetectLocal } from "./proxy/local-traffic.js";
import { compileNftables } from "./proxy/nftables.js";
import { SCHEDULERS, type Scheduler } from "./ruleset/ipvs.js";
import type { Interface } from "./ruleset/routes.js";
import { PROXY_MODES, type ProxyMode, type Ruleset } from "./ruleset/ruleset.js";

export interface CompileOptions {
  /** The node's name; default the cluster's first. */
  readonly node?: string;
  /** kube-proxy's mode; default `iptables`. */
  readonly proxy?: ProxyMode;
  /** The network plugin, alone or with its options; default `flannel`. */
  readonly cni?: "flannel" | ({ readonly plugin: "flannel" } & FlannelOptions);
  /** kube-proxy's --masquerade-all; default false. */
  readonly masqueradeAll?: boolean;
  /** kube-proxy's --detect-local-mode; default `ClusterCIDR`. */
  readonly detectLocal?: DetectLocal;
  /** kube-proxy's --ipvs-scheduler; default `rr`. Mode ipvs alone reads it. */
  readonly ipvsScheduler?: Scheduler;
  /** kube-proxy's --nodeport-addresses; default every address, in mode nftables the node's primary one. As text (192.0.2.0/24) or parsed. */
  readonly nodePortAddresses?: readonly (Prefix | string)[];
}

function refusal(message: string): InputError {
  return new InputError([{ severity: "error", place: {}, message }]);
}

/** Refuses words that the types do not allow, since plain JavaScript lets them through. */
function checkWords({ proxy, cni, detectLocal, ipvsScheduler }: CompileOptions): void {
  const plugin: unknown = typeof cni === "object" ? cni.plugin : cni;
  const detectors = ["ClusterCIDR", "NodeCIDR", "none"] as const;
  const words: readonly (readonly [string, unknown, readonly string[]])[] = [
    ["proxy", proxy, PROXY_MODES],
    ["cni", plugin, ["flannel"]],
    ["ipvsScheduler", ipvsScheduler, SCHEDULERS],
    ["detectLocal", typeof detectLocal === "object" ? undefined : detectLocal, detectors],
  ];
  for (const [name, word, known] of words) {
    if (word === undefined || known.some((one) => one === word)) continue;
    throw refusal(`${name}: «${String(word)}» is not known: name ${wordsOf(known)}.`);
  }
}

function wordsOf(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function networkOf(given: Prefix | string): Prefix {
  const prefix = typeof given === "string" ? parsePrefix(given) : given;
  if (prefix !== undefined) return prefix;
  throw refusal(`nodePortAddresses: «${given}» is not a network such as 192.0.2.0/24.`);
}

function findNode(cluster: Cluster, name: string | undefined): Node {
  const node = name === undefined ? cluster.nodes[0] : cluster.nodes.find((one) => one.name === name);
  if (node !== undefined) return node;
  const names = cluster.nodes.map((one) => one.name);
  const some = names.length > 10 ? [...names.slice(0, 10), `and ${names.length - 10} more`] : names;
  const message =
    names.length === 0
      ? "the cluster has no node to compile for: add one."
      : `no node is called «${name}»: name one of ${some.join(", ")}.`;
  throw refusal(message);
}

/** Every IPv4 address of the node but loopback's. */
function nodeAddressesOf(interfaces: readonly Interface[]): readonly Ip[] {
  return interfaces
    .filter(({ kind }) => kind !== "loopback")
    .flatMap(({ addresses }) => addresses.map(({ address }) => address))
    .filter((address) => familyOf(address) === 4);
}

/** Makes VIPs the node's own, so that packets to them come through INPUT, where IPVS waits. */
function dummyInterface(addresses: readonly Ip[]): Interface {
  // No frame is ever sent to it, so its MAC is of no account.
  return {
    name: "kube-ipvs0",
    kind: "dummy",
    mac: 0,
    mtu: 1500,
    addresses: addresses.map((address) => ({ address, length: 32 })),
  };
}

type Proxied = Pick<Ruleset, "iptables" | "ipsets" | "ipvs" | "nftables"> & {
  readonly interfaces: readonly Interface[];
  readonly diagnostics: readonly Diagnostic[];
};

function runProxy(
  cluster: Cluster,
  node: Node,
  nodeAddresses: readonly Ip[],
  options: CompileOptions,
): Proxied {
  const { proxy = "iptables", masqueradeAll, detectLocal, nodePortAddresses } = options;
  const proxyOptions = {
    nodeAddresses,
    ...(masqueradeAll === undefined ? {} : { masqueradeAll }),
    ...(detectLocal === undefined ? {} : { detectLocal }),
    ...(nodePortAddresses === undefined ? {} : { nodePortAddresses: nodePortAddresses.map(networkOf) }),
  };
  switch (proxy) {
    case "iptables":
      return { interfaces: [], ...compileIptables(cluster, node, proxyOptions) };
    case "nftables":
      return { interfaces: [], ...compileNftables(cluster, node, proxyOptions) };
    case "ipvs": {
      const scheduler = options.ipvsScheduler ?? "rr";
      const { dummyAddresses, ...made } = compileIpvs(cluster, node, { ...proxyOptions, scheduler });
      return { interfaces: [dummyInterface(dummyAddresses)], ...made };
    }
  }
}

/** The network's names and `svc/namespace/name` for the addresses of Services. */
function namesOf(cluster: Cluster, network: NodeNetwork): ReadonlyMap<Ip, string> {
  const names = new Map(network.names);
  for (const service of cluster.services.filter(isProxied)) {
    const ingress = service.loadBalancerIngress.map(({ ip }) => ip);
    for (const ip of [...service.clusterIPs, ...service.externalIPs, ...ingress]) {
      if (!names.has(ip)) names.set(ip, `svc/${service.namespace}/${service.name}`);
    }
  }
  return names;
}

/**
 * Compiles a cluster for one of its nodes: what kube-proxy and the network plugin would leave in that node's
 * kernel, IPv4. What of the cluster is not modelled is told in `diagnostics`. Throws InputError if there is no
 * such node, if the node lacks an IPv4 address or podCIDR, or for options that are not known.
 */
export function compile(cluster: Cluster, options: CompileOptions = {}): Ruleset {
  checkWords(options);
  const node = findNode(cluster, options.node);
  const cni = options.cni === undefined || options.cni === "flannel" ? {} : options.cni;
  const network = flannel(cluster, node, cni);
  const proxied = runProxy(cluster, node, nodeAddressesOf(network.interfaces), options);
  return {
    ...proxied,
    node: node.name,
    proxy: options.proxy ?? "iptables",
    interfaces: [...network.interfaces, ...proxied.interfaces],
    routes: network.routes,
    neighbours: network.neighbours,
    fdb: network.fdb,
    names: namesOf(cluster, network),
    diagnostics: [...cluster.diagnostics, ...network.diagnostics, ...proxied.diagnostics],
  };
}
