import { compareIp, familyOf, type Ip } from "../net/ip.js";
import type { Protocol } from "../net/port.js";
import type { ProxyEndpoint } from "../proxy/endpoints.js";
import { LOOPBACK } from "../proxy/local-traffic.js";
import { behind, freeAddress, type Ground } from "./ground.js";
import { FIRST, OUT_OF_STATE, type PacketKind, PING, STRAY_ERROR } from "./packet.js";
import { ruleTargets } from "./rule-targets.js";
import type { Facts, ServedPort } from "./side.js";

/** What an address is to the nodes that are asked; of one that is several the first. */
export const PLACES = [
  "ClusterIP",
  "external IP",
  "load balancer address",
  "nodePort",
  "healthCheckNodePort",
  "endpoint",
  "node",
  "unallocated ClusterIP",
  "outside",
  "address of a rule",
  "virtual server",
] as const;
export type Place = (typeof PLACES)[number];

/** Where a packet goes. */
export interface Target {
  readonly place: Place;
  readonly address: Ip;
  /** 0 for ICMP. */
  readonly port: number;
  readonly kind: PacketKind;
  /** Of whose port it is, `shop/web:http`; of an address alone `shop/web`; "" for none. */
  readonly service: string;
  /** The place, at a port that it does not have. */
  readonly isUnknownPort: boolean;
}

type Spot = Pick<Target, "place" | "address" | "service">;

/** Ports that nobody is likely to have: the first that is free of those that are known is asked. */
const UNKNOWN_PORT = 9;
const HTTPS = 443;

/** What is sent to a port of a protocol. */
function kindsTo(protocol: Protocol, allPackets: boolean): readonly PacketKind[] {
  return allPackets ? [FIRST[protocol], ...OUT_OF_STATE[protocol]] : [FIRST[protocol]];
}

function atPort(spot: Spot, protocol: Protocol, port: number, allPackets: boolean): Target[] {
  return kindsTo(protocol, allPackets).map((kind) => ({ ...spot, port, kind, isUnknownPort: false }));
}

function externalSpots({ frontend }: ServedPort): Spot[] {
  const { externalIPs, vips, name: service } = frontend;
  return [
    ...externalIPs.map((address) => ({ place: "external IP" as const, address, service })),
    ...vips.map((address) => ({ place: "load balancer address" as const, address, service })),
  ];
}

const LOCALHOST = behind(LOOPBACK[4].address, 1);

/** A node's addresses on which nodePorts may answer: the loopback address too, of IPv4. */
function nodePortAddresses({ family, ownAddresses }: Facts): readonly Ip[] {
  return family === 4 ? [...ownAddresses, LOCALHOST] : ownAddresses;
}

/** What a node's own rules are to keep from others where nodePorts on localhost let it in (KUBE-FIREWALL). */
function localhostOf({ family, cluster }: Facts, port: number, allPackets: boolean): Target[] {
  if (family !== 4 || cluster !== undefined) return [];
  return atPort({ place: "node", address: LOCALHOST, service: "" }, "TCP", port, allPackets);
}

/** Virtual servers of IPVS that no Service has: somebody else's. */
function foreignServers({ family, ruleset }: Facts, allPackets: boolean): Target[] {
  return (ruleset.ipvs?.servers ?? []).flatMap((server) => {
    if (server.mark !== undefined || server.origin !== "" || familyOf(server.address) !== family) return [];
    const { address, protocol, port } = server;
    return atPort({ place: "virtual server", address, service: "" }, protocol, port, allPackets);
  });
}

/** An endpoint here and one elsewhere, asked by their own addresses. */
function someEndpoints({ reachable }: ServedPort, node: string): ProxyEndpoint[] {
  const here = reachable.find(({ given }) => given.nodeName === node);
  const elsewhere = reachable.find(({ given }) => given.nodeName !== node);
  return [here, elsewhere].filter((endpoint) => endpoint !== undefined);
}

function ofPort(facts: Facts, port: ServedPort, allPackets: boolean): Target[] {
  const { protocol, clusterIP, nodePort, healthCheckNodePort, name: service, port: number } = port.frontend;
  const clusterSpot = { place: "ClusterIP" as const, address: clusterIP, service };
  const onNode = (place: "nodePort" | "healthCheckNodePort", address: Ip) => ({ place, address, service });
  return [
    ...[clusterSpot, ...externalSpots(port)].flatMap((spot) => atPort(spot, protocol, number, allPackets)),
    ...(nodePort === 0 ? [] : nodePortAddresses(facts)).flatMap((address) =>
      atPort(onNode("nodePort", address), protocol, nodePort, allPackets),
    ),
    ...(healthCheckNodePort === 0 ? [] : facts.ownAddresses).flatMap((address) =>
      atPort(onNode("healthCheckNodePort", address), "TCP", healthCheckNodePort, false),
    ),
    ...someEndpoints(port, facts.ruleset.node).flatMap(({ address, port: at }) =>
      atPort({ place: "endpoint", address, service }, protocol, at, allPackets),
    ),
  ];
}

