import type { Ip } from "../net/ip.js";
import { serverKey } from "../ruleset/identity.js";
import type { RealServer } from "../ruleset/ipvs.js";
import type { CountersByServer, RealServerCounters } from "../ruleset/ipvs-listing.js";
import type { Numbering } from "../trace/numbering.js";
import type { IpvsCounters, IpvsDestination } from "./ipvs-counters.js";

const keyOf = (service: number, address: Ip, port: number) => `${service} ${BigInt(address)} ${port}`;

function countersOf({ statistics, active, inactive, persistent }: IpvsDestination): RealServerCounters {
  return { ...statistics, active, inactive, persistent };
}

/** What destinations of one virtual server have. */
export function countersAmong(destinations: readonly IpvsDestination[]): Pick<CountersByServer, "real"> {
  const keyOf = (address: Ip, port: number) => `${BigInt(address)} ${port}`;
  const reals = new Map(destinations.map((one) => [keyOf(one.address, one.port), countersOf(one)]));
  return { real: (_, { address, port }) => reals.get(keyOf(address, port)) };
}

/** What the machine counts by its numbers, by the servers that a listing names. */
export function countersByServer(
  { destinations, services }: IpvsCounters,
  { servers }: Pick<Numbering, "servers">,
): CountersByServer {
  const numbers = new Map(
    servers.flatMap((server, number) => (server === undefined ? [] : [[serverKey(server), number]])),
  );
  const reals = new Map<string, RealServerCounters>();
  for (const one of destinations)
    if (one.service !== undefined) reals.set(keyOf(one.service, one.address, one.port), countersOf(one));
  return {
    service: (service) => services[numbers.get(serverKey(service)) ?? -1],
    real: (service, { address, port }: RealServer) =>
      reals.get(keyOf(numbers.get(serverKey(service)) ?? -1, address, port)),
  };
}
