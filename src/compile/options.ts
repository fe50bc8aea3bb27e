import type { FlannelOptions } from "../cni/flannel.js";
import type { ProxyConfig } from "../config/proxy-config.js";
import { InputError } from "../diagnostics.js";
import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import { type Ip, parseIp } from "../net/ip.js";
import { type Prefix, parsePrefix } from "../net/prefix.js";
import { KUBERNETES_VERSIONS, type KubernetesVersion } from "../proxy/kubernetes-version.js";
import type { DetectLocal } from "../proxy/local-traffic.js";
import type { FeatureGates } from "../proxy/topology-hints.js";
import { SCHEDULERS, type Scheduler } from "../ruleset/ipvs.js";
import { PROXY_MODES, type ProxyMode } from "../ruleset/ruleset.js";

export interface CompileOptions {
  /** The node's name; default the cluster's first. */
  readonly node?: string;
  /** kube-proxy's mode; default `iptables`. */
  readonly proxy?: ProxyMode;
  /** The network plugin, alone or with its options; default `flannel`. */
  readonly cni?: "flannel" | ({ readonly plugin: "flannel" } & FlannelOptions);
  /** Whose kube-proxy is followed; default 1.35. */
  readonly kubernetesVersion?: KubernetesVersion;
  /** kube-proxy's configuration (parseProxyConfig), default the cluster's own; what is said here beside it wins. */
  readonly proxyConfig?: ProxyConfig;
  /** kube-proxy's --feature-gates. */
  readonly featureGates?: FeatureGates;
  /** kube-proxy's --bind-address: the node's primary address of its family; default the Node's own. */
  readonly nodeIP?: Ip;
  /** Further addresses of the node, on its uplink: as text, or parsed. */
  readonly localAddresses?: readonly (Ip | string)[];
  /** kube-proxy's --masquerade-all; default false. */
  readonly masqueradeAll?: boolean;
  /** kube-proxy's --iptables-masquerade-bit, 0 to 31; default 14. */
  readonly masqueradeBit?: number;
  /** kube-proxy's --detect-local-mode; default `ClusterCIDR`. */
  readonly detectLocal?: DetectLocal;
  /** kube-proxy's --ipvs-scheduler; default `rr`. Mode ipvs alone reads it. */
  readonly ipvsScheduler?: Scheduler;
  /** kube-proxy's --iptables-localhost-nodeports; default true. Mode iptables alone reads it. */
  readonly localhostNodePorts?: boolean;
  /** kube-proxy's --conntrack-tcp-be-liberal; default false. */
  readonly conntrackTcpBeLiberal?: boolean;
  /** The node's kernel has accounting objects, by which kube-proxy (1.32 and later) counts in mode iptables; default false. */
  readonly nfacct?: boolean;
  /** kube-proxy's --nodeport-addresses; default every address, in mode nftables the node's primary one. As text (192.0.2.0/24, primary) or parsed. */
  readonly nodePortAddresses?: readonly (Prefix | string)[];
}

function refusal(message: string): InputError {
  return new InputError([{ severity: "error", place: {}, message }]);
}

/** Refuses words that the types do not allow, since plain JavaScript lets them through. */
export function checkWords(options: CompileOptions): void {
  const { proxy, cni, detectLocal, ipvsScheduler, kubernetesVersion, masqueradeBit = 0 } = options;
  const plugin: unknown = typeof cni === "object" ? cni.plugin : cni;
  const detectors = ["ClusterCIDR", "NodeCIDR", "none"] as const;
  const words: readonly (readonly [string, unknown, readonly string[]])[] = [
    ["proxy", proxy, PROXY_MODES],
    ["cni", plugin, ["flannel"]],
    ["ipvsScheduler", ipvsScheduler, SCHEDULERS],
    ["kubernetesVersion", kubernetesVersion, KUBERNETES_VERSIONS],
    ["detectLocal", typeof detectLocal === "object" ? undefined : detectLocal, detectors],
  ];
  for (const [name, word, known] of words) {
    if (word === undefined || known.some((one) => one === word)) continue;
    throw refusal(`${name}: «${String(word)}» is not known: name ${wordsOf(known)}.`);
  }
  if (Number.isInteger(masqueradeBit) && masqueradeBit >= 0 && masqueradeBit <= 31) return;
  throw refusal(`masqueradeBit: ${masqueradeBit} is no bit of a mark: name one from 0 to 31.`);
}

function wordsOf(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

export function networkOf(given: Prefix | string): Prefix {
  const prefix = typeof given === "string" ? parsePrefix(given) : given;
  if (prefix !== undefined) return prefix;
  throw refusal(`nodePortAddresses: «${given}» is not a network such as 192.0.2.0/24.`);
}

/** The further addresses of the node. InputError for what is none. */
export function addressesOf({ localAddresses = [] }: CompileOptions): readonly Ip[] {
  return localAddresses.map((given) => {
    const address = typeof given === "string" ? parseIp(given) : given;
    if (address !== undefined) return address;
    throw refusal(`localAddresses: «${given}» is not an address such as 192.0.2.7 or 2001:db8::7.`);
  });
}

export function findNode(cluster: Cluster, name: string | undefined): Node {
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
