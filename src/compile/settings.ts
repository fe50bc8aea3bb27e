import { type Configured, DEFAULT_CONNTRACK } from "../config/proxy-config.js";
import { sysctlsOf } from "../config/sysctls.js";
import { type Diagnostic, InputError } from "../diagnostics.js";
import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import { type Family, familyOf, type Ip } from "../net/ip.js";
import { hostPrefix, type Prefix, printPrefix } from "../net/prefix.js";
import type { IpvsSettings } from "../proxy/ipvs-node.js";
import { primaryAddress } from "../proxy/local-traffic.js";
import type { IptablesOptions } from "../proxy/options.js";
import type { IpvsTimeouts, Scheduler } from "../ruleset/ipvs.js";
import type { Interface } from "../ruleset/routes.js";
import type { Sysctls } from "../ruleset/sysctls.js";
import { type CompileOptions, networkOf } from "./options.js";

/** An object without the fields that are undefined. */
function given<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

/**
 * The options with what kube-proxy's configuration, given or the cluster's own, says where they are silent. InputError for a
 * configuration with which kube-proxy does not start in their mode.
 */
export function withConfig(options: CompileOptions, { proxyConfig: own }: Configured): CompileOptions {
  const { proxyConfig: config = own, ...said } = options;
  if (config === undefined) return options;
  const proxy = said.proxy ?? config.mode ?? "iptables";
  const { unknownScheduler } = config.ipvs;
  if (proxy === "ipvs" && said.ipvsScheduler === undefined && unknownScheduler !== undefined)
    throw new InputError([unknownScheduler]);
  const { masqueradeAll, masqueradeBit } = proxy === "nftables" ? config.nftables : config.iptables;
  const { nodePortAddresses } = config;
  return {
    ...given({
      node: config.nodeName,
      ipvsScheduler: config.ipvs.scheduler,
      masqueradeAll,
      masqueradeBit,
      detectLocal: config.detectLocal,
      nodePortAddresses: nodePortAddresses === "primary" ? ["primary"] : nodePortAddresses,
      localhostNodePorts: config.iptables.localhostNodePorts,
      conntrackTcpBeLiberal: config.conntrack.tcpBeLiberal,
      featureGates: config.featureGates,
      nodeIP: config.nodeIP,
    }),
    ...given(said),
    proxy,
    proxyConfig: config,
  };
}

/** The node's primary address of a family, which kube-proxy may have been told. */
function primaryOf(node: Node, { nodeIP }: CompileOptions, family: Family): Ip | undefined {
  return nodeIP !== undefined && familyOf(nodeIP) === family ? nodeIP : primaryAddress(node, family);
}

/**
 * Where nodePorts answer; undefined where that is not said. `primary` is each family's primary address alone; a family
 * without one is left open, as kube-proxy leaves it.
 */
export function nodePortPrefixes(node: Node, options: CompileOptions): readonly Prefix[] | undefined {
  const { nodePortAddresses = [] } = options;
  if (nodePortAddresses.length === 0) return undefined;
  if (!nodePortAddresses.includes("primary")) return nodePortAddresses.map(networkOf);
  const primaries = ([4, 6] as const).map((family) => primaryOf(node, options, family));
  return primaries.filter((ip) => ip !== undefined).map(hostPrefix);
}

/** What kube-proxy of one family is told, but for the addresses that the node has. */
export function proxyOptionsOf(node: Node, options: CompileOptions, family: Family): IptablesOptions {
  const { masqueradeAll, masqueradeBit, detectLocal, localhostNodePorts, conntrackTcpBeLiberal } = options;
  const { kubernetesVersion, featureGates, nfacct } = options;
  return given({
    family,
    nodeIP: primaryOf(node, options, family),
    nodePortAddresses: nodePortPrefixes(node, options),
    masqueradeAll,
    masqueradeBit,
    detectLocal,
    localhostNodePorts,
    conntrackTcpBeLiberal,
    kubernetesVersion,
    featureGates,
    nfacct,
  });
}

/** Tells where the cluster's Pods have several networks of a family: kube-proxy is told one. */
function guessedNetworkWarnings({ clusterCIDRs }: Cluster): readonly Diagnostic[] {
  return ([4, 6] as const).flatMap((family) => {
    const networks = clusterCIDRs.filter(({ address }) => familyOf(address) === family);
    const [taken, ...others] = networks.map(printPrefix);
    if (taken === undefined || others.length === 0) return [];
    const message = `is taken to be ${taken}, so that Pods of ${others.join(", ")} count as outsiders: give the network of all Pods by --proxy-config.`;
    return [{ severity: "warning", place: { object: "kube-proxy", field: "clusterCIDR" }, message }];
  });
}

/** Tells where Pods are known by a network that is guessed, or by an interface that the node does not have. */
export function detectorWarnings(
  cluster: Cluster,
  node: Node,
  { detectLocal = "ClusterCIDR" }: CompileOptions,
  interfaces: readonly Interface[],
): readonly Diagnostic[] {
  if (detectLocal === "ClusterCIDR") return guessedNetworkWarnings(cluster);
  if (typeof detectLocal !== "object") return [];
  const isBridge = "bridgeInterface" in detectLocal;
  if (!isBridge && !("interfaceNamePrefix" in detectLocal)) return [];
  const names = interfaces.map(({ name }) => name);
  const name = isBridge ? detectLocal.bridgeInterface : detectLocal.interfaceNamePrefix;
  if (names.some((one) => (isBridge ? one === name : one.startsWith(name)))) return [];
  const message = `no interface is called ${name}${isBridge ? "" : "…"} (there are ${names.join(", ")}), so that kube-proxy takes no packet for a local Pod's.`;
  return [{ severity: "warning", place: { object: `Node ${node.name}`, field: "detectLocal" }, message }];
}

/** What mode ipvs is told besides: timeouts of 0 leave the kernel's own. */
export function ipvsOptionsOf({ ipvsScheduler = "rr", proxyConfig }: CompileOptions): IpvsSettings & {
  readonly scheduler: Scheduler;
  readonly timeouts?: IpvsTimeouts;
} {
  if (proxyConfig === undefined) return { scheduler: ipvsScheduler };
  const { strictARP, tcpTimeout, tcpFinTimeout, udpTimeout } = proxyConfig.ipvs;
  const set = (seconds: number) => (seconds > 0 ? Math.trunc(seconds) : undefined);
  const timeouts = given({ tcp: set(tcpTimeout), tcpFin: set(tcpFinTimeout), udp: set(udpTimeout) });
  return {
    scheduler: ipvsScheduler,
    strictARP,
    ...(Object.keys(timeouts).length === 0 ? {} : { timeouts }),
  };
}

/** What kube-proxy sets of the node's kernel, whatever its mode. */
export function proxySysctls(node: Node, options: CompileOptions, families: readonly Family[]): Sysctls {
  const { proxyConfig, proxy = "iptables", localhostNodePorts = true } = options;
  const conntrack = proxyConfig?.conntrack ?? DEFAULT_CONNTRACK;
  const tcpBeLiberal = options.conntrackTcpBeLiberal ?? conntrack.tcpBeLiberal;
  return sysctlsOf(
    { ...conntrack, tcpBeLiberal },
    {
      mode: proxy,
      families: new Set(families),
      localhostNodePorts,
      nodePortAddresses: nodePortPrefixes(node, options) ?? [],
    },
  );
}
