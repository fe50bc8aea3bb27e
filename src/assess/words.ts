import type { Topic } from "../diff/topic.js";
import { TOPICS } from "../diff/topic.js";
import type { AssessedEffect } from "../report/assessment.js";
import type { Category } from "./category.js";

/** What a node may leave IPVS for. */
export const TARGET_MODES = ["nftables", "iptables"] as const;
export type TargetMode = (typeof TARGET_MODES)[number];

export const TITLES: Readonly<Record<Category, string>> = {
  connections: "Connections that are open at the switch",
  "traffic-policy": "Traffic policies",
  "node-ports": "Addresses of nodePorts",
  scheduler: "Schedulers without an equal",
  affinity: "Session affinity",
  refusals: "Ports and addresses that nobody serves",
  foreign: "Virtual servers of no Service",
  other: "What else changes",
};

const TEXTS: Readonly<Record<Category, (to: TargetMode) => string>> = {
  connections: () =>
    "kube-proxy flushes IPVS when it leaves that mode, and the kernel forgets IPVS' connections and what conntrack knew of them. The next packet of each is taken for the first of a new connection.",
  "traffic-policy": () =>
    "Without a local endpoint IPVS falls back to those of other nodes; the other modes drop what comes from outside, and let the node and its Pods ask every endpoint.",
  "node-ports": (to) =>
    to === "nftables"
      ? "IPVS answers nodePorts on every address of the node but loopback; mode nftables on its primary addresses alone, unless nodePortAddresses says otherwise."
      : "Mode iptables answers nodePorts on every address of the node, unless told otherwise on 127.0.0.0/8 too.",
  scheduler: (to) =>
    `Mode ${to} knows no schedulers: it draws the endpoint of each new connection, whatever others there are.`,
  affinity: () =>
    "IPVS remembers clients for each address of a Service, and as long as they are connected; the other modes for all addresses of a Service's port together, from the client's latest new connection on.",
  refusals: (to) =>
    to === "nftables"
      ? "IPVS makes Services' addresses the node's own and refuses what nobody serves there. In mode nftables they are nobody's: unknown ports of ClusterIPs are still refused, other addresses of the Services' network are dropped, and all else passes on."
      : "IPVS makes Services' addresses the node's own and refuses what nobody serves there. In mode iptables they are nobody's: what no rule knows passes on.",
  foreign: () =>
    "These were not made for a Service. kube-proxy flushes all virtual servers of the node when it leaves mode ipvs.",
  other: () => "",
};

export function textOf(category: Category, to: TargetMode): string {
  return TEXTS[category](to);
}

const RANGES = 'nodePortAddresses: [0.0.0.0/0, "::/0"]';

const ADVICE: Readonly<Partial<Record<Topic, (to: TargetMode) => string>>> = {
  "open-connection": () =>
    "Drain the node before its kube-proxy changes the mode, or change it where clients connect anew without harm.",
  "local-policy-outside": () =>
    "Let the load balancer ask healthCheckNodePort, run an endpoint on every node that it sends to, or set externalTrafficPolicy: Cluster.",
  "local-policy-pod": () => "See that endpoints of other nodes may answer Pods here, too.",
  "local-policy-node": () => "See that endpoints of other nodes may answer the node, too.",
  "cluster-ip": () => "Run an endpoint on every node that asks, or set internalTrafficPolicy: Cluster.",
  "node-port-addresses": (to) =>
    to === "nftables" ? `Set ${RANGES} in kube-proxy's configuration to answer on all of them.` : "",
  "node-port-localhost": () =>
    "Set iptables.localhostNodePorts: false in kube-proxy's configuration to refuse them.",
  "affinity-refresh": () =>
    "Raise sessionAffinityConfig.clientIP.timeoutSeconds where clients stay connected for longer than that.",
  "unknown-port": () => "Clients that ask a wrong port may wait for long where they were refused at once.",
  "foreign-server": () => "Move it to another node before kube-proxy changes its mode.",
  "health-check-node-port": () =>
    "Where the node's own firewall drops what no rule accepts, let the health checks' port in.",
};

export function adviceOn(topic: Topic, to: TargetMode): string {
  return ADVICE[topic]?.(to) ?? "";
}

const CHANGES: Readonly<Record<AssessedEffect, string>> = {
  breaks: "is not served any more",
  opens: "is served, and was not",
  moves: "may go to another endpoint, or come from another port, and belongs to no connection there",
  changes: "is served otherwise",
  "refused otherwise": "is refused otherwise",
};

/** What a finding is about, as a sentence. */
export function aboutOf(topic: Topic, effect: AssessedEffect): string {
  const words = TOPICS[topic];
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}: it ${CHANGES[effect]}.`;
}
