import type { Cluster } from "../../src/model/cluster.js";
import type { EndpointSlice } from "../../src/model/endpointslice.js";
import type { Node } from "../../src/model/node.js";
import type { Service } from "../../src/model/service.js";
import { type Ip, parseIp, printIp } from "../../src/net/ip.js";
import type { Prefix } from "../../src/net/prefix.js";

const TWINS = 0xfd64n << 112n;

/** The IPv6 address that stands for an IPv4 one, and back: Pods', nodes' and other networks keep their places. */
function turned(address: Ip): Ip {
  return typeof address === "number" ? TWINS | BigInt(address) : Number(BigInt.asUintN(32, address));
}

/** A network of the one family is one of the other, so what is of another family than the rest stays so. */
function turnedPrefix({ address, length }: Prefix): Prefix {
  const isFour = typeof address === "number";
  return { address: turned(address), length: isFour ? length + 96 : Math.max(0, length - 96) };
}

function turnedNode(node: Node): Node {
  const { internalIPs, podCIDRs } = node;
  return { ...node, internalIPs: internalIPs.map(turned), podCIDRs: podCIDRs.map(turnedPrefix) };
}

function turnedService(service: Service): Service {
  return {
    ...service,
    clusterIPs: service.clusterIPs.map(turned),
    externalIPs: service.externalIPs.map(turned),
    loadBalancerIngress: service.loadBalancerIngress.map(({ ip, ipMode }) => ({ ip: turned(ip), ipMode })),
    loadBalancerSourceRanges: service.loadBalancerSourceRanges.map(turnedPrefix),
  };
}

function turnedSlice(slice: EndpointSlice): EndpointSlice {
  const endpoints = slice.endpoints.map((one) => ({ ...one, address: turned(one.address) }));
  return { ...slice, family: slice.family === 4 ? 6 : 4, endpoints };
}

/** A cluster of IPv4 as one of IPv6, address by address. */
export function clusterTwin(cluster: Cluster): Cluster {
  return {
    ...cluster,
    nodes: cluster.nodes.map(turnedNode),
    services: cluster.services.map(turnedService),
    endpointSlices: cluster.endpointSlices.map(turnedSlice),
    clusterCIDRs: cluster.clusterCIDRs.map(turnedPrefix),
    serviceCIDRs: cluster.serviceCIDRs.map(turnedPrefix),
  };
}

/** `10.0.0.1` as its twin is written; with a length behind it, that of the twin. */
export function twinText(text: string): string {
  if (text === "127.0.0.1") return "::1";
  const [address = "", length] = text.split("/");
  const value = parseIp(address);
  if (typeof value !== "number") throw new Error(`«${text}» is no IPv4 address`);
  const made = printIp(turned(value));
  return length === undefined ? made : `${made}/${Number(length) + 96}`;
}
