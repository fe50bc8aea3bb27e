import { PROTO_ICMP, PROTO_ICMP6 } from "../../assembly/abi/wire.js";
import { type Ip, printIp } from "../net/ip.js";
import { PROTOCOL_NUMBER, printHostPort } from "../net/port.js";
import type { Ruleset } from "../ruleset/ruleset.js";

const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map([
  [PROTO_ICMP, "icmp"],
  [PROTO_ICMP6, "icmp6"],
  ...Object.entries(PROTOCOL_NUMBER).map(([name, code]) => [code, name.toLowerCase()] as const),
]);

/** `tcp`; `protocol 47` for one without a name here. */
export function printProtocolNumber(code: number): string {
  return PROTOCOL_NAMES.get(code) ?? `protocol ${code}`;
}

export function hasPorts(protocol: number): boolean {
  return protocol !== PROTO_ICMP && protocol !== PROTO_ICMP6 && PROTOCOL_NAMES.has(protocol);
}

/** One end of a packet: `10.244.1.7:41000`, or the address alone where there are no ports. */
export function printEnd(address: Ip, port: number, protocol: number): string {
  return hasPorts(protocol) ? printHostPort(address, port) : printIp(address);
}

/** As tcpdump writes an end: `10.244.1.7.41000`. */
export function printDotted(address: Ip, port: number, protocol: number): string {
  return hasPorts(protocol) ? `${printIp(address)}.${port}` : printIp(address);
}

/** `pod/shop/cart` where the ruleset knows the address, else the address. */
export function nameOrAddress(ruleset: Ruleset, address: Ip): string {
  return ruleset.names.get(address) ?? printIp(address);
}

/** ` (pod/shop/cart > svc/shop/web)`; nothing where neither end has a name. */
export function printNames(ruleset: Ruleset, src: Ip, dst: Ip): string {
  if (!ruleset.names.has(src) && !ruleset.names.has(dst)) return "";
  return ` (${nameOrAddress(ruleset, src)} > ${nameOrAddress(ruleset, dst)})`;
}
