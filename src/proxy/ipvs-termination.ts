import type { Key } from "../fragment/front-end.js";
import type { Protocol } from "../net/port.js";
import type { AddressedServer, RealServer } from "../ruleset/ipvs.js";
import type { CountersOf } from "../ruleset/server-counters.js";
import { serviceKey } from "./service-key.js";

/** kube-proxy lets the connections of TCP end; those of UDP and SCTP go with their endpoint (util/ipvs.go). */
const GRACEFUL: readonly Protocol[] = ["TCP"];

const nameOf = ({ address, port }: Pick<RealServer, "address" | "port">) => `${address} ${port}`;

/** It is on kube-proxy's list of those that are deleted once nobody is connected: all others have weight 1. */
const isTerminating = ({ weight }: RealServer) => weight === 0;

/** The real servers of a kernel after a sync, in the order of their addition. */
function succeed(
  protocol: Protocol,
  before: readonly RealServer[],
  wanted: readonly RealServer[],
): readonly RealServer[] {
  const names = new Set(wanted.map(nameOf));
  const staying = before.flatMap((server) => {
    // One that returns is deleted, and added again behind all others.
    if (names.has(nameOf(server))) return isTerminating(server) ? [] : [server];
    if (isTerminating(server)) return [server];
    return GRACEFUL.includes(protocol) ? [{ ...server, weight: 0, lastWeight: server.weight }] : [];
  });
  const there = new Set(staying.map(nameOf));
  return [...staying, ...wanted.filter((server) => !there.has(nameOf(server)))];
}

type Servers = readonly AddressedServer[];

const keyOf = ({ address, protocol, port }: AddressedServer) => serviceKey(address, protocol, port);

function byKey(servers: Servers): ReadonlyMap<Key, AddressedServer> {
  return new Map(servers.map((server) => [keyOf(server), server]));
}

/**
 * A Service's virtual servers after a sync: endpoints that left stay with weight 0, those that came are the newest
 * (syncEndpoint and GracefulDeleteRS of kube-proxy's pkg/proxy/ipvs). A virtual server that goes takes all with it.
 */
export function syncServers(before: Servers, wanted: Servers): Servers {
  if (before.length === 0) return wanted;
  const old = byKey(before);
  return wanted.map((server) => {
    const was = old.get(keyOf(server));
    if (was === undefined) return server;
    return { ...server, servers: succeed(server.protocol, was.servers, server.servers) };
  });
}

/**
 * The virtual servers as they stand in the middle of a sync, without endpoints that return while they are on the list:
 * these are deleted, and added again behind all others. Undefined where there are none.
 */
export function withoutReturning(before: Servers, wanted: Servers): Servers | undefined {
  if (!before.some(({ servers }) => servers.some(isTerminating))) return undefined;
  const next = byKey(wanted);
  let isAny = false;
  const without = before.map((server) => {
    const names = new Set(
      next.get(keyOf(server))?.servers.flatMap((one) => (isTerminating(one) ? [] : nameOf(one))),
    );
    const servers = server.servers.filter((one) => !isTerminating(one) || !names.has(nameOf(one)));
    if (servers.length === server.servers.length) return server;
    isAny = true;
    return { ...server, servers };
  });
  return isAny ? without : undefined;
}

/** The virtual servers without those endpoints that left and have no connection any more; itself where all have. */
export function withoutIdle(servers: Servers, countersOf: CountersOf): Servers {
  let isAny = false;
  const left = servers.map((server) => {
    if (!server.servers.some(isTerminating)) return server;
    const busy = new Set(
      countersOf(server)
        .filter(({ active, inactive }) => active + inactive > 0)
        .map(nameOf),
    );
    const staying = server.servers.filter((one) => !isTerminating(one) || busy.has(nameOf(one)));
    if (staying.length === server.servers.length) return server;
    isAny = true;
    return { ...server, servers: staying };
  });
  return isAny ? left : servers;
}
