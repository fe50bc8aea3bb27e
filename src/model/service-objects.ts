import type { Cluster } from "./cluster.js";
import type { EndpointSlice } from "./endpointslice.js";
import { ByName, compareNames, type ObjectName } from "./object-name.js";
import type { Service } from "./service.js";

/** A Service and the EndpointSlices that name it; either may be there without the other. */
export interface ServiceObjects extends ObjectName {
  readonly service: Service | undefined;
  /** By name, so that nothing depends on which came first. */
  readonly slices: readonly EndpointSlice[];
}

type Draft = { -readonly [K in keyof ServiceObjects]: ServiceObjects[K] } & { slices: EndpointSlice[] };

function byName(a: EndpointSlice, b: EndpointSlice): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** The Services of a cluster with their slices, by namespace and name. */
export function serviceObjects({ services, endpointSlices }: Cluster): readonly ServiceObjects[] {
  const drafts = new ByName<Draft>();
  const draftOf = (namespace: string, name: string): Draft => {
    const known = drafts.get(namespace, name);
    if (known !== undefined) return known;
    const made: Draft = { namespace, name, service: undefined, slices: [] };
    drafts.set(namespace, name, made);
    return made;
  };
  for (const service of services) draftOf(service.namespace, service.name).service = service;
  for (const slice of endpointSlices) draftOf(slice.namespace, slice.serviceName).slices.push(slice);
  const all = [...drafts.values()].sort(compareNames);
  for (const { slices } of all) if (slices.length > 1) slices.sort(byName);
  return all;
}

/** The objects without the slice of that name. */
export function withoutSlice(objects: ServiceObjects, name: string): ServiceObjects {
  return { ...objects, slices: objects.slices.filter((slice) => slice.name !== name) };
}

/** The objects with the slice, instead of one of its name. */
export function withSlice(objects: ServiceObjects, slice: EndpointSlice): ServiceObjects {
  const others = withoutSlice(objects, slice.name).slices;
  return { ...objects, slices: [...others, slice].sort(byName) };
}
