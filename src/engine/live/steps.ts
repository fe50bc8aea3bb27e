import type { Ip } from "../../net/ip.js";
import type { RulesetStep } from "../../ruleset/change.js";
import { serverKey } from "../../ruleset/identity.js";
import type { Chains } from "./chains.js";
import type { Network } from "./network.js";
import type { Notes } from "./notes.js";
import type { Servers } from "./servers.js";
import type { Sets } from "./sets.js";

/** What steps change. */
export interface Parts {
  readonly network: Network;
  readonly chains: Chains;
  readonly sets: Sets;
  /** TypeError where the ruleset has none. */
  servers(): Servers;
  setName(address: Ip, name: string | undefined): void;
  readonly notes: Notes;
}

type Kind = RulesetStep["kind"];
type Steps = { readonly [K in Kind]: (parts: Parts, step: RulesetStep & { readonly kind: K }) => void };

const STEPS: Steps = {
  "route-set": ({ network }, { route }) => network.setRoute(route),
  "route-removed": ({ network }, { prefix }) => network.removeRoute(prefix),
  "neighbour-set": ({ network }, { neighbour }) => network.setNeighbour(neighbour),
  "neighbour-removed": ({ network }, { dev, address }) => network.removeNeighbour(dev, address),
  "fdb-set": ({ network }, { entry }) => network.setFdb(entry),
  "fdb-removed": ({ network }, { dev, mac }) => network.removeFdb(dev, mac),
  "address-added": ({ network }, { dev, address }) => network.addAddress(dev, address),
  "address-removed": ({ network }, { dev, address }) => network.removeAddress(dev, address),
  "chain-set": ({ chains }, { table, chain, family }) => chains.table(table, family ?? 4).set(chain),
  "chain-removed": ({ chains }, { table, name, family }) => chains.table(table, family ?? 4).remove(name),
  "rules-spliced": ({ chains }, { table, chain, at, removed, rules, family }) =>
    chains.table(table, family ?? 4).splice(chain, at, removed, rules),
  "nft-chain-set": ({ chains }, { chain, family }) => chains.nft(family ?? 4).set(chain),
  "nft-chain-removed": ({ chains }, { name, family }) => chains.nft(family ?? 4).remove(name),
  "ipset-added": ({ sets }, { set, entry }) => sets.addEntry(set, entry),
  "ipset-removed": ({ sets }, { set, entry }) => sets.removeEntry(set, entry),
  "nft-element-set": ({ sets }, { map, element, family }) => sets.setElement(family ?? 4, map, element),
  "nft-element-removed": ({ sets }, { map, element, family }) =>
    sets.removeElement(family ?? 4, map, element),
  "nft-address-added": ({ sets }, { set, address, comment, family }) =>
    sets.addAddress(family ?? 4, set, comment === undefined ? { address } : { address, comment }),
  "nft-address-removed": ({ sets }, { set, address, family }) =>
    sets.removeAddress(family ?? 4, set, address),
  "nft-set-set": ({ sets }, { set, family }) => sets.setDynamic(family ?? 4, set),
  "nft-set-removed": ({ sets }, { name, family }) => sets.removeDynamic(family ?? 4, name),
  "server-set": (parts, { server }) => parts.servers().set(server),
  "server-removed": (parts, step) => parts.servers().remove(serverKey(step)),
  "ipvs-timeouts-set": (parts, { timeouts }) => parts.servers().setTimeouts(timeouts),
  "name-set": (parts, { address, name }) => parts.setName(address, name),
  "diagnostic-added": ({ notes }, { diagnostic }) => notes.add(diagnostic),
  "diagnostic-removed": ({ notes }, { diagnostic }) => notes.remove(diagnostic),
};

/** Takes step `number` of a change. TypeError naming it where it does not fit. */
export function takeStep(parts: Parts, step: RulesetStep, number: number): void {
  try {
    const take = STEPS[step.kind] as ((parts: Parts, step: RulesetStep) => void) | undefined;
    if (take === undefined) throw new TypeError("there is no step of that kind.");
    take(parts, step);
  } catch (error) {
    throw new TypeError(`Step ${number} (${step.kind}): ${(error as Error).message}`, { cause: error });
  }
}