/** Ports that are known anywhere: a port beyond them is unknown to every Service and node. */
function unknownPort({ sides }: Ground): number {
  const known = new Set(
    sides.flatMap(({ served }) =>
      served.flatMap(({ frontend: { port, nodePort, healthCheckNodePort }, reachable }) => [
        port,
        nodePort,
        healthCheckNodePort,
        ...reachable.map((endpoint) => endpoint.port),
      ]),
    ),
  );
  let port = UNKNOWN_PORT;
  while (known.has(port)) port++;
  return port;
}

/** A Service's addresses and the node's, apart from their ports. */
function beyondPorts(spot: Spot, port: number, allPackets: boolean): Target[] {
  const unknown = atPort(spot, "TCP", port, allPackets).map((one) => ({ ...one, isUnknownPort: true }));
  const pings = allPackets ? [PING, STRAY_ERROR] : [PING];
  return [...unknown, ...pings.map((kind) => ({ ...spot, port: 0, kind, isUnknownPort: false }))];
}

function addressSpots({ served, ownAddresses }: Facts): Spot[] {
  const ofServices = served.flatMap((port) => {
    const { clusterIP, service } = port.frontend;
    const spots = [{ place: "ClusterIP" as const, address: clusterIP }, ...externalSpots(port)];
    return spots.map((spot) => ({ ...spot, service: `${service.namespace}/${service.name}` }));
  });
  return [
    ...ofServices,
    ...ownAddresses.map((address) => ({ place: "node" as const, address, service: "" })),
  ];
}

/** Addresses that are nobody's: one of each network of Services, and one outside. */
function emptySpots(ground: Ground): Spot[] {
  const networks = ground.sides.flatMap(({ cluster }) => cluster?.serviceCIDRs ?? []);
  const free = networks.map((network) => freeAddress(ground, network)).filter((one) => one !== undefined);
  return free.map((address) => ({ place: "unallocated ClusterIP", address, service: "" }));
}

export function targetKey({ address, port, kind }: Target): string {
  return `${kind.protocol} ${kind.name} ${address} ${port}`;
}

/** Examples are the first of their kind: a node is rather asked by its primary address than by its network plugin's. */
function inOrder(a: Target, b: Target, primaries: ReadonlySet<Ip>): number {
  return (
    PLACES.indexOf(a.place) - PLACES.indexOf(b.place) ||
    Number(primaries.has(b.address)) - Number(primaries.has(a.address)) ||
    (a.service < b.service ? -1 : Number(a.service > b.service)) ||
    compareIp(a.address, b.address) ||
    a.port - b.port ||
    a.kind.protocol.localeCompare(b.kind.protocol)
  );
}

/** Every kind of destination that either side knows, each once, in an order that does not depend on which is which. */
export function targetsOf(ground: Ground, allPackets: boolean): readonly Target[] {
  const port = unknownPort(ground);
  const outside = ground.outside[1];
  const primaries = new Set(ground.sides.flatMap(({ ownAddresses }) => ownAddresses.slice(0, 1)));
  const found = [
    ...ground.sides.flatMap((facts) => facts.served.flatMap((one) => ofPort(facts, one, allPackets))),
    ...ground.sides.flatMap((facts) =>
      addressSpots(facts).flatMap((spot) => beyondPorts(spot, port, allPackets)),
    ),
    ...emptySpots(ground).flatMap((spot) => [
      ...atPort(spot, "TCP", HTTPS, allPackets),
      { ...spot, port: 0, kind: PING, isUnknownPort: false },
    ]),
    ...(outside === undefined
      ? []
      : atPort({ place: "outside", address: outside, service: "" }, "TCP", HTTPS, allPackets)),
    ...ground.sides.flatMap((facts) => localhostOf(facts, port, allPackets)),
    ...ground.sides.flatMap((facts) => foreignServers(facts, allPackets)),
    ...ground.sides.flatMap((facts) =>
      ruleTargets(facts).flatMap(({ address, protocol, port: at }) =>
        atPort({ place: "address of a rule", address, service: "" }, protocol, at, allPackets),
      ),
    ),
  ].sort((a, b) => inOrder(a, b, primaries));
  return [...new Map(found.toReversed().map((target) => [targetKey(target), target])).values()].toReversed();
}
