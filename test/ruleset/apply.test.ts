import { describe, expect, it } from "vitest";
import { applyChange } from "../../src/ruleset/apply.js";
import type { RulesetChange } from "../../src/ruleset/change.js";
import type { Rule } from "../../src/ruleset/iptables.js";
import type { NftTable } from "../../src/ruleset/nftables.js";
import type { Ruleset } from "../../src/ruleset/ruleset.js";

const jump = (chain: string): Rule => ({ matches: [], target: { kind: "jump", chain } });
const accept: Rule = { matches: [], target: { kind: "accept" } };
const drop: Rule = { matches: [], target: { kind: "drop" } };
const server = (port: number, weight = 1) =>
  ({
    protocol: "TCP",
    address: 1,
    port,
    scheduler: "rr",
    servers: [{ address: 2, port, weight }],
    origin: "",
  }) as const;
const element = (port: number, chain: string) =>
  ({ address: 1, protocol: "TCP", port, verdict: { kind: "goto", chain } }) as const;

const nftables: NftTable = {
  family: "ip",
  name: "kube-proxy",
  sets: [{ name: "ips", addresses: [{ address: 1 }] }],
  maps: [{ name: "services", key: "daddr-proto-dport", elements: [element(80, "web")] }],
  chains: [{ name: "web", rules: [] }],
};

const RULESET: Ruleset = {
  node: "worker-1",
  proxy: "iptables",
  interfaces: [{ name: "eth0", kind: "uplink", mac: 1, mtu: 1500, addresses: [{ address: 7, length: 24 }] }],
  routes: [
    { prefix: { address: 0, length: 0 }, dev: "eth0", via: 9 },
    { prefix: { address: 0n, length: 0 }, dev: "eth0", via: 9n },
  ],
  neighbours: [{ address: 9, dev: "eth0", mac: 5 }],
  fdb: [{ mac: 5, dev: "eth0", dst: 3 }],
  iptables: {
    family: 4,
    tables: [
      {
        name: "nat",
        chains: [
          { name: "PREROUTING", policy: "ACCEPT", rules: [accept, jump("WEB"), drop] },
          { name: "WEB", rules: [accept] },
        ],
      },
    ],
  },
  ipsets: [{ name: "ports", type: "hash:ip,port", entries: [{ ip: 1, protocol: "TCP", port: 80 }] }],
  ipvs: { servers: [server(80), server(81)] },
  nftables,
  names: new Map([[1, "svc/web"]]),
  diagnostics: [],
};

const chainsOf = (ruleset: Ruleset) =>
  ruleset.iptables?.tables[0]?.chains.map(({ name, rules }) => [name, rules]);
const changed = (...change: RulesetChange) => applyChange(RULESET, change);

