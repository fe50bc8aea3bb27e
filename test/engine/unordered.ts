import { fdbKey, ipKey, neighbourKey, prefixKey } from "../../src/ruleset/identity.js";
import type { Ruleset } from "../../src/ruleset/ruleset.js";

/** The order of rules counts, that of everything else does not. */
export function sorted(ruleset: Ruleset): unknown {
  const by = <T>(items: readonly T[], keyOf: (item: T) => string) =>
    [...items].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const text = (value: unknown) =>
    JSON.stringify(value, (_, one) => (typeof one === "bigint" ? `${one}` : one));
  const named = <T extends { readonly name: string }>(items: readonly T[]) => by(items, ({ name }) => name);
  const { ipsets, ipvs } = ruleset;
  const tables = (iptables: Ruleset["iptables"]) =>
    iptables?.tables.map((table) => ({ ...table, chains: named(table.chains) }));
  const nft = (table: Ruleset["nftables"]) =>
    table && {
      ...table,
      sets: table.sets.map((set) => ({ ...set, addresses: by(set.addresses, text) })),
      maps: table.maps.map((map) => ({ ...map, elements: by(map.elements, text) })),
      chains: named(table.chains),
    };
  return {
    ...ruleset,
    interfaces: ruleset.interfaces.map((device) => ({ ...device, addresses: by(device.addresses, text) })),
    routes: by(ruleset.routes, ({ prefix }) => prefixKey(prefix)),
    neighbours: by(ruleset.neighbours, neighbourKey),
    fdb: by(ruleset.fdb, fdbKey),
    iptables: tables(ruleset.iptables),
    ip6tables: tables(ruleset.ip6tables),
    ipsets: ipsets?.map((set) => ({ ...set, entries: by(set.entries, text) })),
    ipvs: ipvs && by(ipvs.servers, text),
    nftables: nft(ruleset.nftables),
    nftables6: nft(ruleset.nftables6),
    names: new Map(by([...ruleset.names], ([address]) => ipKey(address))),
  };
}
