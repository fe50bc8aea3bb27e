import { expectArgument, isObject } from "../arguments.js";
import type { Cluster } from "../model/cluster.js";
import { expectCluster } from "../model/expect-cluster.js";
import type { Node } from "../model/node.js";
import { serviceObjects } from "../model/service-objects.js";
import { type Family, familyOf, type Ip } from "../net/ip.js";
import type { Protocol } from "../net/port.js";
import { type CategorizedEndpoints, categorize, joinSlices } from "../proxy/endpoints.js";
import { type Frontend, frontendsOf } from "../proxy/frontends.js";
import type { Ruleset } from "../ruleset/ruleset.js";

/** One of two nodes that are compared: what its kernel holds, and what is known of its cluster. */
export interface Side {
  readonly ruleset: Ruleset;
  /** Absent where only the node's own rules are known. */
  readonly cluster?: Cluster;
}

/** TypeError unless it is a side. */
export function expectSide(side: unknown, argument: string): void {
  const isSide = isObject(side) && isObject(side.ruleset);
  expectArgument(isSide, side, argument, "{ ruleset: compile(cluster, …), cluster }");
  if (isSide && side.cluster !== undefined) expectCluster(side.cluster, `the cluster of ${argument}`);
}

/** A service port and who may answer it on one node. */
export interface ServedPort extends CategorizedEndpoints {
  readonly frontend: Frontend;
}

/** What of a side packets are made from, in one family. */
export interface Facts {
  readonly family: Family;
  readonly ruleset: Ruleset;
  readonly cluster: Cluster | undefined;
  readonly node: Node | undefined;
  readonly served: readonly ServedPort[];
  /** By `protocol address port`: who answers there, of ClusterIPs, external IPs, VIPs and, with address "", nodePorts. */
  readonly byFrontend: ReadonlyMap<string, ServedPort>;
  /** The node's own addresses, primary one first, loopback and kube-ipvs0 left out. */
  readonly ownAddresses: readonly Ip[];
}

export function frontendKey(protocol: Protocol, address: Ip | "", port: number): string {
  return `${protocol} ${address} ${port}`;
}

function keysOf({ protocol, port, nodePort, clusterIP, externalIPs, vips }: Frontend): string[] {
  const keys = [clusterIP, ...externalIPs, ...vips].map((address) => frontendKey(protocol, address, port));
  return nodePort === 0 ? keys : [...keys, frontendKey(protocol, "", nodePort)];
}

function servedPorts(cluster: Cluster, node: Node, family: Family): readonly ServedPort[] {
  return serviceObjects(cluster).flatMap(({ service, slices }) => {
    if (service === undefined) return [];
    return frontendsOf(service, family).map((frontend) => {
      return { frontend, ...categorize(frontend, joinSlices(slices, frontend, family), node) };
    });
  });
}

/** Of two that claim a key the first has it, as a node's rules are in that order. */
function indexOf(served: readonly ServedPort[]): ReadonlyMap<string, ServedPort> {
  const index = new Map<string, ServedPort>();
  for (const port of served)
    for (const key of keysOf(port.frontend)) if (!index.has(key)) index.set(key, port);
  return index;
}

function ownAddresses({ interfaces }: Ruleset, node: Node | undefined, family: Family): readonly Ip[] {
  const own = interfaces
    .filter(({ kind }) => kind !== "loopback" && kind !== "dummy")
    .flatMap(({ addresses }) => addresses.map(({ address }) => address));
  const primary = node?.internalIPs.filter((address) => own.includes(address)) ?? [];
  return [...new Set([...primary, ...own])].filter((address) => familyOf(address) === family);
}

/** What is known of a side in one family. */
export function factsOf({ ruleset, cluster }: Side, family: Family): Facts {
  const node = cluster?.nodes.find(({ name }) => name === ruleset.node);
  const served = cluster === undefined || node === undefined ? [] : servedPorts(cluster, node, family);
  const addresses = ownAddresses(ruleset, node, family);
  return { family, ruleset, cluster, node, served, byFrontend: indexOf(served), ownAddresses: addresses };
}
