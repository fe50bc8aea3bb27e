import { expectArgument, expectOptions } from "../arguments.js";
import { serverKey } from "../ruleset/identity.js";
import { matchOf, type ServiceMatch, type VirtualServer } from "../ruleset/ipvs.js";
import {
  type CountersByServer,
  type IpvsListingOptions,
  type IpvsStatistics,
  NOTHING_COUNTED,
  printIpvsListing,
  type RealServerCounters,
} from "../ruleset/ipvs-listing.js";
import type { RealServerMatch } from "../ruleset/ipvs-table.js";
import type { CountersOf } from "../ruleset/server-counters.js";
import type { Engine } from "./engine.js";
import { readDestinations } from "./ipvs-counters.js";
import { countersAmong, countersByServer } from "./listed-counters.js";

/** A real server, and what it has now. */
export interface RealServerState extends RealServerCounters, RealServerMatch {
  readonly weight: number;
}

/** A virtual server, and what was counted of it and of its real ones, in the order of their addition. */
export interface VirtualServerState {
  readonly service: ServiceMatch;
  readonly statistics: IpvsStatistics;
  readonly servers: readonly RealServerState[];
}

/** What an engine's virtual and real servers have; what is over at `now` (milliseconds) does not count. */
export function countersOf(engine: Engine, now = 0): CountersByServer {
  const isEngine = typeof engine?.ipvsCounters === "function";
  expectArgument(isEngine, engine, "whose servers are asked", "an Engine");
  return countersByServer(engine.ipvsCounters(now), engine.numbering);
}

/** A virtual server's real ones with what they have. */
export function serverStates(
  service: VirtualServer,
  counters: Pick<CountersByServer, "real">,
): readonly RealServerState[] {
  return service.servers.map((server) => {
    const { address, port, weight } = server;
    return { address, port, weight, ...(counters.real(service, server) ?? NOTHING_COUNTED) };
  });
}

/** The same of an engine's virtual server, of which alone is asked; TypeError for one that it does not have. */
export function ownStates(engine: Engine, service: VirtualServer, now = 0): readonly RealServerState[] {
  const key = serverKey(service);
  const number = engine.numbering.servers.findIndex((one) => one !== undefined && serverKey(one) === key);
  return serverStates(service, countersAmong(readDestinations(engine, number, now)));
}

/** All virtual servers of an engine with what was counted until `now`, in milliseconds. */
export function listServers(engine: Engine, now = 0): readonly VirtualServerState[] {
  const counters = countersOf(engine, now);
  const { connections, inPackets, outPackets, inOctets, outOctets } = NOTHING_COUNTED;
  const nothing = { connections, inPackets, outPackets, inOctets, outOctets };
  return (engine.ruleset.ipvs?.servers ?? []).map((service) => ({
    service: matchOf(service),
    statistics: counters.service(service) ?? nothing,
    servers: serverStates(service, counters),
  }));
}

/** What `Compilation.terminate` asks: how many connections real servers have at `now`, in milliseconds. */
export function serverCounters(engine: Engine, now = 0): CountersOf {
  const counters = countersOf(engine, now);
  return (service) => serverStates(service, counters);
}

/** `ipvsadm -Ln` of an engine, octet for octet; what is over at `now` (milliseconds) does not count. */
export function printServers(
  engine: Engine,
  options: IpvsListingOptions & { readonly now?: number } = {},
): string {
  expectOptions(options, "printServers()");
  const { now = 0, ...rest } = options;
  const counters = countersOf(engine, now);
  return printIpvsListing(engine.ruleset.ipvs ?? { servers: [] }, counters, rest);
}
