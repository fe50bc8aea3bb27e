import type { RuleStep, RulesetChange, RulesetStep } from "../../src/ruleset/change.js";
import {
  elementKey,
  fdbKey,
  ipKey,
  ipSetEntryKey,
  neighbourKey,
  prefixKey,
  serverKey,
} from "../../src/ruleset/identity.js";
import type { Iptables } from "../../src/ruleset/iptables.js";
import { matchOf } from "../../src/ruleset/ipvs.js";
import type { NftTable } from "../../src/ruleset/nftables.js";
import type { Ruleset } from "../../src/ruleset/ruleset.js";

function isSame(a: unknown, b: unknown): boolean {
  const text = (value: unknown) =>
    JSON.stringify(value, (_, one) => (typeof one === "bigint" ? `${one}n` : one));
  return text(a) === text(b);
}

/** Steps for what came or changed, and for what went. */
function diff<T>(
  before: readonly T[],
  after: readonly T[],
  keyOf: (item: T) => string,
  set: (item: T, old: T | undefined) => readonly RulesetStep[],
  removed: (item: T) => RulesetStep,
): RulesetStep[] {
  const old = new Map(before.map((item) => [keyOf(item), item]));
  const keys = new Set(after.map(keyOf));
  const came = after.filter((item) => !isSame(item, old.get(keyOf(item))));
  const went = before.filter((item) => !keys.has(keyOf(item)));
  return [...came.flatMap((item) => set(item, old.get(keyOf(item)))), ...went.map(removed)];
}

/** The stretch of two lists that differs. */
function stretch<T>(before: readonly T[], after: readonly T[]) {
  let at = 0;
  while (at < Math.min(before.length, after.length) && isSame(before[at], after[at])) at++;
  let behind = 0;
  const most = Math.min(before.length, after.length) - at;
  while (behind < most && isSame(before.at(-1 - behind), after.at(-1 - behind))) behind++;
  return { at, removed: before.length - behind - at, rules: after.slice(at, after.length - behind) };
}

const nameOf = ({ name }: { readonly name: string }) => name;

/** Steps of iptables and nftables, of IPv6. */
function of6(steps: readonly RulesetStep[]): RulesetStep[] {
  return steps.map((step) => ({ ...(step as RuleStep), family: 6 }));
}

function iptablesSteps(before: Iptables | undefined, after: Iptables | undefined): RulesetStep[] {
  return (after?.tables ?? []).flatMap(({ name: table, chains }, index) =>
    diff(
      before?.tables[index]?.chains ?? [],
      chains,
      nameOf,
      (chain, old) =>
        old === undefined
          ? [{ kind: "chain-set", table, chain }]
          : [{ kind: "rules-spliced", table, chain: chain.name, ...stretch(old.rules, chain.rules) }],
      ({ name }) => ({ kind: "chain-removed", table, name }),
    ),
  );
}

function nftSteps(before: NftTable | undefined, after: NftTable | undefined): RulesetStep[] {
  const sets = (after?.sets ?? []).flatMap(({ name: set, addresses }, index) =>
    diff(
      before?.sets[index]?.addresses ?? [],
      addresses,
      ({ address }) => ipKey(address),
      (one, old) => [
        ...(old === undefined ? [] : [{ kind: "nft-address-removed", set, ...old } as const]),
        { kind: "nft-address-added", set, ...one },
      ],
      (one) => ({ kind: "nft-address-removed", set, ...one }),
    ),
  );
  const maps = (after?.maps ?? []).flatMap(({ name: map, elements }, index) =>
    diff(
      before?.maps[index]?.elements ?? [],
      elements,
      elementKey,
      (element) => [{ kind: "nft-element-set", map, element }],
      (element) => ({ kind: "nft-element-removed", map, element }),
    ),
  );
  const chains = diff(
    before?.chains ?? [],
    after?.chains ?? [],
    nameOf,
    (chain) => [{ kind: "nft-chain-set", chain }],
    ({ name }) => ({ kind: "nft-chain-removed", name }),
  );
  return [...sets, ...maps, ...chains];
}

function ipvsSteps(before: Ruleset, after: Ruleset): RulesetStep[] {
  const sets = (after.ipsets ?? []).flatMap(({ name: set, type, entries }, index) =>
    diff(
      before.ipsets?.[index]?.entries ?? [],
      entries,
      (entry) => ipSetEntryKey(type, entry),
      (entry) => [{ kind: "ipset-added", set, entry }],
      (entry) => ({ kind: "ipset-removed", set, entry }),
    ),
  );
  const servers = diff(
    before.ipvs?.servers ?? [],
    after.ipvs?.servers ?? [],
    serverKey,
    (server) => [{ kind: "server-set", server }],
    (server) => ({ kind: "server-removed", ...matchOf(server) }),
  );
  return [...sets, ...servers];
}

function networkSteps(before: Ruleset, after: Ruleset): RulesetStep[] {
  const addresses = after.interfaces.flatMap(({ name: dev, addresses: own }, index) =>
    diff(
      before.interfaces[index]?.addresses ?? [],
      own,
      ({ address }) => ipKey(address),
      (address, old) => [
        ...(old === undefined ? [] : [{ kind: "address-removed", dev, address: old.address } as const]),
        { kind: "address-added", dev, address },
      ],
      ({ address }) => ({ kind: "address-removed", dev, address }),
    ),
  );
  const routes = diff(
    before.routes,
    after.routes,
    ({ prefix }) => prefixKey(prefix),
    (route) => [{ kind: "route-set", route }],
    ({ prefix }) => ({ kind: "route-removed", prefix }),
  );
  const neighbours = diff(
    before.neighbours,
    after.neighbours,
    neighbourKey,
    (neighbour) => [{ kind: "neighbour-set", neighbour }],
    ({ dev, address }) => ({ kind: "neighbour-removed", dev, address }),
  );
  const fdb = diff(
    before.fdb,
    after.fdb,
    fdbKey,
    (entry) => [{ kind: "fdb-set", entry }],
    ({ dev, mac }) => ({ kind: "fdb-removed", dev, mac }),
  );
  return [...addresses, ...routes, ...neighbours, ...fdb];
}

function nameSteps({ names: before }: Ruleset, { names: after }: Ruleset): RulesetStep[] {
  const came = [...after].filter(([address, name]) => before.get(address) !== name);
  const went = [...before.keys()].filter((address) => !after.has(address));
  return [
    ...came.map(([address, name]) => ({ kind: "name-set", address, name }) as const),
    ...went.map((address) => ({ kind: "name-set", address }) as const),
  ];
}

/** What turns one ruleset of a node into another of the same mode. Its steps may come in any order but for a set's addresses and an interface's, which may change their length. */
export function changeBetween(before: Ruleset, after: Ruleset): RulesetChange {
  return [
    ...networkSteps(before, after),
    ...iptablesSteps(before.iptables, after.iptables),
    ...of6(iptablesSteps(before.ip6tables, after.ip6tables)),
    ...ipvsSteps(before, after),
    ...nftSteps(before.nftables, after.nftables),
    ...of6(nftSteps(before.nftables6, after.nftables6)),
    ...nameSteps(before, after),
  ];
}
