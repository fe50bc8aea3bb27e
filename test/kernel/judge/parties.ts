import type { Cluster } from "../../../src/model/cluster.js";
import type { Ip } from "../../../src/net/ip.js";
import { isProxied } from "../../../src/proxy/frontends.js";
import { ip } from "../../proxy/cluster-of.js";
import { NODE_WAY } from "./conversation.js";
import type { Dice } from "./dice.js";
import {
  BRIDGE_IP,
  EVEN_IP,
  GATEWAY_IP,
  IDLE_POD,
  NODE_IP,
  OTHER_NODE_IP,
  REMOTE_IDLE_POD,
} from "./drawn-node.js";
import type { Protocol } from "./segment.js";

/** Whoever sends: an address, and the interface that its packets come in by. */
export interface Source {
  readonly address: Ip;
  readonly way: string;
}

/** Whatever is asked. */
export interface Destination {
  readonly address: Ip;
  readonly port: number;
  readonly protocol: Protocol;
}

const UPLINK = "eth0";
const BRIDGE = "cni0";
/** Hosts of the node's own subnet that are no nodes. */
export const GUESTS = ["172.18.5.1", "172.18.5.2"];
const OUTSIDERS = [
  ...Array.from({ length: 12 }, (_, index) => `203.0.113.${index * 3 + 1}`),
  ...Array.from({ length: 8 }, (_, index) => `198.51.100.${index * 2 + 1}`),
];
const ABROAD = ["198.18.7.7", "8.8.4.4"];

const sourceOf = (way: string) => (address: string) => ({ way, address: ip(address) });

/** Who may send to this destination: the node's own loopback address only talks to the node. */
function ownSources(to: Ip): Source[] {
  const own = [NODE_IP, BRIDGE_IP].map(ip);
  const isLoopback = typeof to === "number" && to >>> 24 === 127;
  if (isLoopback) return [{ way: NODE_WAY, address: ip("127.0.0.1") }];
  const sources = own.map((address) => ({ way: NODE_WAY, address }));
  return own.includes(to) ? [{ way: NODE_WAY, address: to }] : sources;
}

/** Draws who sends. */
export class Sources {
  readonly #pods: readonly Source[];
  readonly #remotePods: readonly Source[];
  readonly #outsiders = [...OUTSIDERS, ...GUESTS].map(sourceOf(UPLINK));
  readonly #neighbours = [OTHER_NODE_IP, GATEWAY_IP].map(sourceOf(UPLINK));

  constructor(cluster: Cluster) {
    const podsOf = (name: string, way: string) =>
      cluster.pods
        .filter(({ nodeName }) => nodeName === name)
        .flatMap(({ podIPs }) => podIPs.map((address) => ({ way, address })));
    this.#pods = podsOf("worker-1", BRIDGE);
    this.#remotePods = podsOf("worker-2", UPLINK);
  }

  draw(dice: Dice, to: Ip): Source {
    const kinds = [
      [4, this.#pods],
      [5, this.#outsiders],
      [1, this.#remotePods],
      [1, this.#neighbours],
      [2, ownSources(to)],
    ] as const;
    const isLoopback = typeof to === "number" && to >>> 24 === 127;
    return dice.of(isLoopback ? ownSources(to) : dice.weighted(kinds));
  }

  /** Of the node's Pods: whoever has no rule of its own. */
  get pods(): readonly Source[] {
    return this.#pods;
  }
}

/** Everything that the cluster's Services answer on, with the nodePorts on every address. */
function frontendsOf(cluster: Cluster): Destination[] {
  const hosts = [NODE_IP, NODE_IP, BRIDGE_IP, OTHER_NODE_IP, "127.0.0.1"].map(ip);
  return cluster.services.filter(isProxied).flatMap((service) => {
    const addresses = [
      ...service.clusterIPs,
      ...service.clusterIPs,
      ...service.externalIPs,
      ...service.loadBalancerIngress.flatMap(({ ip: address }) => (address === undefined ? [] : [address])),
    ];
    const healthCheck = { port: service.healthCheckNodePort, protocol: "TCP" as const };
    return service.ports.flatMap(({ port, protocol, nodePort }) => [
      ...addresses.map((address) => ({ address, port, protocol })),
      ...(nodePort === 0 ? [] : hosts.map((address) => ({ address, port: nodePort, protocol }))),
      ...(healthCheck.port === 0 ? [] : [{ address: ip(NODE_IP), ...healthCheck }]),
    ]);
  });
}

/** Draws what is asked. */
export class Destinations {
  readonly #frontends: readonly Destination[];
  readonly #hosts: readonly Ip[];

  constructor(cluster: Cluster) {
    this.#frontends = frontendsOf(cluster);
    const pods = [IDLE_POD, REMOTE_IDLE_POD, "10.244.1.8", "10.244.2.8"];
    const unallocated = ["10.96.0.5", "10.97.3.4", EVEN_IP];
    this.#hosts = [...pods, ...unallocated, ...ABROAD, NODE_IP, BRIDGE_IP, OTHER_NODE_IP, "127.0.0.1"].map(
      ip,
    );
  }

  draw(dice: Dice): Destination {
    const frontend = dice.of(this.#frontends);
    const protocol = dice.of(["TCP", "UDP"] as const);
    return dice.weighted<() => Destination>([
      [78, () => frontend],
      [4, () => ({ ...frontend, port: frontend.port + 1 })],
      [3, () => ({ ...frontend, protocol: frontend.protocol === "TCP" ? "UDP" : "TCP" })],
      [4, () => ({ ...frontend, protocol: "ICMP" as const, port: 0 })],
      [2, () => ({ address: dice.of(this.#hosts), protocol: "ICMP" as const, port: 0 })],
      [9, () => ({ address: dice.of(this.#hosts), protocol, port: dice.of([80, 53, 8080, 30_000]) })],
    ])();
  }
}

/** Ports of whoever sends, each once for an address: a tuple that comes again is a known connection. */
export class Ports {
  readonly #taken = new Set<string>();

  /** A port of one of the kernel's classes (1 … 511, 512 … 1023, 1024 … 65535). */
  draw(dice: Dice, address: Ip): number {
    while (true) {
      const [low, count] = dice.weighted([
        [1, [1, 511]],
        [1, [512, 512]],
        [10, [1024, 64_512]],
      ] as const);
      const port = low + dice.below(count);
      const key = `${address}:${port}`;
      if (!this.#taken.has(key)) {
        this.#taken.add(key);
        return port;
      }
      if (this.#taken.size > 500_000) throw new Error("No ports are left to draw from.");
    }
  }
}
