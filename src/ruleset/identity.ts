import { familyOf, type Ip } from "../net/ip.js";
import { PROTOCOL_NUMBER, type Protocol } from "../net/port.js";
import { type Prefix, printPrefix } from "../net/prefix.js";
import type { IpSet, IpSetEntry } from "./ipset.js";
import type { ServiceMatch } from "./ipvs.js";
import type { Neighbour } from "./neighbours.js";
import type { NftMapElement } from "./nftables.js";
import type { FdbEntry } from "./vxlan.js";

/** What tells the parts of a ruleset apart: a kernel holds one of each key. Keys are for maps, not for people. */

export function prefixKey(prefix: Prefix): string {
  return printPrefix(prefix);
}

/** 0 of IPv4 and of IPv6 are two addresses. */
export function ipKey(ip: Ip): string {
  return familyOf(ip) === 4 ? `${ip}` : `${ip}n`;
}

export function neighbourKey({ dev, address }: Pick<Neighbour, "dev" | "address">): string {
  return `${dev} ${ipKey(address)}`;
}

export function fdbKey({ dev, mac }: Pick<FdbEntry, "dev" | "mac">): string {
  return `${dev} ${mac}`;
}

function protocolPort(protocol: Protocol, port: number): number {
  return PROTOCOL_NUMBER[protocol] * 65536 + port;
}

export function serverKey(service: ServiceMatch): string {
  if (service.mark !== undefined) return `mark ${service.mark} ${service.family}`;
  return `${protocolPort(service.protocol, service.port)} ${ipKey(service.address)}`;
}

/** Fields that a set of the type does not have do not count. */
export function ipSetEntryKey(type: IpSet["type"], entry: IpSetEntry): string {
  const { ip = 0, protocol = "TCP", port = 0, ip2 = 0, net } = entry;
  if (type === "bitmap:port") return `${port}`;
  if (type === "hash:ip") return ipKey(ip);
  const keys = type.includes("port") ? [`${protocolPort(protocol, port)}`] : [];
  if (type.startsWith("hash:ip")) keys.push(ipKey(ip));
  if (type === "hash:ip,port,ip") keys.push(ipKey(ip2));
  if (net !== undefined && type.includes("net")) keys.push(prefixKey(net));
  return keys.join(" ");
}

export function elementKey({
  address,
  protocol,
  port,
}: Pick<NftMapElement, "address" | "protocol" | "port">): string {
  const key = `${protocolPort(protocol, port)}`;
  return address === undefined ? key : `${key} ${ipKey(address)}`;
}
