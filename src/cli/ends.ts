import { type Cluster, InputError } from "../index.js";
import { type Family, familyOf, type Ip, printIp } from "../net/ip.js";
import type { Protocol } from "../net/port.js";
import { UsageError } from "./errors.js";
import type { Mention } from "./mention.js";
import { elsewhere, findPod } from "./pods.js";

type Pod = Cluster["pods"][number];
type Service = Cluster["services"][number];

/** One end of a packet, found in the cluster. */
export interface End {
  /** `pod/shop/cart`, with the name in full; the address itself where nothing is called so. */
  readonly name: string;
  readonly address: Ip;
  /** 0 where none is known. */
  readonly port: number;
  /** The node it lives on; undefined for what is outside or everywhere. */
  readonly node?: string;
  /** What the port is declared for; undefined where it is not declared. */
  readonly protocol?: Protocol;
}

/** An end that may have an address of each family. */
type Candidate = Omit<End, "address"> & { readonly addresses: readonly Ip[] };

const MAX_PORT = 65535;

function refuse(object: string, message: string): InputError {
  return new InputError([{ severity: "error", place: { object }, message }]);
}

function some(addresses: readonly Ip[], object: string): readonly Ip[] {
  if (addresses.length === 0) throw refuse(object, "has no address.");
  return addresses;
}

/** A few names, to choose from. */
function printNames(names: readonly string[]): string {
  if (names.length === 0) return "there is none";
  const more = names.length > 10 ? ` and ${names.length - 10} more` : "";
  return `there is ${names.slice(0, 10).join(", ")}${more}`;
}

/** The number that a port's text is, 1 to 65535; undefined for a name. */
function portNumber(text: string): number | undefined {
  if (!/^[0-9]+$/.test(text)) return undefined;
  const port = Number(text);
  if (port >= 1 && port <= MAX_PORT) return port;
  throw new UsageError(`«${text}» is no port: it is a number from 1 to ${MAX_PORT}, or a name.`);
}

interface NamedPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: Protocol;
}

/** The declared port that a text names, of the wanted protocol where one is wanted. */
function declaredPort<T extends NamedPort>(
  ports: readonly T[],
  text: string | undefined,
  protocol: Protocol | undefined,
): T | undefined {
  const suits = (port: T) => protocol === undefined || port.protocol === protocol;
  const named = ports.filter(
    ({ name, port }) => text === undefined || name === text || String(port) === text,
  );
  return named.find(suits);
}

/** A name that is declared, but for another protocol than the one that is asked for. */
function refuseProtocol(object: string, text: string, { protocol }: NamedPort): InputError {
  const option = `, or give --protocol ${protocol.toLowerCase()}`;
  return refuse(object, `the port «${text}» is of ${protocol}: leave --protocol out${option}.`);
}

/** The port of an end: as declared, as its number says, or 0; a name must be declared. */
function endPort(
  object: string,
  ports: readonly NamedPort[],
  text: string | undefined,
  protocol: Protocol | undefined,
): Pick<End, "port" | "protocol"> {
  const declared = declaredPort(ports, text, protocol);
  if (declared !== undefined) return { port: declared.port, protocol: declared.protocol };
  const port = text === undefined ? 0 : portNumber(text);
  if (port !== undefined) return { port };
  const other = declaredPort(ports, text, undefined);
  if (text !== undefined && other !== undefined) throw refuseProtocol(object, text, other);
  const known = ports.map(({ name, port }) => (name === "" ? `${port}` : `${name} (${port})`));
  throw refuse(object, `no port is called «${text}»: ${printNames(known)}.`);
}

function podEnd(pod: Pod, text: string | undefined, protocol: Protocol | undefined): Candidate {
  const object = `Pod ${pod.namespace}/${pod.name}`;
  return {
    name: `pod/${pod.namespace}/${pod.name}`,
    addresses: some(pod.podIPs, object),
    node: pod.nodeName,
    ...endPort(object, pod.ports, text, protocol),
  };
}

function serviceEnd(service: Service, text: string | undefined, protocol: Protocol | undefined): Candidate {
  const object = `Service ${service.namespace}/${service.name}`;
  if (service.clusterIPs.length === 0) {
    const why = service.headless ? "is headless" : `is of type ${service.type}`;
    throw refuse(object, `${why} and has no ClusterIP: name one of its Pods.`);
  }
  if (text === undefined && service.ports.length > 1) {
    const names = service.ports.map(({ name, port }) => name || `${port}`);
    throw refuse(object, `has several ports: name one of ${names.join(", ")}, as in svc/…:${names[0]}.`);
  }
  return {
    name: `svc/${service.namespace}/${service.name}`,
    addresses: service.clusterIPs,
    ...endPort(object, service.ports, text ?? onlyPort(service), protocol),
  };
}

