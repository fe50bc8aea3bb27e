import type { Ip } from "../net/ip.js";
import { IpMap } from "../net/ip-map.js";
import type { RulesetChange, RulesetStep } from "./change.js";
import { refuseDangling } from "./dangling.js";
import { elementKey, fdbKey, ipKey, ipSetEntryKey, neighbourKey, prefixKey, serverKey } from "./identity.js";
import type { Chain, Iptables } from "./iptables.js";
import type { NftTable } from "./nftables.js";
import type { Ruleset } from "./ruleset.js";
import { isSame } from "./same.js";

type StepOf<Kind extends RulesetStep["kind"]> = Extract<RulesetStep, { readonly kind: Kind }>;

function there<T>(part: T | undefined, what: string): T {
  if (part === undefined) throw new TypeError(`the ruleset has no ${what}.`);
  return part;
}

/** Puts an item in the place of the one with its key, or at the end. */
function put<T>(items: readonly T[], item: T, keyOf: (item: T) => string): readonly T[] {
  const index = items.findIndex((one) => keyOf(one) === keyOf(item));
  return index < 0 ? [...items, item] : items.with(index, item);
}

function add<T>(items: readonly T[], item: T, keyOf: (item: T) => string, what: string): readonly T[] {
  const key = keyOf(item);
  if (items.some((one) => keyOf(one) === key)) throw new TypeError(`the ${what} is there already.`);
  return [...items, item];
}

function without<T>(
  items: readonly T[],
  key: string,
  keyOf: (item: T) => string,
  what: string,
): readonly T[] {
  const rest = items.filter((item) => keyOf(item) !== key);
  if (rest.length === items.length) throw new TypeError(`the ruleset has no such ${what}.`);
  return rest;
}

/** Replaces the one item of a name. */
function edit<T extends { readonly name: string }>(
  items: readonly T[],
  name: string,
  what: string,
  change: (item: T) => T,
): readonly T[] {
  there(
    items.find((item) => item.name === name),
    `${what} ${name}`,
  );
  return items.map((item) => (item.name === name ? change(item) : item));
}

const nameOf = ({ name }: { readonly name: string }) => name;

/** A step's table of iptables, or ip6tables. */
function editTable(
  ruleset: Ruleset,
  { table: name, family }: StepOf<"chain-set" | "chain-removed" | "rules-spliced">,
  change: (chains: readonly Chain[]) => readonly Chain[],
): Ruleset {
  const part = family === 6 ? "ip6tables" : "iptables";
  const iptables: Iptables = there(ruleset[part], part);
  const tables = edit(iptables.tables, name, "table", (table) => ({
    ...table,
    chains: change(table.chains),
  }));
  return { ...ruleset, [part]: { ...iptables, tables } };
}

function splice(chain: Chain, { at, removed, rules }: StepOf<"rules-spliced">): Chain {
  const { length } = chain.rules;
  if (!Number.isInteger(at) || !Number.isInteger(removed) || at < 0 || removed < 0 || at + removed > length) {
    throw new TypeError(`chain ${chain.name} has ${length} rules: ${removed} cannot go at position ${at}.`);
  }
  return { ...chain, rules: [...chain.rules.slice(0, at), ...rules, ...chain.rules.slice(at + removed)] };
}

function editNft(
  ruleset: Ruleset,
  { family }: { readonly family?: 6 },
  change: (table: NftTable) => NftTable,
): Ruleset {
  const part = family === 6 ? "nftables6" : "nftables";
  return { ...ruleset, [part]: change(there(ruleset[part], part)) };
}

function editSet(ruleset: Ruleset, { kind, set, entry }: StepOf<"ipset-added" | "ipset-removed">): Ruleset {
  const ipsets = edit(there(ruleset.ipsets, "ipsets"), set, "ipset", (one) => {
    const keyOf = (other: typeof entry) => ipSetEntryKey(one.type, other);
    const what = `entry of ipset ${set}`;
    const { entries } = one;
    return {
      ...one,
      entries:
        kind === "ipset-added"
          ? add(entries, entry, keyOf, what)
          : without(entries, keyOf(entry), keyOf, what),
    };
  });
  return { ...ruleset, ipsets };
}

function editNftSet(ruleset: Ruleset, step: StepOf<"nft-address-added" | "nft-address-removed">): Ruleset {
  const { set, address, comment } = step;
  const keyOf = (one: { readonly address: Ip }) => ipKey(one.address);
  const what = `address of set ${set}`;
  return editNft(ruleset, step, (table) => ({
    ...table,
    sets: edit(table.sets, set, "set", (one) => ({
      ...one,
      addresses:
        step.kind === "nft-address-added"
          ? add(one.addresses, comment === undefined ? { address } : { address, comment }, keyOf, what)
          : without(one.addresses, ipKey(address), keyOf, what),
    })),
  }));
}

function editMap(ruleset: Ruleset, step: StepOf<"nft-element-set" | "nft-element-removed">): Ruleset {
  return editNft(ruleset, step, (table) => ({
    ...table,
    maps: edit(table.maps, step.map, "map", (map) => ({
      ...map,
      elements:
        step.kind === "nft-element-set"
          ? put(map.elements, step.element, elementKey)
          : without(map.elements, elementKey(step.element), elementKey, `element of map ${step.map}`),
    })),
  }));
}

