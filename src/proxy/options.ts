import type { Family, Ip } from "../net/ip.js";
import type { Prefix } from "../net/prefix.js";
import type { KubernetesVersion } from "./kubernetes-version.js";
import type { DetectLocal } from "./local-traffic.js";
import type { FeatureGates } from "./topology-hints.js";

/** What every mode is told, under the names of KubeProxyConfiguration where it has one. */
export interface ProxyOptions {
  /** Of the rules: kube-proxy runs once for each; default 4. */
  readonly family?: Family;
  /** Default 1.35. */
  readonly kubernetesVersion?: KubernetesVersion;
  readonly featureGates?: FeatureGates;
  /** Default false. */
  readonly masqueradeAll?: boolean;
  /** Which bit of a packet's mark says that it is to be masqueraded, 0 to 31; default 14. */
  readonly masqueradeBit?: number;
  /** Default ClusterCIDR. */
  readonly detectLocal?: DetectLocal;
  /** Default every local address, in mode nftables the primary one. */
  readonly nodePortAddresses?: readonly Prefix[];
  /** The node's local addresses except loopback, to pick from where nodePortAddresses are given. */
  readonly nodeAddresses?: readonly Ip[];
  /** The node's primary address of the family (bindAddress); default the Node's own. */
  readonly nodeIP?: Ip;
}

/** What mode iptables is told besides. */
export interface IptablesOptions extends ProxyOptions {
  /** iptables.localhostNodePorts: nodePorts answer on 127.0.0.0/8 too; default true. Never on ::1. */
  readonly localhostNodePorts?: boolean;
  /** conntrack.tcpBeLiberal: packets that conntrack calls INVALID are not dropped; default false. */
  readonly conntrackTcpBeLiberal?: boolean;
  /** The kernel has accounting objects, so that kube-proxy (1.32 and later) counts some packets; default false. */
  readonly nfacct?: boolean;
}

/** The mark of packets to masquerade. */
export function masqueradeMark(bit = 14): number {
  return 2 ** bit;
}
