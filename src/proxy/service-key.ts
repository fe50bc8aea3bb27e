import type { Ip } from "../net/ip.js";
import type { Protocol } from "../net/port.js";

const PROTOCOL_BITS: Record<Protocol, number> = { TCP: 0, UDP: 1, SCTP: 2 };

/** One value for an address, protocol and port: for IPv4 a number below 2^50. Without an address for the port alone. */
export function serviceKey(ip: Ip | undefined, protocol: Protocol, port: number): number | string {
  const low = port * 4 + PROTOCOL_BITS[protocol];
  if (typeof ip === "bigint") return `${ip} ${low}`;
  return (ip ?? 0) * 2 ** 18 + low;
}
