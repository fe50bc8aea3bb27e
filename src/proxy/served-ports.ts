import type { ServiceObjects } from "../model/service-objects.js";
import { joinSlices, type ProxyEndpoint } from "./endpoints.js";
import { type Frontend, frontendsOf } from "./frontends.js";

/** A service port and every endpoint behind it. */
export interface ServedPort {
  readonly frontend: Frontend;
  readonly endpoints: readonly ProxyEndpoint[];
}

/** The IPv4 ports of a Service that kube-proxy serves; none where there are only slices. */
export function servedPorts({ service, slices }: ServiceObjects): readonly ServedPort[] {
  if (service === undefined) return [];
  return frontendsOf(service).map((frontend) => ({ frontend, endpoints: joinSlices(slices, frontend) }));
}

/** How many endpoints the ports have in all, in any state. */
export function countEndpoints(ports: readonly ServedPort[]): number {
  return ports.reduce((sum, { endpoints }) => sum + endpoints.length, 0);
}
