import type { Ip } from "../net/ip.js";
import { type HostPort, PROTOCOL_NUMBER, type Protocol, printHostPort } from "../net/port.js";

/** A connection of kernel IPVS, or a template: what persistence remembers of a client, whose port is 0. */
export interface IpvsConnection {
  /** `IP`: a template of a firewall mark. */
  readonly protocol: Protocol | "IP";
  /** Whole seconds until it is forgotten, rounded down. */
  readonly expires: number;
  /** As the kernel names it: ESTABLISHED, FIN_WAIT, …; of templates NONE or ASSURED. */
  readonly state: string;
  readonly client: Ip;
  readonly clientPort: number;
  /** Of a mark's template the mark stands for the address, or for the first word of an IPv6 one. */
  readonly virtual: Ip;
  readonly virtualPort: number;
  readonly destination: Ip;
  readonly destinationPort: number;
}

/** A connection as an engine has it (Engine.ipvsConnections). */
export interface LiveConnection {
  /** Of IP; 0 of the template of a firewall mark. */
  readonly protocol: number;
  readonly state: string;
  readonly client: HostPort;
  readonly virtual: HostPort;
  readonly real: HostPort;
  /** Milliseconds. */
  readonly timeout: number;
}

function protocolName(number: number): IpvsConnection["protocol"] {
  const names = Object.keys(PROTOCOL_NUMBER) as Protocol[];
  return names.find((name) => PROTOCOL_NUMBER[name] === number) ?? "IP";
}

/** As it is listed. */
export function listedConnection(connection: LiveConnection): IpvsConnection {
  const { protocol, state, client, virtual, real, timeout } = connection;
  return {
    protocol: protocolName(protocol),
    expires: Math.floor(timeout / 1000),
    state,
    client: client.address,
    clientPort: client.port,
    virtual: virtual.address,
    virtualPort: virtual.port,
    destination: real.address,
    destinationPort: real.port,
  };
}

const pad = (text: string | number, width: number) => String(text).padEnd(width);
const two = (number: number) => String(number).padStart(2, "0");

function printExpiry(seconds: number): string {
  return `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
}

/** One line of `ipvsadm -Lnc`. */
export function printIpvsConnection(connection: IpvsConnection): string {
  const { protocol, expires, state, client, virtual, destination } = connection;
  return [
    pad(protocol, 3),
    pad(printExpiry(expires), 6),
    pad(state, 11),
    pad(printHostPort(client, connection.clientPort), 18),
    pad(printHostPort(virtual, connection.virtualPort), 18),
    printHostPort(destination, connection.destinationPort),
  ].join(" ");
}

/** `ipvsadm -Lnc` (1.31), in the order given; the kernel's own order is that of its hash table. */
export function printIpvsConnections(connections: readonly IpvsConnection[]): string {
  const titles = [pad("state", 11), pad("source", 18), pad("virtual", 18), "destination"].join(" ");
  const lines = connections.map((one) => `${printIpvsConnection(one)}\n`);
  return `IPVS connection entries\npro expire ${titles}\n${lines.join("")}`;
}
