import {
  ENCAP_FLAG_CHECKSUM,
  ENCAP_FLAG_REMOTE_CHECKSUM,
  ENCAP_GRE,
  ENCAP_GUE,
  ENCAP_IPIP,
  FORWARD_DIRECT,
  FORWARD_MASQUERADE,
  FORWARD_TUNNEL,
  SERVICE_FLAG_ONE_PACKET,
  SERVICE_FLAG_PERSISTENT,
} from "../../../assembly/abi/server.js";
import { PROTOCOL_NUMBER } from "../../net/port.js";
import { familyOfService, type RealServer, type Tunnel, type VirtualServer } from "../../ruleset/ipvs.js";
import { schedulerOf } from "./schedulers.js";
import { type Words, wordsOf6 } from "./words.js";

/** IPVS as rows: virtual servers (SERVER_ROW_…), and real ones (SERVER_…). */

const ENCAPS = { ipip: ENCAP_IPIP, gue: ENCAP_GUE, gre: ENCAP_GRE } as const;
const CHECKSUMS = { csum: ENCAP_FLAG_CHECKSUM, remcsum: ENCAP_FLAG_REMOTE_CHECKSUM } as const;

/** Behind the forwarding method. */
function encapOf(tunnel: Tunnel): number {
  const checksum = tunnel.tunnel === "ipip" ? undefined : tunnel.checksum;
  return (ENCAPS[tunnel.tunnel] << 8) | (checksum === undefined ? 0 : CHECKSUMS[checksum] << 16);
}

function forwardingOf({ forwarding }: RealServer): number {
  if (forwarding === undefined) return FORWARD_MASQUERADE;
  return forwarding === "direct" ? FORWARD_DIRECT : FORWARD_TUNNEL | encapOf(forwarding);
}

function tunnelPortOf({ forwarding }: RealServer): number {
  return typeof forwarding === "object" && forwarding.tunnel === "gue" ? forwarding.port : 0;
}

/** The virtual server's, behind how packets are forwarded. */
function protocolOf(service: VirtualServer): number {
  return service.mark === undefined ? PROTOCOL_NUMBER[service.protocol] << 24 : 0;
}

export function pushReals(rows: Words, service: VirtualServer): void {
  for (const server of service.servers) {
    const { address, port, weight, lastWeight = 0, upperThreshold = 0, lowerThreshold = 0 } = server;
    const [first, second, third, last] = wordsOf6(BigInt(address));
    rows.push(last, port, weight, lastWeight, first, second, third, 0);
    const forward = forwardingOf(server) | protocolOf(service);
    rows.push(upperThreshold, lowerThreshold, forward, tunnelPortOf(server), 0, 0, 0, 0);
  }
}

/** Which of a client's addresses are one to persistence: all bits count where nothing is said. */
function netmaskOf(server: VirtualServer): number {
  return server.netmask ?? (familyOfService(server) === 4 ? 0xffffffff : 128);
}

/** A virtual server; `flags` are further ones (SERVICE_FLAG_…). */
export function pushServer(rows: Words, server: VirtualServer, number: number, flags = 0): void {
  const { persistence, onePacket } = server;
  const own =
    (persistence === undefined ? 0 : SERVICE_FLAG_PERSISTENT) | (onePacket ? SERVICE_FLAG_ONE_PACKET : 0);
  rows.push(number, server.servers.length, schedulerOf(server), flags | own);
  rows.push(persistence ?? 0, persistence === undefined ? 0 : netmaskOf(server));
  rows.push(server.port ?? 0, server.mark ?? 0);
}
