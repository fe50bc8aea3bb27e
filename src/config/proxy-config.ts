import type { Diagnostic } from "../diagnostics.js";
import type { Ip } from "../net/ip.js";
import type { Prefix } from "../net/prefix.js";
import type { DetectLocal } from "../proxy/local-traffic.js";
import type { FeatureGates } from "../proxy/topology-hints.js";
import type { Scheduler } from "../ruleset/ipvs.js";
import type { ProxyMode } from "../ruleset/ruleset.js";

/** What a mode does about masquerade. */
export interface MasqueradeConfig {
  readonly masqueradeBit: number;
  readonly masqueradeAll: boolean;
}

/** Durations in seconds; 0 leaves the kernel's own. */
export interface IpvsConfig {
  readonly scheduler: Scheduler;
  /** Why kube-proxy would not start in mode ipvs, the only one in which it asks its kernel for the scheduler. */
  readonly unknownScheduler?: Diagnostic;
  readonly excludeCIDRs: readonly Prefix[];
  readonly strictARP: boolean;
  readonly tcpTimeout: number;
  readonly tcpFinTimeout: number;
  readonly udpTimeout: number;
}

/** Durations in seconds; 0 leaves the kernel's own. */
export interface ConntrackConfig {
  readonly maxPerCore: number;
  readonly min: number;
  readonly tcpEstablishedTimeout: number;
  readonly tcpCloseWaitTimeout: number;
  readonly tcpBeLiberal: boolean;
  readonly udpTimeout: number;
  readonly udpStreamTimeout: number;
}

/** What kube-proxy does where nothing is said: established connections live for a day, not for the kernel's five. */
export const DEFAULT_CONNTRACK: ConntrackConfig = {
  maxPerCore: 32 * 1024,
  min: 128 * 1024,
  tcpEstablishedTimeout: 86400,
  tcpCloseWaitTimeout: 3600,
  tcpBeLiberal: false,
  udpTimeout: 0,
  udpStreamTimeout: 0,
};

/** A KubeProxyConfiguration with its defaults: what of it packets depend on. */
export interface ProxyConfig {
  /** undefined: not said, which is iptables. */
  readonly mode: ProxyMode | undefined;
  /** hostnameOverride: the name of the Node that kube-proxy runs on. */
  readonly nodeName: string | undefined;
  /** bindAddress, where it names one: the node's primary address of its family. */
  readonly nodeIP: Ip | undefined;
  readonly featureGates: FeatureGates;
  /** With what it needs: ClusterCIDR with clusterCIDR, BridgeInterface with its name. */
  readonly detectLocal: DetectLocal;
  /** Empty where none is said, which means every address, in mode nftables the primary ones. */
  readonly nodePortAddresses: readonly Prefix[] | "primary";
  readonly iptables: MasqueradeConfig & { readonly localhostNodePorts: boolean };
  readonly nftables: MasqueradeConfig;
  readonly ipvs: IpvsConfig;
  readonly conntrack: ConntrackConfig;
  /** Notes and warnings met while reading. */
  readonly diagnostics: readonly Diagnostic[];
}

/** What may know the configuration of its nodes' kube-proxies: a cluster whose objects hold it. */
export interface Configured {
  readonly proxyConfig?: ProxyConfig;
}
