import type { Cluster } from "../../../src/model/cluster.js";
import { type Family, familyOf, type Ip } from "../../../src/net/ip.js";
import { isProxied } from "../../../src/proxy/frontends.js";
import { NODE_WAY } from "./conversation.js";
import type { Dice } from "./dice.js";
import {
  BRIDGE_IP,
  EVEN_IP,
  GATEWAY_IP,
  IDLE_POD,
  NODE,
  NODE_IP,
  OTHER_NODE_IP,
  REMOTE_IDLE_POD,
} from "./drawn-node.js";
import { addressIn } from "./in-family.js";
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

export const UPLINK = "eth0";
const BRIDGE = "cni0";
/** Hosts of the node's own subnet that are no nodes. */
export const GUESTS = ["172.18.5.1", "172.18.5.2"];
const OUTSIDERS = [
  ...Array.from({ length: 12 }, (_, index) => `203.0.113.${index * 3 + 1}`),
  ...Array.from({ length: 8 }, (_, index) => `198.51.100.${index * 2 + 1}`),
];
const ABROAD = ["198.18.7.7", "8.8.4.4"];

const LOOPBACK = "127.0.0.1";
/** IPVS schedules nothing that comes from here. */
export const PORT_FTP_DATA = 20;

/** Draws who sends. */
export class Sources {
  readonly #pods: readonly Source[];
  readonly #remotePods: readonly Source[];
  readonly #outsiders: readonly Source[];
  readonly #neighbours: readonly Source[];
  readonly #own: readonly Source[];
  readonly #loopback: Source;

  /** `tunnel` is the way that packets of the other node's Pods come by. */
  constructor(cluster: Cluster, family: Family, tunnel: string) {
    const by = (way: string) => (text: string) => ({ way, address: addressIn(family, text) });
    const podsOf = (name: string, way: string) =>
      cluster.pods
        .filter(({ nodeName }) => nodeName === name)
        .flatMap(({ podIPs }) => podIPs.filter((address) => familyOf(address) === family))
        .map((address) => ({ way, address }));
    this.#pods = podsOf(NODE, BRIDGE);
    this.#remotePods = podsOf("worker-2", tunnel);
    this.#outsiders = [...OUTSIDERS, ...GUESTS].map(by(UPLINK));
    this.#neighbours = [OTHER_NODE_IP, GATEWAY_IP].map(by(UPLINK));
    this.#own = [NODE_IP, BRIDGE_IP].map(by(NODE_WAY));
    this.#loopback = by(NODE_WAY)(LOOPBACK);
  }

  draw(dice: Dice, to: Ip): Source {
    if (to === this.#loopback.address) return this.#loopback;
    return dice.of(
      dice.weighted([
        [4, this.#pods],
        [5, this.#outsiders],
        [1, this.#remotePods],
        [1, this.#neighbours],
        [2, this.#ownTo(to)],
      ] as const),
    );
  }

  /** The node asks itself from the address that it asks. */
  #ownTo(to: Ip): readonly Source[] {
    const same = this.#own.filter(({ address }) => address === to);
    return same.length > 0 ? same : this.#own;
  }

  /** Of the node's Pods: whoever has no rule of its own. */
  get pods(): readonly Source[] {
    return this.#pods;
  }
}

/** Everything that the cluster's Services answer on, with the nodePorts on every address. */
function frontendsOf(cluster: Cluster, family: Family): Destination[] {
  const here = (text: string) => addressIn(family, text);
  const hosts = [NODE_IP, NODE_IP, BRIDGE_IP, OTHER_NODE_IP, LOOPBACK].map(here);
  return cluster.services.filter(isProxied).flatMap((service) => {
    const addresses = [
      ...service.clusterIPs,
      ...service.clusterIPs,
      ...service.externalIPs,
      ...service.loadBalancerIngress.flatMap(({ ip: address }) => (address === undefined ? [] : [address])),
    ].filter((address) => familyOf(address) === family);
    const healthCheck = { port: service.healthCheckNodePort, protocol: "TCP" as const };
    return service.ports.flatMap(({ port, protocol, nodePort }) => [
      ...addresses.map((address) => ({ address, port, protocol })),
      ...(nodePort === 0 ? [] : hosts.map((address) => ({ address, port: nodePort, protocol }))),
      ...(healthCheck.port === 0 ? [] : [{ address: here(NODE_IP), ...healthCheck }]),
    ]);
  });
}

/** Draws what is asked. */
export class Destinations {
  readonly #frontends: readonly Destination[];
  readonly #hosts: readonly Ip[];

  constructor(cluster: Cluster, family: Family) {
    this.#frontends = frontendsOf(cluster, family);
    const pods = [IDLE_POD, REMOTE_IDLE_POD, "10.244.1.8", "10.244.2.8"];
    const unallocated = ["10.96.0.5", "10.97.3.4", EVEN_IP];
    const hosts = [NODE_IP, BRIDGE_IP, OTHER_NODE_IP, LOOPBACK];
    this.#hosts = [...pods, ...unallocated, ...ABROAD, ...hosts].map((text) => addressIn(family, text));
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

/** Ports of the cluster's Services on every node. */
function nodePortsOf({ services }: Cluster): number[] {
  return services.flatMap(({ ports }) => ports.map(({ nodePort }) => nodePort)).filter((port) => port !== 0);
}

/** Ports of whoever sends, each once for an address: a tuple that comes again is a known connection. */
export class Ports {
  readonly #taken = new Set<string>();
  readonly #nodePorts: readonly number[];

  readonly #isPlain: boolean;

  /** Plain ones are none that IPVS' own table remembers packets by. */
  constructor(cluster: Cluster, isPlain: boolean) {
    this.#nodePorts = nodePortsOf(cluster);
    this.#isPlain = isPlain;
  }

  /**
   * A port of one of the kernel's classes (1 … 511, 512 … 1023, 1024 … 65535). The node itself asks from its nodePorts
   * too, since replies to those look like requests; from none to another, since one such conversation may be another one
   * the other way round.
   */
  draw(dice: Dice, { address, way }: Source, to: number): number {
    const mayBeNodePort =
      way === NODE_WAY && !this.#isPlain && this.#nodePorts.length > 0 && !this.isNodePort(to);
    if (mayBeNodePort && dice.percent(25)) {
      const port = dice.of(this.#nodePorts);
      if (this.#take(address, port)) return port;
    }
    while (true) {
      const [low, count] = dice.weighted([
        [1, [1, 511]],
        [1, [512, 512]],
        [10, [1024, 64_512]],
      ] as const);
      const port = low + dice.below(count);
      if (this.#isPlain && (port === PORT_FTP_DATA || this.isNodePort(port))) continue;
      if (this.#take(address, port)) return port;
      if (this.#taken.size > 500_000) throw new Error("No ports are left to draw from.");
    }
  }

  isNodePort(port: number): boolean {
    return this.#nodePorts.includes(port);
  }

  /** Whether nobody had it. */
  #take(address: Ip, port: number): boolean {
    const before = this.#taken.size;
    return this.#taken.add(`${address}:${port}`).size > before;
  }
}
