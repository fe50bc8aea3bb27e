import type { CompileOptions } from "../../../src/compile.js";
import type { Cluster } from "../../../src/model/cluster.js";
import type { Pod } from "../../../src/model/pod.js";
import type { Family } from "../../../src/net/ip.js";
import { ClusterBuilder, type ServiceFields } from "../../proxy/cluster-of.js";
import type { Dice } from "./dice.js";
import { addressIn, textIn, textInAll } from "./in-family.js";

export const NODE = "worker-1";
export const NODE_IP = "172.18.0.2";
export const OTHER_NODE_IP = "172.18.0.3";
export const BRIDGE_IP = "10.244.1.1";
export const GATEWAY_IP = "172.18.0.1";
/** Pods of both nodes that are nobody's endpoints. */
export const IDLE_POD = "10.244.1.100";
export const REMOTE_IDLE_POD = "10.244.2.100";

const LOCAL_PODS = Array.from({ length: 9 }, (_, index) => `10.244.1.${index + 7}`);
const REMOTE_PODS = Array.from({ length: 9 }, (_, index) => `10.244.2.${index + 7}`);

const STATES = [
  [80, ""],
  [8, " !ready !serving"],
  [7, " !ready terminating"],
  [5, " !ready !serving terminating"],
] as const;

const SHAPES = [
  [5, "TCP"],
  [4, "UDP"],
  [1, "SCTP"],
] as const;

/** A node under test: its cluster, and how it is compiled. */
export interface DrawnNode {
  readonly cluster: Cluster;
  readonly options: CompileOptions;
}

function podOf(families: readonly Family[], address: string): Pod {
  return {
    namespace: "shop",
    name: `pod-${address.replaceAll(".", "-")}`,
    labels: new Map(),
    nodeName: address.startsWith("10.244.1.") ? NODE : "worker-2",
    hostNetwork: false,
    podIPs: families.map((family) => addressIn(family, address)),
    ports: [],
    ready: true,
    terminating: false,
  };
}

/** Endpoints of one Service: Pods of both nodes, sometimes a node itself, in all states; none in one of eight. */
function drawEndpoints(dice: Dice): string[] {
  if (dice.percent(12)) return [];
  const local = dice.some(LOCAL_PODS, dice.below(4)).map((address) => `${address}@${NODE}`);
  const remote = dice.some(REMOTE_PODS, dice.below(4)).map((address) => `${address}@worker-2`);
  const nodes = [`${NODE_IP}@${NODE}`, `${OTHER_NODE_IP}@worker-2`].filter(() => dice.percent(6));
  const isQuiet = dice.percent(12);
  return [...local, ...remote, ...nodes].map((endpoint) =>
    isQuiet ? `${endpoint} !ready terminating` : `${endpoint}${dice.weighted(STATES)}`,
  );
}

const RANGES = [
  "203.0.113.0/28",
  "203.0.113.0/24 10.244.0.0/16",
  "198.51.100.8/29 203.0.113.7/32",
  `${NODE_IP}/32 203.0.113.0/29`,
] as const;

/** Ranges of all families, sometimes of one alone, which leaves the others open. */
function drawRanges(dice: Dice, families: readonly Family[]): string {
  const range = dice.of(RANGES);
  return dice.percent(25) ? textIn(dice.of([4, 6] as const), range) : textInAll(families, range);
}

/** What is drawn of. */
export interface NodeFeatures {
  readonly families: readonly Family[];
  /** Session affinity. */
  readonly hasAffinity: boolean;
}

