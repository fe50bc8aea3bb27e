import type { Iptables } from "../src/ruleset/iptables.js";
import type { NftTable } from "../src/ruleset/nftables.js";
import type { Ruleset } from "../src/ruleset/ruleset.js";

function text(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? `${part}n` : part));
}

function sorted<T>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, by: text(item) }))
    .sort((a, b) => (a.by < b.by ? -1 : a.by > b.by ? 1 : 0))
    .map(({ item }) => item);
}

function sortedTables(iptables: Iptables | undefined): unknown {
  return iptables?.tables.map(({ name, chains }) => ({ name, chains: sorted(chains) }));
}

function sortedNft(table: NftTable | undefined): unknown {
  return (
    table && {
      sets: sorted(table.sets.map((set) => ({ ...set, addresses: sorted(set.addresses) }))),
      maps: table.maps.map((map) => ({ ...map, elements: sorted(map.elements) })),
      chains: sorted(table.chains),
    }
  );
}

/** A ruleset of which only that order is left which counts: that of rules in their chain. */
export function canonical(ruleset: Ruleset): unknown {
  const { ipsets, ipvs, interfaces, routes, neighbours, fdb, names, diagnostics } = ruleset;
  return {
    ...ruleset,
    iptables: sortedTables(ruleset.iptables),
    ip6tables: sortedTables(ruleset.ip6tables),
    ipsets: ipsets?.map((set) => ({ ...set, entries: sorted(set.entries) })),
    ipvs: ipvs && sorted(ipvs.servers),
    nftables: sortedNft(ruleset.nftables),
    nftables6: sortedNft(ruleset.nftables6),
    interfaces: interfaces.map((device) => ({ ...device, addresses: sorted(device.addresses) })),
    routes: sorted(routes),
    neighbours: sorted(neighbours),
    fdb: sorted(fdb),
    names: sorted([...names]),
    diagnostics: sorted(diagnostics),
  };
}
