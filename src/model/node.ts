import type { Place } from "../diagnostics.js";
import type { Ip } from "../net/ip.js";
import type { Prefix } from "../net/prefix.js";
import type { Field } from "./fields.js";
import { parseMetadata } from "./metadata.js";
import { parseTaint, type Taint } from "./placement.js";

/** v1 Node, the fields that packets depend on. */
export interface Node {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  /** status.addresses of type InternalIP (first of a family is primary), in order. */
  readonly internalIPs: readonly Ip[];
  /** status.addresses of type ExternalIP. */
  readonly externalIPs: readonly Ip[];
  readonly podCIDRs: readonly Prefix[];
  /** spec.unschedulable. */
  readonly unschedulable: boolean;
}

/** A Node as written: it may still lack addresses and podCIDRs. */
export interface NodeManifest extends Node {
  readonly taints: readonly Taint[];
  readonly place: Place;
}

/** Reads a Node; errors are added to the object's diagnostics. */
export function parseNode(object: Field): NodeManifest {
  const spec = object.at("spec");
  const { name, labels } = parseMetadata(object);
  return {
    name,
    labels,
    internalIPs: parseAddresses(object, "InternalIP"),
    externalIPs: parseAddresses(object, "ExternalIP"),
    podCIDRs: parsePodCIDRs(spec),
    unschedulable: spec.at("unschedulable").flag(),
    taints: spec.at("taints").items().map(parseTaint),
    place: object.place,
  };
}

function parseAddresses(object: Field, type: string): readonly Ip[] {
  return object
    .at("status")
    .at("addresses")
    .items()
    .filter((address) => address.at("type").text() === type)
    .map((address) => address.at("address").ip())
    .filter((ip) => ip !== undefined);
}

/** podCIDRs wins over podCIDR, which the API keeps as its first. */
function parsePodCIDRs(spec: Field): readonly Prefix[] {
  const list = spec.at("podCIDRs").items();
  const single = spec.at("podCIDR");
  const fields = list.length === 0 && single.text() !== "" ? [single] : list;
  return fields.map((field) => field.prefix()).filter((prefix) => prefix !== undefined);
}
