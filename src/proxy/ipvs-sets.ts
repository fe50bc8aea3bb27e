import type { Diagnostic } from "../diagnostics.js";
import type { Ip } from "../net/ip.js";
import type { Protocol } from "../net/port.js";
import { type IpSet, type IpSetEntry, MAX_ELEMENTS } from "../ruleset/ipset.js";
import type { ProxyEndpoint } from "./endpoints.js";
import type { Frontend } from "./frontends.js";

/**
 * kube-proxy's ipsets in its own order; each exists on every node, also empty. KUBE-LOAD-BALANCER-SOURCE-CIDR
 * alone is absent: it would hold the source ranges, which this mode does not model yet.
 */
const SET_TYPE = {
  "KUBE-LOOP-BACK": "hash:ip,port,ip",
  "KUBE-CLUSTER-IP": "hash:ip,port",
  "KUBE-EXTERNAL-IP": "hash:ip,port",
  "KUBE-EXTERNAL-IP-LOCAL": "hash:ip,port",
  "KUBE-LOAD-BALANCER": "hash:ip,port",
  "KUBE-LOAD-BALANCER-FW": "hash:ip,port",
  "KUBE-LOAD-BALANCER-LOCAL": "hash:ip,port",
  "KUBE-LOAD-BALANCER-SOURCE-IP": "hash:ip,port,ip",
  "KUBE-NODE-PORT-TCP": "bitmap:port",
  "KUBE-NODE-PORT-LOCAL-TCP": "bitmap:port",
  "KUBE-NODE-PORT-UDP": "bitmap:port",
  "KUBE-NODE-PORT-LOCAL-UDP": "bitmap:port",
  "KUBE-NODE-PORT-SCTP-HASH": "hash:ip,port",
  "KUBE-NODE-PORT-LOCAL-SCTP-HASH": "hash:ip,port",
  "KUBE-HEALTH-CHECK-NODE-PORT": "bitmap:port",
  "KUBE-IPVS-IPS": "hash:ip",
} as const satisfies Record<string, IpSet["type"]>;

export type SetName = keyof typeof SET_TYPE;

const SET_NAMES = Object.keys(SET_TYPE) as SetName[];

/** Elements by name of the set, and in it by what tells them apart. */
export type Sets = ReadonlyMap<SetName, Map<number | string, IpSetEntry>>;

export function emptySets(): Sets {
  return new Map(SET_NAMES.map((name) => [name, new Map()]));
}

export function isEmpty(sets: Sets, name: SetName): boolean {
  return sets.get(name)?.size === 0;
}

function insert(sets: Sets, name: SetName, key: number | string, entry: IpSetEntry): void {
  sets.get(name)?.set(key, entry);
}

const PROTOCOL_BITS: Record<Protocol, number> = { TCP: 0, UDP: 1, SCTP: 2 };

/** One value for an address, protocol and port: for IPv4 a number below 2^50. */
function serviceKey(ip: Ip, protocol: Protocol, port: number): number | string {
  const bits = PROTOCOL_BITS[protocol];
  return typeof ip === "number" ? (ip * 65536 + port) * 4 + bits : `${ip} ${port} ${bits}`;
}

function insertService(sets: Sets, name: SetName, ip: Ip, protocol: Protocol, port: number): void {
  insert(sets, name, serviceKey(ip, protocol, port), { ip, protocol, port });
}

function insertPort(sets: Sets, name: SetName, port: number): void {
  insert(sets, name, port, { port });
}

function insertNodePort(sets: Sets, frontend: Frontend, nodeIps: readonly Ip[]): void {
  const { protocol, nodePort } = frontend;
  const policies = frontend.externalPolicyLocal ? (["", "LOCAL-"] as const) : ([""] as const);
  for (const policy of policies) {
    if (protocol !== "SCTP") insertPort(sets, `KUBE-NODE-PORT-${policy}${protocol}`, nodePort);
    else
      for (const ip of nodeIps)
        insertService(sets, `KUBE-NODE-PORT-${policy}SCTP-HASH`, ip, protocol, nodePort);
  }
}

/** Endpoints of this node, ready or not, may be picked by themselves: such packets are masqueraded. */
function insertHairpins(
  sets: Sets,
  protocol: Protocol,
  endpoints: readonly ProxyEndpoint[],
  nodeName: string,
): void {
  for (const { address, port, nodeName: home } of endpoints) {
    if (home !== nodeName) continue;
    const key = serviceKey(address, protocol, port);
    insert(sets, "KUBE-LOOP-BACK", key, { ip: address, protocol, port, ip2: address });
  }
}

/** Puts the addresses and ports of one service port into the sets. */
export function insertFrontend(
  sets: Sets,
  frontend: Frontend,
  endpoints: readonly ProxyEndpoint[],
  nodeName: string,
  nodeIps: readonly Ip[],
): void {
  const { clusterIP, protocol, port, externalPolicyLocal } = frontend;
  insertHairpins(sets, protocol, endpoints, nodeName);
  insertService(sets, "KUBE-CLUSTER-IP", clusterIP, protocol, port);
  const externalSet = externalPolicyLocal ? "KUBE-EXTERNAL-IP-LOCAL" : "KUBE-EXTERNAL-IP";
  for (const ip of frontend.externalIPs) insertService(sets, externalSet, ip, protocol, port);
  for (const ip of frontend.vips) {
    insertService(sets, "KUBE-LOAD-BALANCER", ip, protocol, port);
    if (externalPolicyLocal) insertService(sets, "KUBE-LOAD-BALANCER-LOCAL", ip, protocol, port);
  }
  if (frontend.nodePort !== 0) insertNodePort(sets, frontend, nodeIps);
  if (frontend.healthCheckNodePort !== 0) {
    insertPort(sets, "KUBE-HEALTH-CHECK-NODE-PORT", frontend.healthCheckNodePort);
  }
}

export function insertDummyAddresses(sets: Sets, addresses: readonly Ip[]): void {
  for (const ip of addresses) insert(sets, "KUBE-IPVS-IPS", `${ip}`, { ip });
}

export function finishedSets(sets: Sets): readonly IpSet[] {
  return SET_NAMES.map((name) => ({
    name,
    type: SET_TYPE[name],
    entries: [...(sets.get(name)?.values() ?? [])],
  }));
}

/** A real node's kernel would refuse to fill these sets. */
export function overfullWarnings(sets: readonly IpSet[]): readonly Diagnostic[] {
  return sets
    .filter(({ entries }) => entries.length > MAX_ELEMENTS)
    .map(({ name, entries }) => ({
      severity: "warning",
      place: { object: `ipset ${name}` },
      message: `holds ${entries.length} elements; a real node's kernel refuses those past ${MAX_ELEMENTS} (maxelem).`,
    }));
}
