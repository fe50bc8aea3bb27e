import { familyOf } from "../net/ip.js";
import { interfacesInRules } from "./interface-names.js";
import type { Interface, Route } from "./routes.js";
import type { Ruleset } from "./ruleset.js";
import { ANY_DESTINATION, type Sysctls } from "./sysctls.js";

const MTU = 1500;
/** Names are told apart by their beginning: what rules name may stand for all that begin so. */
const LETTERS = [..."xyzwvutsrqponmlkjihgfedcba0123456789"];

/** A name for an interface that no rule names, in full or by its beginning; the node has none that is called so. */
export function unnamedInterface(ruleset: Ruleset): string {
  const names = [...ruleset.interfaces.map(({ name }) => name), ...interfacesInRules(ruleset)];
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

/** Packets from outside may be to 127.0.0.0/8, to ::1 and to wherever else no kernel routes them. */
const ANYWHERE: Sysctls = { "net.ipv4.conf.all.route_localnet": 1, [ANY_DESTINATION]: 1 };

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
  const sysctls = { ...ruleset.sysctls, ...ANYWHERE };
  return { ...ruleset, interfaces, routes: [...routes, ...more], sysctls };
}