function editAddresses(ruleset: Ruleset, step: StepOf<"address-added" | "address-removed">): Ruleset {
  const keyOf = (one: { readonly address: Ip }) => ipKey(one.address);
  const what = `address of interface ${step.dev}`;
  const interfaces = edit(ruleset.interfaces, step.dev, "interface", (device) => ({
    ...device,
    addresses:
      step.kind === "address-added"
        ? add(device.addresses, step.address, keyOf, what)
        : without(device.addresses, ipKey(step.address), keyOf, what),
  }));
  return { ...ruleset, interfaces };
}

function applyStep(ruleset: Ruleset, step: RulesetStep): Ruleset {
  const { routes, neighbours, fdb } = ruleset;
  const keyOfRoute = (route: (typeof routes)[number]) => prefixKey(route.prefix);
  switch (step.kind) {
    case "route-set":
      return { ...ruleset, routes: put(routes, step.route, keyOfRoute) };
    case "route-removed":
      return { ...ruleset, routes: without(routes, prefixKey(step.prefix), keyOfRoute, "route") };
    case "neighbour-set":
      return { ...ruleset, neighbours: put(neighbours, step.neighbour, neighbourKey) };
    case "neighbour-removed":
      return { ...ruleset, neighbours: without(neighbours, neighbourKey(step), neighbourKey, "neighbour") };
    case "fdb-set":
      return { ...ruleset, fdb: put(fdb, step.entry, fdbKey) };
    case "fdb-removed":
      return { ...ruleset, fdb: without(fdb, fdbKey(step), fdbKey, "FDB entry") };
    case "address-added":
    case "address-removed":
      return editAddresses(ruleset, step);
    case "chain-set":
      return editTable(ruleset, step, (chains) => put(chains, step.chain, nameOf));
    case "chain-removed":
      return editTable(ruleset, step, (chains) =>
        without(chains, step.name, nameOf, `chain ${step.name} in table ${step.table}`),
      );
    case "rules-spliced":
      return editTable(ruleset, step, (chains) =>
        edit(chains, step.chain, `chain in table ${step.table} named`, (chain) => splice(chain, step)),
      );
    case "ipset-added":
    case "ipset-removed":
      return editSet(ruleset, step);
    case "server-set": {
      const ipvs = there(ruleset.ipvs, "IPVS");
      return { ...ruleset, ipvs: { ...ipvs, servers: put(ipvs.servers, step.server, serverKey) } };
    }
    case "server-removed": {
      const ipvs = there(ruleset.ipvs, "IPVS");
      const servers = without(ipvs.servers, serverKey(step), serverKey, "virtual server");
      return { ...ruleset, ipvs: { ...ipvs, servers } };
    }
    case "ipvs-timeouts-set": {
      const ipvs = there(ruleset.ipvs, "IPVS");
      return { ...ruleset, ipvs: { ...ipvs, timeouts: { ...ipvs.timeouts, ...step.timeouts } } };
    }
    case "nft-chain-set":
      return editNft(ruleset, step, (table) => ({ ...table, chains: put(table.chains, step.chain, nameOf) }));
    case "nft-chain-removed":
      return editNft(ruleset, step, (table) => ({
        ...table,
        chains: without(table.chains, step.name, nameOf, `chain ${step.name}`),
      }));
    case "nft-element-set":
    case "nft-element-removed":
      return editMap(ruleset, step);
    case "nft-address-added":
    case "nft-address-removed":
      return editNftSet(ruleset, step);
    case "nft-set-set":
      return editNft(ruleset, step, (table) => ({ ...table, sets: put(table.sets, step.set, nameOf) }));
    case "nft-set-removed":
      return editNft(ruleset, step, (table) => ({
        ...table,
        sets: without(table.sets, step.name, nameOf, `set ${step.name}`),
      }));
    case "diagnostic-added":
      return { ...ruleset, diagnostics: [...ruleset.diagnostics, step.diagnostic] };
    case "diagnostic-removed": {
      const { diagnostics } = ruleset;
      const at = diagnostics.findIndex((one) => isSame(one, step.diagnostic));
      if (at < 0) throw new TypeError("the ruleset has no such diagnostic.");
      return { ...ruleset, diagnostics: diagnostics.toSpliced(at, 1) };
    }
    case "name-set": {
      const names = new IpMap(ruleset.names);
      if (step.name === undefined) names.delete(step.address);
      else names.set(step.address, step.name);
      return { ...ruleset, names };
    }
  }
}

/**
 * The ruleset after a change, made from scratch: each step copies what it changes. What an engine holds after
 * `apply` is this. TypeError naming the step for a change that does not fit: what it removes or edits is not
 * there, what it adds is, or in the end a rule or map names a chain or set that is gone.
 */
export function applyChange(ruleset: Ruleset, change: RulesetChange): Ruleset {
  let after = ruleset;
  for (const [index, step] of change.entries()) {
    try {
      after = applyStep(after, step);
    } catch (error) {
      throw new TypeError(`Step ${index + 1} (${step.kind}): ${(error as Error).message}`, { cause: error });
    }
  }
  refuseDangling(after);
  return after;
}
