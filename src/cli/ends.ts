import { type Cluster, InputError } from "../index.js";
import { printIp } from "../net/ip.js";
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
  readonly address: number;
  /** 0 where none is known. */
  readonly port: number;
  /** The node it lives on; undefined for what is outside or everywhere. */
  readonly node?: string;
  /** What the port is declared for; undefined where it is not declared. */
  readonly protocol?: Protocol;
}

const MAX_PORT = 65535;

function refuse(object: string, message: string): InputError {
  return new InputError([{ severity: "error", place: { object }, message }]);
}

function ip4(addresses: readonly unknown[], object: string): number {
  const address = addresses.find((one): one is number => typeof one === "number");
  if (address === undefined) throw refuse(object, "has no IPv4 address.");
  return address;
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
  const option = protocol === "SCTP" ? "" : `, or give --protocol ${protocol.toLowerCase()}`;
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

function podEnd(pod: Pod, text: string | undefined, protocol: Protocol | undefined): End {
  const object = `Pod ${pod.namespace}/${pod.name}`;
  return {
    name: `pod/${pod.namespace}/${pod.name}`,
    address: ip4(pod.podIPs, object),
    node: pod.nodeName,
    ...endPort(object, pod.ports, text, protocol),
  };
}

function serviceEnd(service: Service, text: string | undefined, protocol: Protocol | undefined): End {
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
    address: ip4(service.clusterIPs, object),
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

function nodeEnd(cluster: Cluster, name: string, text: string | undefined): End {
  const node = cluster.nodes.find((one) => one.name === name);
  if (node === undefined) {
    const names = cluster.nodes.map((one) => one.name);
    throw refuse(`Node ${name}`, `is not in the cluster; ${printNames(names)}.`);
  }
  const port = text === undefined ? 0 : portNumber(text);
  if (port === undefined) throw refuse(`Node ${name}`, `has no port called «${text}»: write its number.`);
  const address = ip4(node.internalIPs, `Node ${name}`);
  return { name: `node/${name}`, address, port, node: name, ...nodePortProtocol(cluster, port) };
}

/** An address is taken for whom it belongs to, so that the packet starts at the right node. */
function addressEnd(cluster: Cluster, address: number, text: string | undefined): End {
  const pod = cluster.pods.find(({ podIPs }) => podIPs.includes(address));
  const node = cluster.nodes.find(({ internalIPs }) => internalIPs.includes(address))?.name ?? pod?.nodeName;
  const port = text === undefined ? 0 : (portNumber(text) ?? 0);
  return { name: printIp(address), address, port, ...(node === undefined ? {} : { node }) };
}

/**
 * Finds an end in the cluster. InputError where nothing is called so, with what there is; `protocol` chooses among
 * ports of one number.
 */
export function findEnd(cluster: Cluster, mention: Mention, protocol?: Protocol): End {
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
