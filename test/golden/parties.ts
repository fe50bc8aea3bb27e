import type { Cluster } from "../../src/cluster.js";
import { printIp } from "../../src/net/ip.js";

/** Where a packet comes from: `pod/NS/NAME`, `node/NAME`, or `IP:PORT`, which `@NODE` says where it comes in. */
export interface Sender {
  readonly address: string;
  readonly port: number;
  /** The node that is asked. */
  readonly node: string;
  readonly kind: "pod" | "node" | "outside";
}

export interface Receiver {
  readonly address: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp";
}

const PORT = 40000;

function found<T>(thing: T | undefined, name: string): T {
  if (thing === undefined) throw new Error(`the cluster has no ${name}`);
  return thing;
}

export function podOf(cluster: Cluster, name: string): Cluster["pods"][number] {
  return found(
    cluster.pods.find((pod) => `pod/${pod.namespace}/${pod.name}` === name),
    name,
  );
}

export function addressOf(pod: Cluster["pods"][number]): string {
  return printIp(found(pod.podIPs[0], `address of ${pod.name}`));
}

function nodeOf(cluster: Cluster, name: string): Cluster["nodes"][number] {
  return found(
    cluster.nodes.find((node) => node.name === name),
    `node/${name}`,
  );
}

export function serviceOf(cluster: Cluster, name: string): Cluster["services"][number] {
  return found(
    cluster.services.find((service) => `${service.namespace}/${service.name}` === name),
    `Service ${name}`,
  );
}

export function senderOf(cluster: Cluster, from: string, to: string): Sender {
  if (from.startsWith("pod/")) {
    const pod = podOf(cluster, from);
    return { address: addressOf(pod), port: PORT, node: pod.nodeName, kind: "pod" };
  }
  if (from.startsWith("node/")) {
    const { name, internalIPs } = nodeOf(cluster, from.slice(5));
    return { address: printIp(found(internalIPs[0], from)), port: PORT, node: name, kind: "node" };
  }
  const [, address = "", port, at] = /^([0-9.]+):(\d+)(?:@(.*))?$/.exec(from) ?? [];
  const asked = at ?? /^node\/([^:]*)/.exec(to)?.[1] ?? cluster.nodes[0]?.name;
  return { address, port: Number(port), node: found(asked, "node"), kind: "outside" };
}

/** `svc/NS/NAME:PORT` by ClusterIP, `lb/NS/NAME:PORT` by load balancer, `node/…`, `pod/…` or `IP:PORT`; `/udp`. */
export function receiverOf(cluster: Cluster, to: string): Receiver {
  const [, name = "", port = "", udp] = /^(.*):([^:/]+)(\/udp)?$/.exec(to) ?? [];
  const protocol = udp === undefined ? "tcp" : "udp";
  const [kind, ...rest] = name.split("/");
  const at = (address: string, number = Number(port)): Receiver => ({ address, port: number, protocol });
  if (kind === "pod") return at(addressOf(podOf(cluster, name)));
  if (kind === "node") return at(printIp(found(nodeOf(cluster, rest.join("/")).internalIPs[0], name)));
  if (kind !== "svc" && kind !== "lb") return at(name);
  const service = serviceOf(cluster, rest.join("/"));
  const ip = kind === "svc" ? service.clusterIPs[0] : service.loadBalancerIngress[0]?.ip;
  const named = service.ports.find((one) => one.name === port)?.port;
  return at(printIp(found(ip, name)), named);
}
