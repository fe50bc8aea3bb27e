import { type Family, familyOf } from "../net/ip.js";
import { type Endpoint, type EndpointSlice, parseEndpointPorts, parseTargetRef } from "./endpointslice.js";
import type { Field } from "./fields.js";
import { parseMetadata } from "./metadata.js";

/**
 * Reads a v1 Endpoints object as the EndpointSlices that the mirroring controller would make of it: one for each
 * subset and family. An object without addresses gives one empty slice.
 */
export function parseEndpoints(object: Field): readonly EndpointSlice[] {
  const { namespace, name } = parseMetadata(object);
  const slices = object
    .at("subsets")
    .items()
    .flatMap((subset, index) => {
      const ports = parseEndpointPorts(subset.at("ports").items());
      const endpoints = parseAddresses(subset);
      return ([4, 6] as const).flatMap((family) =>
        sliceOf(namespace, `${name}-${index}`, family, { ports, endpoints, serviceName: name }),
      );
    });
  if (slices.length > 0) return slices;
  return [{ namespace, name: `${name}-0`, serviceName: name, family: 4, ports: [], endpoints: [] }];
}

function sliceOf(
  namespace: string,
  name: string,
  family: Family,
  content: Pick<EndpointSlice, "ports" | "endpoints" | "serviceName">,
): readonly EndpointSlice[] {
  const endpoints = content.endpoints.filter(({ address }) => familyOf(address) === family);
  const suffix = family === 6 ? "-ipv6" : "";
  return endpoints.length === 0 ? [] : [{ ...content, namespace, name: name + suffix, family, endpoints }];
}

function parseAddresses(subset: Field): readonly Endpoint[] {
  const ready = subset
    .at("addresses")
    .items()
    .map((item) => parseAddress(item, true));
  const notReady = subset
    .at("notReadyAddresses")
    .items()
    .map((item) => parseAddress(item, false));
  return [...ready, ...notReady].filter((endpoint) => endpoint !== undefined);
}

function parseAddress(item: Field, ready: boolean): Endpoint | undefined {
  if (!item.at("ip").present) item.at("ip").error("is missing.");
  const address = item.at("ip").ip();
  if (address === undefined) return undefined;
  return {
    address,
    conditions: { ready, serving: ready, terminating: false },
    nodeName: item.at("nodeName").text(),
    targetRef: parseTargetRef(item.at("targetRef")),
    hintZones: [],
    hintNodes: [],
  };
}