function drawFields(
  dice: Dice,
  index: number,
  protocol: string,
  { families, hasAffinity }: NodeFeatures,
): ServiceFields {
  const all = (text: string) => textInAll(families, text);
  const type = dice.weighted([
    [3, "ClusterIP"],
    [4, "NodePort"],
    [5, "LoadBalancer"],
  ] as const);
  const nodePorts = type !== "ClusterIP";
  const isBalanced = type === "LoadBalancer";
  const ports = [`main:${dice.of([80, 443, 8080])}/${protocol}${nodePorts ? `>${30_000 + index}` : ""}`];
  if (dice.percent(25)) ports.push(`side:9090/${protocol}${nodePorts ? `>${31_000 + index}` : ""}`);
  return {
    type,
    clusterIPs: all(`10.96.0.${index + 10}`),
    ports: ports.join(" "),
    ...(dice.percent(40) ? { externalIPs: all(`192.0.2.${index + 10}`) } : {}),
    ...(isBalanced ? { ingress: all(`192.0.2.${index + 110}${dice.percent(10) ? "!" : ""}`) } : {}),
    ...(isBalanced && dice.percent(45) ? { sourceRanges: drawRanges(dice, families) } : {}),
    ...(isBalanced && dice.percent(50) ? { healthCheckNodePort: 32_000 + index } : {}),
    ...(dice.percent(40) ? { externalTrafficPolicy: "Local" as const } : {}),
    ...(dice.percent(20) ? { internalTrafficPolicy: "Local" as const } : {}),
    ...(hasAffinity && dice.percent(20) ? { affinitySeconds: dice.of([60, 10_800]) } : {}),
  };
}

/** Those with addresses as text. */
type DrawnOptions = Omit<CompileOptions, "nodePortAddresses"> & {
  readonly nodePortAddresses?: readonly string[];
};

const OPTIONS: readonly (readonly [number, DrawnOptions])[] = [
  [5, {}],
  [2, { masqueradeAll: true }],
  [2, { detectLocal: "none" }],
  [1, { detectLocal: "NodeCIDR" }],
  [1, { nodePortAddresses: [`${NODE_IP}/32`] }],
  [1, { nodePortAddresses: ["172.16.0.0/12", "127.0.0.0/8"] }],
];

const SCHEDULERS = ["sh", "mh", "dh", "rr", "wrr"] as const;

/** A cluster of two nodes with Services of every kind, and options of kube-proxy's. */
export function drawNode(dice: Dice, services: number, features: NodeFeatures): DrawnNode {
  const { families } = features;
  const all = (text: string) => textInAll(families, text);
  const builder = new ClusterBuilder()
    .clusterCIDRs(all("10.244.0.0/16"))
    .serviceCIDRs(all("10.96.0.0/12"))
    .node(NODE, all(NODE_IP), all("10.244.1.0/24"))
    .node("worker-2", all(OTHER_NODE_IP), all("10.244.2.0/24"));
  const slice = (name: string, port: string, endpoints: readonly string[]) => {
    for (const family of families) {
      builder.slice(name, port, ...endpoints.map((endpoint) => textIn(family, endpoint)));
    }
  };
  for (let index = 0; index < services; index += 1) {
    const name = `shop/web-${index}`;
    const protocol = dice.weighted(SHAPES);
    builder.service(name, drawFields(dice, index, protocol, features));
    slice(name, `main:${dice.of([80, 8080])}/${protocol}`, drawEndpoints(dice));
    slice(name, `side:9090/${protocol}`, drawEndpoints(dice));
  }
  // One Service whose every endpoint is taken as often: the draws are counted there.
  builder.service("shop/even", { clusterIPs: all(EVEN_IP), ports: "main:80" });
  slice(
    "shop/even",
    "main:8080",
    LOCAL_PODS.slice(0, EVEN_ENDPOINTS).map((address) => `${address}@${NODE}`),
  );
  builder.service("shop/none", { clusterIPs: all(NONE_IP), ports: "main:80" });
  const pods = [...LOCAL_PODS, ...REMOTE_PODS, IDLE_POD, REMOTE_IDLE_POD].map((address) =>
    podOf(families, address),
  );
  const { nodePortAddresses, ...drawn } = dice.weighted(OPTIONS);
  const addresses = nodePortAddresses?.flatMap((text) => families.map((family) => textIn(family, text)));
  const options = {
    ...drawn,
    ...(addresses === undefined ? {} : { nodePortAddresses: addresses }),
    ipvsScheduler: dice.of(SCHEDULERS),
    node: NODE,
  };
  return { cluster: { ...builder.build(), pods }, options };
}

/** ClusterIP of the Service that has no endpoint. */
export const NONE_IP = "10.96.0.251";
/** ClusterIP of the Service that shows how endpoints are drawn, and how many it has. */
export const EVEN_IP = "10.96.0.250";
export const EVEN_ENDPOINTS = 5;
