import type { Cluster } from "../../src/model/cluster.js";
import type { Endpoint, EndpointPort, EndpointSlice } from "../../src/model/endpointslice.js";
import type { Node } from "../../src/model/node.js";
import type { Service } from "../../src/model/service.js";
import type { ServicePort } from "../../src/model/service-ports.js";
import { familyOf, type Ip, parseIp } from "../../src/net/ip.js";
import { type Prefix, parsePrefix } from "../../src/net/prefix.js";

export function ip(text: string): Ip {
  const address = parseIp(text);
  if (address === undefined) throw new Error(`«${text}» is no address`);
  return address;
}

export function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new Error(`«${text}» is no prefix`);
  return parsed;
}

/** Fields of a Service, addresses as text; the rest has the API's defaults. */
export interface ServiceFields
  extends Partial<
    Pick<
      Service,
      | "type"
      | "headless"
      | "externalTrafficPolicy"
      | "internalTrafficPolicy"
      | "healthCheckNodePort"
      | "affinitySeconds"
      | "topologyMode"
    >
  > {
  readonly labels?: Readonly<Record<string, string>>;
  /** Addresses with a space between, "" for none. */
  readonly clusterIPs?: string;
  readonly externalIPs?: string;
  /** Ingress addresses; `198.51.100.1!` has ipMode Proxy. */
  readonly ingress?: string;
  readonly sourceRanges?: string;
  /** `http:80`, `dns:53/UDP`, `:80>30080`: name, port, protocol, nodePort; several with a space between. */
  readonly ports?: string;
}

/** `10.244.1.5@worker-1`, with any of `!ready !serving terminating zone=a node=worker-1` after it. */
export type EndpointText = string;

function words(text: string | undefined): string[] {
  return (text ?? "").split(" ").filter((word) => word !== "");
}

function portOf(text: string): ServicePort {
  const parts = /^([^:]*):(\d+)(?:\/(TCP|UDP|SCTP))?(?:>(\d+))?$/.exec(text);
  if (parts === null) throw new Error(`«${text}» is no service port`);
  const protocol = (parts[3] ?? "TCP") as ServicePort["protocol"];
  const port = Number(parts[2]);
  return { name: parts[1] ?? "", protocol, port, nodePort: Number(parts[4] ?? 0), targetPort: port };
}

function endpointOf(text: EndpointText): Endpoint {
  const [where = "", ...marks] = words(text);
  const [address = "", nodeName] = where.split("@");
  const hints = (key: string) =>
    marks.filter((mark) => mark.startsWith(`${key}=`)).map((mark) => mark.slice(key.length + 1));
  return {
    address: ip(address),
    conditions: {
      ready: marks.includes("!ready") ? false : undefined,
      serving: marks.includes("!serving") ? false : undefined,
      terminating: marks.includes("terminating") ? true : undefined,
    },
    nodeName,
    targetRef: undefined,
    hintZones: hints("zone"),
    hintNodes: hints("node"),
  };
}

function split(name: string): readonly [string, string] {
  const [namespace = "", own = ""] = name.split("/");
  return [namespace, own];
}

function serviceOf(name: string, fields: ServiceFields): Service {
  const [namespace, own] = split(name);
  return {
    namespace,
    name: own,
    labels: new Map(Object.entries(fields.labels ?? {})),
    type: fields.type ?? "ClusterIP",
    selector: undefined,
    clusterIPs: words(fields.clusterIPs).map(ip),
    headless: fields.headless ?? false,
    ports: words(fields.ports).map(portOf),
    externalIPs: words(fields.externalIPs).map(ip),
    loadBalancerIngress: words(fields.ingress).map((word) => ({
      ip: ip(word.replace("!", "")),
      ipMode: word.endsWith("!") ? "Proxy" : "VIP",
    })),
    loadBalancerSourceRanges: words(fields.sourceRanges).map(prefix),
    externalTrafficPolicy: fields.externalTrafficPolicy ?? "Cluster",
    internalTrafficPolicy: fields.internalTrafficPolicy ?? "Cluster",
    healthCheckNodePort: fields.healthCheckNodePort ?? 0,
    affinitySeconds: fields.affinitySeconds,
    publishNotReadyAddresses: false,
    topologyMode: fields.topologyMode ?? "",
    place: { file: "test.yaml", object: `Service ${name}` },
  };
}

