import type { Ip } from "../net/ip.js";
import { PROTOCOL_NUMBER, type Protocol } from "../net/port.js";
import { hostPrefix, type Prefix, prefixContains } from "../net/prefix.js";
import type { Match, Rule } from "../ruleset/iptables.js";
import { isOn, type ProxyEndpoint } from "./endpoints.js";
import type { Frontend } from "./frontends.js";
import { type Elements, insert } from "./ipvs-sets.js";
import { DROP, from, rule } from "./rules.js";

/** What of a node the sets depend on. */
export interface IpvsNode {
  readonly name: string;
  /** Its primary address of the family. */
  readonly address: Ip | undefined;
  /** Where nodePorts answer. */
  readonly nodePortIps: readonly Ip[];
}

function insertNodePort(elements: Elements, frontend: Frontend, nodeIps: readonly Ip[]): void {
  const { protocol, nodePort } = frontend;
  const policies = frontend.externalPolicyLocal ? (["", "LOCAL-"] as const) : ([""] as const);
  for (const policy of policies) {
    if (protocol !== "SCTP") insert(elements, `KUBE-NODE-PORT-${policy}${protocol}`, { port: nodePort });
    else {
      for (const ip of nodeIps) {
        insert(elements, `KUBE-NODE-PORT-${policy}SCTP-HASH`, { ip, protocol, port: nodePort });
      }
    }
  }
}

/** Endpoints of this node, ready or not, may be picked by themselves: such packets are masqueraded. */
function insertHairpins(
  elements: Elements,
  protocol: Protocol,
  endpoints: readonly ProxyEndpoint[],
  nodeName: string,
): void {
  for (const endpoint of endpoints) {
    if (!isOn(endpoint, nodeName)) continue;
    const { address, port } = endpoint;
    insert(elements, "KUBE-LOOP-BACK", { ip: address, protocol, port, ip2: address });
  }
}

/** ipset holds no prefix of length 0, so that such a range lets nobody in. */
export function isHeld({ length }: Prefix): boolean {
  return length > 0;
}

/** Whether the node's own clients may reach load balancers of these source ranges. */
function admitsNode({ sourceRanges }: Frontend, { address }: IpvsNode): boolean {
  return address !== undefined && sourceRanges.some((range) => prefixContains(range, address));
}

/** Who may reach a VIP; where the node may, so may the VIP: on the node itself it is its clients' source. */
function insertRanges(elements: Elements, frontend: Frontend, ip: Ip, node: IpvsNode): void {
  const { protocol, port, sourceRanges } = frontend;
  insert(elements, "KUBE-LOAD-BALANCER-FW", { ip, protocol, port });
  for (const net of sourceRanges.filter(isHeld)) {
    insert(elements, "KUBE-LOAD-BALANCER-SOURCE-CIDR", { ip, protocol, port, net });
  }
  if (!admitsNode(frontend, node)) return;
  insert(elements, "KUBE-LOAD-BALANCER-SOURCE-IP", { ip, protocol, port, ip2: ip });
}

/** Puts the addresses and ports of one service port into the sets. */
export function insertFrontend(
  elements: Elements,
  frontend: Frontend,
  endpoints: readonly ProxyEndpoint[],
  node: IpvsNode,
): void {
  const { clusterIP, protocol, port, externalPolicyLocal, sourceRanges } = frontend;
  insertHairpins(elements, protocol, endpoints, node.name);
  insert(elements, "KUBE-CLUSTER-IP", { ip: clusterIP, protocol, port });
  const externalSet = externalPolicyLocal ? "KUBE-EXTERNAL-IP-LOCAL" : "KUBE-EXTERNAL-IP";
  for (const ip of frontend.externalIPs) insert(elements, externalSet, { ip, protocol, port });
  for (const ip of frontend.vips) {
    insert(elements, "KUBE-LOAD-BALANCER", { ip, protocol, port });
    if (externalPolicyLocal) insert(elements, "KUBE-LOAD-BALANCER-LOCAL", { ip, protocol, port });
    if (sourceRanges.length > 0) insertRanges(elements, frontend, ip, node);
  }
  if (frontend.nodePort !== 0) {
    // Without an address to answer on kube-proxy leaves the port before it comes to the health check.
    if (node.nodePortIps.length === 0) return;
    insertNodePort(elements, frontend, node.nodePortIps);
  }
  if (frontend.healthCheckNodePort !== 0) {
    insert(elements, "KUBE-HEALTH-CHECK-NODE-PORT", { port: frontend.healthCheckNodePort });
  }
}

/** In the order of the listing. */
function throughServer(address: Ip, protocol: Protocol, port: number): readonly Match[] {
  return [
    { kind: "ipvs-protocol", protocol: PROTOCOL_NUMBER[protocol] },
    { kind: "ipvs-address", prefix: hostPrefix(address) },
    { kind: "ipvs-port", port },
  ];
}

/**
 * What keeps the node's own clients, whom INPUT does not see, from load balancers that do not admit it: IPVS has given
 * their packets the VIP as source and an endpoint as destination by then.
 */
export function outRules(frontend: Frontend, node: IpvsNode): readonly Rule[] {
  const { vips, protocol, port, sourceRanges } = frontend;
  if (sourceRanges.length === 0 || admitsNode(frontend, node)) return [];
  return vips.map((ip) => {
    return rule([from(hostPrefix(ip)), ...throughServer(ip, protocol, port)], DROP);
  });
}