describe("a change of a ruleset", () => {
  it("sets and removes routes, of either family apart", () => {
    const prefix = { address: 0, length: 0 };
    const route = { prefix, dev: "eth0" };
    expect(changed({ kind: "route-set", route }).routes).toEqual([route, RULESET.routes[1]]);
    expect(changed({ kind: "route-removed", prefix }).routes).toEqual([RULESET.routes[1]]);
    const other = { prefix: { address: 256, length: 24 }, dev: "eth0" };
    expect(changed({ kind: "route-set", route: other }).routes).toEqual([...RULESET.routes, other]);
  });

  it("sets and removes neighbours, FDB entries, addresses and names", () => {
    const neighbour = { address: 9, dev: "eth0", mac: 6 };
    expect(changed({ kind: "neighbour-set", neighbour }).neighbours).toEqual([neighbour]);
    expect(changed({ kind: "neighbour-removed", dev: "eth0", address: 9 }).neighbours).toEqual([]);
    const entry = { mac: 5, dev: "eth0", dst: 4 };
    expect(changed({ kind: "fdb-set", entry }).fdb).toEqual([entry]);
    expect(changed({ kind: "fdb-removed", dev: "eth0", mac: 5 }).fdb).toEqual([]);
    const address = { address: 8, length: 32 };
    const added = changed({ kind: "address-added", dev: "eth0", address });
    expect(added.interfaces[0]?.addresses).toEqual([{ address: 7, length: 24 }, address]);
    expect(changed({ kind: "address-removed", dev: "eth0", address: 7 }).interfaces[0]?.addresses).toEqual(
      [],
    );
    expect([...changed({ kind: "name-set", address: 1 }).names]).toEqual([]);
    expect([...changed({ kind: "name-set", address: 1, name: "x" }).names]).toEqual([[1, "x"]]);
  });

  it("makes, splices and removes chains; later steps see what earlier ones left", () => {
    const result = changed(
      { kind: "chain-set", table: "nat", chain: { name: "NEW", rules: [drop] } },
      { kind: "rules-spliced", table: "nat", chain: "PREROUTING", at: 1, removed: 1, rules: [jump("NEW")] },
      { kind: "rules-spliced", table: "nat", chain: "PREROUTING", at: 3, removed: 0, rules: [accept] },
      { kind: "chain-removed", table: "nat", name: "WEB" },
    );
    expect(chainsOf(result)).toEqual([
      ["PREROUTING", [accept, jump("NEW"), drop, accept]],
      ["NEW", [drop]],
    ]);
  });

  it("changes ipsets, virtual servers, and nftables' chains, maps and sets", () => {
    const entry = { ip: 1, protocol: "UDP", port: 80 } as const;
    expect(changed({ kind: "ipset-added", set: "ports", entry }).ipsets?.[0]?.entries).toHaveLength(2);
    const gone = { ip: 1, protocol: "TCP", port: 80 } as const;
    expect(changed({ kind: "ipset-removed", set: "ports", entry: gone }).ipsets?.[0]?.entries).toEqual([]);
    expect(changed({ kind: "server-set", server: server(80, 3) }).ipvs?.servers).toEqual([
      server(80, 3),
      server(81),
    ]);
    expect(changed({ kind: "server-removed", protocol: "TCP", address: 1, port: 80 }).ipvs?.servers).toEqual([
      server(81),
    ]);
    const nft = changed(
      { kind: "nft-chain-set", chain: { name: "api", rules: [] } },
      { kind: "nft-element-set", map: "services", element: element(80, "api") },
      { kind: "nft-chain-removed", name: "web" },
      { kind: "nft-address-added", set: "ips", address: 2, comment: "two" },
      { kind: "nft-address-removed", set: "ips", address: 1 },
    ).nftables;
    expect(nft).toEqual({
      ...nftables,
      sets: [{ name: "ips", addresses: [{ address: 2, comment: "two" }] }],
      maps: [{ ...nftables.maps[0], elements: [element(80, "api")] }],
      chains: [{ name: "api", rules: [] }],
    });
    const empty = changed({ kind: "nft-element-removed", map: "services", element: element(80, "") });
    expect(empty.nftables?.maps[0]?.elements).toEqual([]);
  });

  it.each<[RegExp, RulesetChange]>([
    [
      /Step 1 \(route-removed\).*no such route/,
      [{ kind: "route-removed", prefix: { address: 0, length: 8 } }],
    ],
    [/no such neighbour/, [{ kind: "neighbour-removed", dev: "eth0", address: 9n }]],
    [/no such FDB entry/, [{ kind: "fdb-removed", dev: "eth1", mac: 5 }]],
    [/is there already/, [{ kind: "address-added", dev: "eth0", address: { address: 7, length: 32 } }]],
    [/no such address/, [{ kind: "address-removed", dev: "eth0", address: 8 }]],
    [/no interface eth1/, [{ kind: "address-removed", dev: "eth1", address: 7 }]],
    [/no table filter/, [{ kind: "chain-set", table: "filter", chain: { name: "X", rules: [] } }]],
    [/no such chain X in table nat/, [{ kind: "chain-removed", table: "nat", name: "X" }]],
    [/no chain WEB to jump to/, [{ kind: "chain-removed", table: "nat", name: "WEB" }]],
    [
      /Step 2 .*WEB has 1 rules: 1 cannot go at position 1/,
      [
        { kind: "name-set", address: 1 },
        { kind: "rules-spliced", table: "nat", chain: "WEB", at: 1, removed: 1, rules: [] },
      ],
    ],
    [
      /no chain X to jump to/,
      [{ kind: "chain-set", table: "nat", chain: { name: "WEB", rules: [jump("X")] } }],
    ],
    [
      /is there already/,
      [{ kind: "ipset-added", set: "ports", entry: { ip: 1, protocol: "TCP", port: 80 } }],
    ],
    [/no ipset other/, [{ kind: "ipset-added", set: "other", entry: { ip: 1 } }]],
    [/no such virtual server/, [{ kind: "server-removed", protocol: "UDP", address: 1, port: 80 }]],
    [/no chain web to jump to/, [{ kind: "nft-chain-removed", name: "web" }]],
    [
      /no such element of map services/,
      [{ kind: "nft-element-removed", map: "services", element: element(1, "") }],
    ],
    [/is there already/, [{ kind: "nft-address-added", set: "ips", address: 1 }]],
  ])("that does not fit is refused: %s", (message, change) => {
    expect(() => applyChange(RULESET, change)).toThrow(message);
    expect(() => applyChange(RULESET, change)).toThrow(TypeError);
  });
});