/** Builds a Cluster of the contract's types, object by object, without a control plane. */
export class ClusterBuilder {
  readonly #nodes: Node[] = [];
  readonly #services: Service[] = [];
  readonly #slices: EndpointSlice[] = [];
  #clusterCIDRs: readonly Prefix[] = [prefix("10.244.0.0/16")];
  #serviceCIDRs: readonly Prefix[] = [prefix("10.96.0.0/12")];

  clusterCIDRs(text: string): this {
    this.#clusterCIDRs = words(text).map(prefix);
    return this;
  }

  serviceCIDRs(text: string): this {
    this.#serviceCIDRs = words(text).map(prefix);
    return this;
  }

  /** Addresses and networks with a space between. */
  node(
    name: string,
    internalIPs: string,
    podCIDRs: string,
    labels: Readonly<Record<string, string>> = {},
  ): this {
    this.#nodes.push({
      name,
      labels: new Map(Object.entries(labels)),
      internalIPs: words(internalIPs).map(ip),
      externalIPs: [],
      podCIDRs: words(podCIDRs).map(prefix),
      unschedulable: false,
    });
    return this;
  }

  service(name: string, fields: ServiceFields): this {
    this.#services.push(serviceOf(name, fields));
    return this;
  }

  /** One EndpointSlice of a Service; `port` is `http:8080` or `dns:53/UDP`. */
  slice(service: string, port: string, ...endpoints: readonly EndpointText[]): this {
    const [namespace, serviceName] = split(service);
    const { name, protocol, port: number } = portOf(port);
    const ports: readonly EndpointPort[] = [{ name, protocol, port: number }];
    const made = endpoints.map(endpointOf);
    const family = made.some(({ address }) => familyOf(address) === 6) ? 6 : 4;
    const own = `${serviceName}-${this.#slices.length}`;
    this.#slices.push({ namespace, name: own, serviceName, family, ports, endpoints: made });
    return this;
  }

  build(): Cluster {
    return {
      nodes: this.#nodes,
      namespaces: [],
      pods: [],
      services: this.#services,
      endpointSlices: this.#slices,
      clusterCIDRs: this.#clusterCIDRs,
      serviceCIDRs: this.#serviceCIDRs,
      diagnostics: [],
    };
  }
}

/** A cluster of two nodes, worker-1 and worker-2, to which a test adds its Services. */
export function clusterOf(): ClusterBuilder {
  return new ClusterBuilder()
    .node("worker-1", "172.18.0.2", "10.244.1.0/24")
    .node("worker-2", "172.18.0.3", "10.244.2.0/24");
}

/** The same, and dual-1 and dual-2 with addresses of both families. */
export function dualClusterOf(): ClusterBuilder {
  return clusterOf()
    .clusterCIDRs("10.244.0.0/16 fd00:244::/48")
    .serviceCIDRs("10.96.0.0/12 fd00:96::/112")
    .node("dual-1", "172.18.0.8 fd00:18::8", "10.244.8.0/24 fd00:244:0:8::/64")
    .node("dual-2", "172.18.0.9 fd00:18::9", "10.244.9.0/24 fd00:244:0:9::/64");
}

export const TWO = ["10.244.1.9@worker-1", "10.244.2.9@worker-2"];
export const REMOTE = ["10.244.2.9@worker-2"];

/** A cluster with one Service, `http:80` unless said otherwise, whose endpoints answer on 8080. */
export function one(
  name: string,
  fields: ServiceFields,
  endpoints: readonly EndpointText[] = [],
): ClusterBuilder {
  const cluster = clusterOf().service(name, { ports: "http:80", ...fields });
  return endpoints.length === 0 ? cluster : cluster.slice(name, "http:8080", ...endpoints);
}

/** A load balancer with every address of both families. */
export const DUAL: ServiceFields = {
  type: "LoadBalancer",
  clusterIPs: "10.96.0.41 fd00:96::41",
  ports: "http:80>30080",
  externalIPs: "192.0.2.1 2001:db8::1",
  ingress: "198.51.100.1 2001:db8:100::1",
};

export function nodeOf(cluster: Cluster, name = "worker-1"): Node {
  const node = cluster.nodes.find((one) => one.name === name);
  if (node === undefined) throw new Error(`no node ${name}`);
  return node;
}
