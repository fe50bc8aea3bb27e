import type { Diagnostic } from "../diagnostics.js";
import type { Collection, Fragment, Key } from "../fragment/front-end.js";
import type { Ip } from "../net/ip.js";
import type { Protocol } from "../net/port.js";
import { type IpSet, type IpSetEntry, MAX_ELEMENTS } from "../ruleset/ipset.js";
import { isOn, type ProxyEndpoint } from "./endpoints.js";
import type { Frontend } from "./frontends.js";
import { serviceKey } from "./service-key.js";

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

export const SET_NAMES = Object.keys(SET_TYPE) as readonly SetName[];

/** Elements by set; sets without one are absent. */
export type Elements = { [Name in SetName]?: IpSetEntry[] };

/** What one Service adds to the sets. */
export interface SetsFragment extends Fragment {
  readonly sets: Elements;
}

function insert(elements: Elements, name: SetName, entry: IpSetEntry): void {
  const found = elements[name];
  if (found === undefined) elements[name] = [entry];
  else found.push(entry);
}

/** What tells the elements of a set apart. (In KUBE-LOOP-BACK ip2 is the same address as ip.) */
function keyOf({ ip = 0, protocol = "TCP", port = 0 }: IpSetEntry): Key {
  return serviceKey(ip, protocol, port);
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

/** Puts the addresses and ports of one service port into the sets. */
export function insertFrontend(
  elements: Elements,
  frontend: Frontend,
  endpoints: readonly ProxyEndpoint[],
  nodeName: string,
  nodeIps: readonly Ip[],
): void {
  const { clusterIP, protocol, port, externalPolicyLocal } = frontend;
  insertHairpins(elements, protocol, endpoints, nodeName);
  insert(elements, "KUBE-CLUSTER-IP", { ip: clusterIP, protocol, port });
  const externalSet = externalPolicyLocal ? "KUBE-EXTERNAL-IP-LOCAL" : "KUBE-EXTERNAL-IP";
  for (const ip of frontend.externalIPs) insert(elements, externalSet, { ip, protocol, port });
  for (const ip of frontend.vips) {
    insert(elements, "KUBE-LOAD-BALANCER", { ip, protocol, port });
    if (externalPolicyLocal) insert(elements, "KUBE-LOAD-BALANCER-LOCAL", { ip, protocol, port });
  }
  if (frontend.nodePort !== 0) insertNodePort(elements, frontend, nodeIps);
  if (frontend.healthCheckNodePort !== 0) {
    insert(elements, "KUBE-HEALTH-CHECK-NODE-PORT", { port: frontend.healthCheckNodePort });
  }
}

export function insertDummyAddresses(elements: Elements, addresses: readonly Ip[]): void {
  for (const ip of addresses) insert(elements, "KUBE-IPVS-IPS", { ip });
}

const NO_ENTRIES: readonly IpSetEntry[] = [];

/** One collection for each set, in the order of SET_NAMES. */
export const SET_COLLECTIONS = SET_NAMES.map((set): Collection<SetsFragment, IpSetEntry> => {
  return {
    elementsOf: ({ sets }) => sets[set] ?? NO_ENTRIES,
    keyOf,
    set: (entry) => ({ kind: "ipset-added", set, entry }),
    removed: (entry) => ({ kind: "ipset-removed", set, entry }),
  };
});

export function ipSet(name: SetName, entries: readonly IpSetEntry[]): IpSet {
  return { name, type: SET_TYPE[name], entries };
}

/** A real node's kernel would refuse to fill these sets. Takes the sizes in the order of SET_NAMES. */
export function overfullWarnings(sizes: readonly number[]): readonly Diagnostic[] {
  return SET_NAMES.flatMap((name, index): readonly Diagnostic[] => {
    const size = sizes[index] ?? 0;
    if (size <= MAX_ELEMENTS) return [];
    const message = `holds ${size} elements; a real node's kernel refuses those past ${MAX_ELEMENTS} (maxelem).`;
    return [{ severity: "warning", place: { object: `ipset ${name}` }, message }];
  });
}
