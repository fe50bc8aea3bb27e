import type { FlannelOptions } from "../cni/flannel.js";
import { InputError } from "../diagnostics.js";
import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import { type Prefix, parsePrefix } from "../net/prefix.js";
import type { DetectLocal } from "../proxy/local-traffic.js";
import { SCHEDULERS, type Scheduler } from "../ruleset/ipvs.js";
import { PROXY_MODES, type ProxyMode } from "../ruleset/ruleset.js";

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
export function checkWords({ proxy, cni, detectLocal, ipvsScheduler }: CompileOptions): void {
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

export function networkOf(given: Prefix | string): Prefix {
  const prefix = typeof given === "string" ? parsePrefix(given) : given;
  if (prefix !== undefined) return prefix;
  throw refusal(`nodePortAddresses: «${given}» is not a network such as 192.0.2.0/24.`);
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
