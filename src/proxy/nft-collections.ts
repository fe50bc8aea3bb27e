import type { Diagnostic } from "../diagnostics.js";
import type { Collection, Fragment } from "../fragment/front-end.js";
import type { Service } from "../model/service.js";
import { type Family, type Ip, printIp } from "../net/ip.js";
import type { RulesetStep } from "../ruleset/change.js";
import type { NftChain, NftMapElement, NftSet } from "../ruleset/nftables.js";
import { isSame } from "../ruleset/same.js";
import { MAPS, SETS } from "./nft-base.js";
import type { NftService } from "./nft-service.js";
import { serviceKey } from "./service-key.js";
import { warn } from "./warnings.js";

/** What one Service adds. */
export interface NftFragment extends Fragment, NftService {
  readonly clusterIPs: readonly Ip[];
}

/** The parts of NftService that fill maps, in the order of the table. */
export const PARTS = Object.keys(MAPS) as readonly (keyof typeof MAPS)[];

/** A step as one of the family's table. */
function ofFamily<S extends RulesetStep>(step: S, family: Family): S {
  return family === 6 ? { ...step, family } : step;
}

function fieldOf({ clusterIPs, externalIPs }: Service, address: Ip | undefined): string {
  if (address === undefined) return "spec.ports";
  if (clusterIPs.includes(address)) return "spec.clusterIPs";
  return externalIPs.includes(address) ? "spec.externalIPs" : "status.loadBalancer.ingress";
}

/** One Service may name an address twice, as external IP and as VIP: that is no clash. */
function clash(service: Service, element: NftMapElement, holder: NftMapElement): Diagnostic | undefined {
  const { address, protocol, port } = element;
  if (isSame(element, holder)) return undefined;
  const where = address === undefined ? `nodePort ${port}` : `${printIp(address)} port ${port}`;
  const message =
    `${where} over ${protocol} belongs to another Service already; which one wins on a real node is a race, ` +
    "here it is the first by name.";
  return warn(service, fieldOf(service, address), message);
}

/** A map that is filled Service by Service; of two elements with one key the first keeps it. */
export function mapCollection(
  part: keyof typeof MAPS,
  family: Family,
): Collection<NftFragment, NftMapElement> {
  const map = MAPS[part].name;
  return {
    elementsOf: (fragment) => fragment[part],
    keyOf: ({ address, protocol, port }) => serviceKey(address, protocol, port),
    set: (element) => ofFamily({ kind: "nft-element-set", map, element }, family),
    removed: ({ verdict: _verdict, comment: _comment, ...element }) =>
      ofFamily({ kind: "nft-element-removed", map, element }, family),
    clash,
  };
}

/** The addresses whose unknown ports are refused. */
export function clusterIPsOf(family: Family): Collection<NftFragment, Ip> {
  const set = SETS.clusterIPs;
  return {
    elementsOf: ({ clusterIPs }) => clusterIPs,
    keyOf: (address) => `${address}`,
    set: (address) => ofFamily({ kind: "nft-address-added", set, address }, family),
    removed: (address) => ofFamily({ kind: "nft-address-removed", set, address }, family),
  };
}

function isChain(own: NftSet | NftChain): own is NftChain {
  return "rules" in own;
}

/** The chains and affinity sets of one Service alone: sets come before the chains that name them. */
export function ownOf(family: Family): Collection<NftFragment, NftSet | NftChain> {
  return {
    elementsOf: ({ chains, affinitySets }) =>
      affinitySets.length === 0 ? chains : [...affinitySets, ...chains],
    keyOf: ({ name }) => name,
    set: (own) =>
      ofFamily(
        isChain(own) ? { kind: "nft-chain-set", chain: own } : { kind: "nft-set-set", set: own },
        family,
      ),
    removed: (own) =>
      ofFamily({ kind: isChain(own) ? "nft-chain-removed" : "nft-set-removed", name: own.name }, family),
  };
}
