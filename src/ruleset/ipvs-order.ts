import type { Ip } from "../net/ip.js";
import { PROTOCOL_NUMBER } from "../net/port.js";
import { familyOfService, type Ipvs, type RealServer, type VirtualServer } from "./ipvs.js";

/** The four words of an address; the first alone of an IPv4 one, as the tool keeps it. */
function wordsOf(address: Ip): readonly number[] {
  if (typeof address === "number") return [address];
  return [96n, 64n, 32n, 0n].map((shift) => Number((address >> shift) & 0xffffffffn));
}

/** The first difference, as the tool has it in 32 bits with a sign: 192.0.0.0 stands before 10.0.0.0. */
function firstDifference(a: readonly number[], b: readonly number[]): number {
  for (const [index, word] of a.entries()) {
    const difference = (word - (b[index] ?? 0)) | 0;
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareServices(a: VirtualServer, b: VirtualServer): number {
  return firstDifference(serviceWords(a), serviceWords(b));
}

/** What is compared, in this order; families are AF_INET (2) and AF_INET6 (10). */
function serviceWords(service: VirtualServer): readonly number[] {
  const family = familyOfService(service) === 6 ? 10 : 2;
  if (service.mark !== undefined) return [service.mark, family];
  const { protocol, address, port } = service;
  return [0, family, PROTOCOL_NUMBER[protocol], ...wordsOf(address), port];
}

function compareServers(a: RealServer, b: RealServer): number {
  const [ofA, ofB] = [wordsOf(a.address), wordsOf(b.address)];
  return firstDifference([...ofA, a.port], [...ofA.map((_, index) => ofB[index] ?? 0), b.port]);
}

/**
 * In ipvsadm's order (libipvs, ipvs_cmp_services and ipvs_cmp_dests): virtual servers by mark, family, protocol, address
 * and port, their real ones by address and port. Where three lie so far apart that this is no order, the tool's own
 * depends on where the kernel keeps them.
 */
export function sortIpvs(ipvs: Ipvs): Ipvs {
  const servers = ipvs.servers.map((server) => {
    return { ...server, servers: server.servers.toSorted(compareServers) };
  });
  return { ...ipvs, servers: servers.sort(compareServices) };
}
