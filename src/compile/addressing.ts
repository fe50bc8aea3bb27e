import type { NodeNetwork } from "../cni/network.js";
import { BRIDGE, podNeighbour } from "../cni/pods.js";
import {
  type Collection,
  elementsOf,
  type Fragment,
  type FrontEnd,
  type Key,
} from "../fragment/front-end.js";
import type { Service } from "../model/service.js";
import type { ServiceObjects } from "../model/service-objects.js";
import { familyOf, type Ip } from "../net/ip.js";
import { IpMap } from "../net/ip-map.js";
import { prefixContains } from "../net/prefix.js";
import { isProxied } from "../proxy/frontends.js";
import type { Ruleset } from "../ruleset/ruleset.js";

/** What people call an address. */
type Named = readonly [address: Ip, name: string];

/** What a Service adds beside the proxy's part. */
interface AddressingFragment extends Fragment {
  readonly names: readonly Named[];
  /** Addresses of endpoints on this node, whose Pods may not have been given. */
  readonly endpointIPs: readonly Ip[];
}

/** Addresses that the network has no name for already. */
function nameCollection(network: NodeNetwork): Collection<AddressingFragment, Named> {
  return {
    elementsOf: ({ names }) => names.filter(([address]) => !network.names.has(address)),
    keyOf: ([address]) => keyOf(address),
    set: ([address, name]) => ({ kind: "name-set", address, name }),
    removed: ([address]) => ({ kind: "name-set", address }),
  };
}

/** Numbers are the keys that hosts find fastest. */
function keyOf(address: Ip): Key {
  return typeof address === "number" ? address : `${address}`;
}

const NEIGHBOURS: Collection<AddressingFragment, Ip> = {
  elementsOf: ({ endpointIPs }) => endpointIPs,
  keyOf,
  set: (address) => ({ kind: "neighbour-set", neighbour: podNeighbour(address) }),
  removed: (address) => ({ kind: "neighbour-removed", dev: BRIDGE, address }),
};

/** `svc/namespace/name` for the addresses of a Service. */
function namesOf(service: Service | undefined): readonly Named[] {
  if (service === undefined || !isProxied(service)) return [];
  const text = `svc/${service.namespace}/${service.name}`;
  const ingress = service.loadBalancerIngress.map(({ ip }) => ip);
  return [...service.clusterIPs, ...service.externalIPs, ...ingress].map((ip) => [ip, text]);
}

function endpointIPsOf({ slices }: ServiceObjects, { podCIDRs, pods }: NodeNetwork): readonly Ip[] {
  const found: Ip[] = [];
  for (const { family, endpoints } of slices) {
    const podCIDR = podCIDRs.find(({ address }) => familyOf(address) === family);
    if (podCIDR === undefined) continue;
    for (const { address } of endpoints) {
      if (prefixContains(podCIDR, address) && !pods.has(address)) found.push(address);
    }
  }
  return found;
}

/** The names of Services' addresses and the neighbours that their endpoints are to the node. */
export type Addressing = Pick<Ruleset, "names" | "neighbours">;

function allNames(
  network: NodeNetwork,
  collection: Collection<AddressingFragment, Named>,
  fragments: readonly AddressingFragment[],
): ReadonlyMap<Ip, string> {
  const names = new IpMap(network.names);
  for (const [address, name] of elementsOf(collection, fragments).elements) names.set(address, name);
  return names;
}

/** Adds to the node's network what Services and endpoints bring: names for addresses, and neighbours on the bridge. */
export function addressingFrontEnd(network: NodeNetwork): FrontEnd<AddressingFragment, Addressing> {
  const nameOf = nameCollection(network);
  return {
    write: (objects) => ({
      service: objects.service,
      endpoints: 0,
      names: namesOf(objects.service),
      endpointIPs: endpointIPsOf(objects, network),
    }),
    finish: (fragments) => {
      const joining = elementsOf(NEIGHBOURS, fragments).elements.map((address) => podNeighbour(address));
      let names: ReadonlyMap<Ip, string> | undefined;
      return {
        neighbours: joining.length === 0 ? network.neighbours : [...network.neighbours, ...joining],
        // Large clusters have many, and few ask.
        get names() {
          names ??= allNames(network, nameOf, fragments);
          return names;
        },
      };
    },
    collections: [nameOf, NEIGHBOURS],
  };
}
