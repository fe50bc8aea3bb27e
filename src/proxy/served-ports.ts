import type { ServiceObjects } from "../model/service-objects.js";
import type { Family } from "../net/ip.js";
import { joinSlices, type ProxyEndpoint } from "./endpoints.js";
import { type Frontend, frontendsOf } from "./frontends.js";

/** A service port and every endpoint behind it. */
export interface ServedPort {
  readonly frontend: Frontend;
  readonly endpoints: readonly ProxyEndpoint[];
}

/** The ports of a Service that kube-proxy serves in one family; none where there are only slices. */
export function servedPorts({ service, slices }: ServiceObjects, family: Family = 4): readonly ServedPort[] {
  if (service === undefined) return [];
  return frontendsOf(service, family).map((frontend) => {
    return { frontend, endpoints: joinSlices(slices, frontend, family) };
  });
}

/** How many endpoints the ports have in all, in any state. */
export function countEndpoints(ports: readonly ServedPort[]): number {
  return ports.reduce((sum, { endpoints }) => sum + endpoints.length, 0);
}