/** The one port of a Service, which need not be written. */
function onlyPort({ ports }: Service): string | undefined {
  const [port] = ports;
  return port && (port.name || String(port.port));
}

function findService(cluster: Cluster, namespace: string, name: string): Service {
  const found = cluster.services.find((one) => one.namespace === namespace && one.name === name);
  if (found !== undefined) return found;
  const names = cluster.services.filter((one) => one.namespace === namespace).map((one) => one.name);
  throw refuse(
    `Service ${namespace}/${name}`,
    `is not in the cluster; in the namespace ${printNames(names)}${elsewhere(cluster.services, "svc", name)}`,
  );
}

/** Who answers on a nodePort says which protocol it is of. */
function nodePortProtocol(cluster: Cluster, port: number): Pick<End, "protocol"> {
  const ports = cluster.services.flatMap((service) => service.ports);
  const found = ports.find(({ nodePort }) => nodePort !== 0 && nodePort === port);
  return found === undefined ? {} : { protocol: found.protocol };
}

function nodeEnd(cluster: Cluster, name: string, text: string | undefined): Candidate {
  const node = cluster.nodes.find((one) => one.name === name);
  if (node === undefined) {
    const names = cluster.nodes.map((one) => one.name);
    throw refuse(`Node ${name}`, `is not in the cluster; ${printNames(names)}.`);
  }
  const port = text === undefined ? 0 : portNumber(text);
  if (port === undefined) throw refuse(`Node ${name}`, `has no port called «${text}»: write its number.`);
  const addresses = some(node.internalIPs, `Node ${name}`);
  return { name: `node/${name}`, addresses, port, node: name, ...nodePortProtocol(cluster, port) };
}

/** An address is taken for whom it belongs to, so that the packet starts at the right node. */
function addressEnd(cluster: Cluster, address: Ip, text: string | undefined): Candidate {
  const pod = cluster.pods.find(({ podIPs }) => podIPs.includes(address));
  const node = cluster.nodes.find(({ internalIPs }) => internalIPs.includes(address))?.name ?? pod?.nodeName;
  const port = text === undefined ? 0 : (portNumber(text) ?? 0);
  return { name: printIp(address), addresses: [address], port, ...(node === undefined ? {} : { node }) };
}

/** Finds an end in the cluster; `protocol` chooses among ports of one number. */
function findEnd(cluster: Cluster, mention: Mention, protocol: Protocol | undefined): Candidate {
  switch (mention.kind) {
    case "address":
      return addressEnd(cluster, mention.address, mention.port);
    case "pod":
      return podEnd(findPod(cluster, mention.namespace, mention.name), mention.port, protocol);
    case "svc":
      return serviceEnd(findService(cluster, mention.namespace, mention.name), mention.port, protocol);
    case "node":
      return nodeEnd(cluster, mention.name, mention.port);
  }
}

function inFamily({ addresses, ...end }: Candidate, family: Family): End | undefined {
  const address = addresses.find((one) => familyOf(one) === family);
  return address === undefined ? undefined : { ...end, address };
}

/** A packet has one family: IPv4 where both ends have it. */
function inOneFamily(from: Candidate, to: Candidate): { readonly from: End; readonly to: End } {
  for (const family of [4, 6] as const) {
    const [source, destination] = [inFamily(from, family), inFamily(to, family)];
    if (source !== undefined && destination !== undefined) return { from: source, to: destination };
  }
  const families = [from, to].map(({ addresses }) => `IPv${familyOf(addresses[0] ?? 0)}`);
  throw new UsageError(
    `${from.name} is of ${families[0]} and ${to.name} of ${families[1]}: no packet has both.`,
  );
}

/**
 * Finds both ends of a packet in the cluster, at addresses of one family: UsageError where they have none in common.
 * InputError where nothing is called so, with what there is.
 */
export function findEnds(
  cluster: Cluster,
  source: Mention,
  destination: Mention,
  protocol?: Protocol,
): { readonly from: End; readonly to: End } {
  return inOneFamily(findEnd(cluster, source, protocol), findEnd(cluster, destination, protocol));
}
