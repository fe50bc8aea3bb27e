import { familyOf } from "../net/ip.js";
import type { Iptables } from "./iptables.js";
import type { NftTable } from "./nftables.js";
import type { Interface, Route } from "./routes.js";
import type { Ruleset } from "./ruleset.js";
import type { Sysctls } from "./sysctls.js";

const MTU = 1500;
/** Names are told apart by their beginning: what rules name may stand for all that begin so. */
const LETTERS = [..."xyzwvutsrqponmlkjihgfedcba0123456789"];

function iptablesNames({ tables }: Iptables): readonly string[] {
  return tables.flatMap(({ chains }) =>
    chains.flatMap(({ rules }) =>
      rules.flatMap(({ matches }) =>
        matches.flatMap((match) =>
          match.kind === "in-interface" || match.kind === "out-interface" ? [match.name] : [],
        ),
      ),
    ),
  );
}

function nftNames({ chains }: NftTable): readonly string[] {
  return chains.flatMap(({ rules }) =>
    rules.flatMap(({ statements }) =>
      statements.flatMap((statement) => (statement.kind === "match-interface" ? [statement.name] : [])),
    ),
  );
}

/** A name for an interface that no rule names, in full or by its beginning; the node has none that is called so. */
export function unnamedInterface({ interfaces, ...rules }: Ruleset): string {
  const { iptables, ip6tables, nftables, nftables6 } = rules;
  const names = [
    ...interfaces.map(({ name }) => name),
    ...[iptables, ip6tables].flatMap((one) => (one === undefined ? [] : iptablesNames(one))),
    ...[nftables, nftables6].flatMap((one) => (one === undefined ? [] : nftNames(one))),
  ];
  const taken = new Set(names.map((name) => name.charAt(0)));
  return LETTERS.find((letter) => !taken.has(letter)) ?? "";
}

function plain(name: string): Interface {
  return { name, kind: "uplink", mac: 0, mtu: MTU, addresses: [] };
}

/** The route that a family lacks. */
function defaults(routes: readonly Route[], dev: string): readonly Route[] {
  const isThere = (family: 4 | 6) =>
    routes.some(({ prefix }) => prefix.length === 0 && familyOf(prefix.address) === family);
  return [
    ...(isThere(4) ? [] : [{ prefix: { address: 0, length: 0 }, dev }]),
    ...(isThere(6) ? [] : [{ prefix: { address: 0n, length: 0 }, dev }]),
  ];
}

/** Packets from outside may be to 127.0.0.0/8, too. */
const LOCALNET: Sysctls = { "net.ipv4.conf.all.route_localnet": 1 };

/**
 * The node with a route to every destination, by its uplink where it had none, or one that refuses, and with interfaces
 * of these names: what becomes of a packet is then up to its rules, for only behind them is a neighbour missed.
 */
export function routable(ruleset: Ruleset, names: readonly string[]): Ruleset {
  const known = new Set(ruleset.interfaces.map(({ name }) => name));
  const interfaces = [
    ...ruleset.interfaces,
    ...[...new Set(names)].filter((name) => !known.has(name)).map(plain),
  ];
  const out = interfaces.find(({ kind }) => kind === "uplink") ?? interfaces[0];
  const routes = ruleset.routes.filter(({ refusal }) => refusal === undefined);
  const more = out === undefined ? [] : defaults(routes, out.name);
  const sysctls = { ...ruleset.sysctls, ...LOCALNET };
  return { ...ruleset, interfaces, routes: [...routes, ...more], sysctls };
}
