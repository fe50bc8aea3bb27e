import type { Key } from "../fragment/front-end.js";
import type { Protocol } from "../net/port.js";
import type { ProxyEndpoint } from "./endpoints.js";
import type { Frontend } from "./frontends.js";
import { serviceKey } from "./service-key.js";

/** The chains that one service port has for its endpoints, side by side with whose they are. */
export interface EndpointChains<C> {
  /** The service port's name and protocol. */
  readonly port: string;
  readonly protocol: Protocol;
  /** They remember clients, for session affinity. */
  readonly sticky: boolean;
  readonly keys: readonly Key[];
  readonly chains: readonly C[];
}

function keyOf({ protocol }: Frontend, { address, port }: ProxyEndpoint): Key {
  return serviceKey(address, protocol, port);
}

/** The chains of some of the endpoints, which stand in the order of all those that have one: mostly they are all. */
export function chainsAmong<C>(
  some: readonly ProxyEndpoint[],
  all: readonly ProxyEndpoint[],
  chains: readonly C[],
): readonly C[] {
  if (some.length === all.length) return chains;
  const chosen = new Set(some);
  return chains.filter((_, index) => chosen.has(all[index] as ProxyEndpoint));
}

/** The chain of each endpoint. What was written for it before is taken again: its name is a hash that costs time. */
export function endpointChains<C>(
  frontend: Frontend,
  endpoints: readonly ProxyEndpoint[],
  before: readonly EndpointChains<C>[],
  write: (endpoint: ProxyEndpoint) => C,
): EndpointChains<C> {
  const { name: port, protocol } = frontend;
  const sticky = frontend.affinitySeconds !== undefined;
  const keys = endpoints.map((endpoint) => keyOf(frontend, endpoint));
  const known = before.find((one) => {
    return one.port === port && one.protocol === protocol && one.sticky === sticky;
  });
  if (known === undefined) return { port, protocol, sticky, keys, chains: endpoints.map(write) };
  const chainOf = new Map(known.keys.map((key, index) => [key, known.chains[index] as C]));
  return {
    port,
    protocol,
    sticky,
    keys,
    chains: endpoints.map((endpoint, index) => chainOf.get(keys[index] as Key) ?? write(endpoint)),
  };
}
