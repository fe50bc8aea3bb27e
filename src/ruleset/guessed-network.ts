import type { Diagnostic } from "../diagnostics.js";
import { familyOf, type Ip, printIp } from "../net/ip.js";
import type { Mac } from "../net/mac.js";
import { hostPrefix } from "../net/prefix.js";
import type { AddressListing } from "./addresses.js";
import { neighbourKey } from "./identity.js";
import { interfacesInRules, isNamedIn } from "./interface-names.js";
import type { Iptables } from "./iptables.js";
import type { Neighbour } from "./neighbours.js";
import type { Interface, InterfaceAddress, Route } from "./routes.js";
import type { Ruleset } from "./ruleset.js";
import type { FdbEntry } from "./vxlan.js";

/** What is known of a node's network, part by part. */
export interface KnownNetwork {
  readonly addresses?: AddressListing;
  readonly routes?: readonly Route[];
  readonly neighbours: readonly Neighbour[] | undefined;
  readonly fdb: readonly FdbEntry[] | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** What a user says of it beside the listings. */
export interface SaidOfNetwork {
  readonly interfaces?: readonly string[];
  readonly localAddresses?: readonly Ip[];
}

export type Network = Pick<Ruleset, "interfaces" | "routes" | "neighbours" | "fdb" | "diagnostics">;

/** What a node's uplink is called, the likeliest first. */
const UPLINKS = [/^eth0$/, /^en/, /^eth/, /^(bond|wan|ppp|wl)/];
const DEFAULT_UPLINK = "eth0";

/** Addresses of documentation (RFC 5737, 3849), for a node whose own are not known. */
const NODE_ADDRESSES: readonly InterfaceAddress[] = [
  { address: 0xc0000201, length: 24 },
  { address: (0x20010db8n << 96n) | 1n, length: 64 },
];

const LOOPBACK: Interface = {
  name: "lo",
  kind: "loopback",
  mac: 0,
  mtu: 65536,
  addresses: [
    { address: 0x7f000001, length: 8 },
    { address: 1n, length: 128 },
  ],
};

const MTU = 1500;
/** Of devices and gateways whose address is not known: 02:00:00:00:00:00, and upward. */
const FIRST_MAC: Mac = 0x020000000000;
const FIRST_GATEWAY_MAC: Mac = 0x020000010000;

function warning(message: string): Diagnostic {
  return { severity: "warning", place: { object: "the node's network" }, message };
}

/** Interfaces that rules name, in the order of the listing. */
function interfacesNamed(tables: readonly Iptables[]): readonly string[] {
  return tables.flatMap((one) => interfacesInRules({ iptables: one }));
}

function uplinkAmong(names: readonly string[]): string {
  const found = UPLINKS.flatMap((like) => names.filter((name) => like.test(name)));
  return found[0] ?? DEFAULT_UPLINK;
}

function plain(name: string, index: number, addresses: readonly InterfaceAddress[] = []): Interface {
  return { name, kind: "uplink", mac: FIRST_MAC + index, mtu: MTU, addresses };
}

/** Devices that routes, neighbours and the FDB name. */
function devicesNamed({ routes = [], neighbours = [], fdb = [] }: KnownNetwork): readonly string[] {
  return [...routes, ...neighbours, ...fdb].map(({ dev }) => dev);
}

/** The device of the default route, where routes are known. */
function mainDevice({ routes = [] }: KnownNetwork): string | undefined {
  return routes.find(({ prefix, refusal }) => prefix.length === 0 && refusal === undefined)?.dev;
}

/** Interfaces that the user alone names. */
function warnStrange(said: readonly string[], known: readonly string[]): readonly Diagnostic[] {
  const names = [...new Set(known)].join(", ");
  return said
    .filter((name) => !isNamedIn(known, name))
    .map((name) => warning(`no rule or route names the interface ${name}; known are ${names}.`));
}

/** A node whose interfaces are not listed. */
function guessInterfaces(
  tables: readonly Iptables[],
  known: KnownNetwork,
  { interfaces = [], localAddresses = [] }: SaidOfNetwork,
): { readonly interfaces: readonly Interface[]; readonly diagnostics: readonly Diagnostic[] } {
  const inRules = interfacesNamed(tables);
  const found = [...inRules.filter((name) => !name.endsWith("+")), ...devicesNamed(known)];
  const named = [...new Set([...found, ...interfaces])].filter((name) => name !== "lo");
  const uplink = mainDevice(known) ?? uplinkAmong(named);
  const own = localAddresses.map(hostPrefix);
  const families = tables.map(({ family }) => family);
  const guessed = NODE_ADDRESSES.filter(
    ({ address }) =>
      families.includes(familyOf(address)) && !own.some((one) => familyOf(one.address) === familyOf(address)),
  );
  const others = named.filter((name) => name !== uplink);
  const guess = [
    LOOPBACK,
    plain(uplink, 0, [...own, ...guessed]),
    ...others.map((name, index) => plain(name, index + 1)),
  ];
  const addresses = guessed.map(({ address }) => printIp(address)).join(" and ");
  const list = guess.map(({ name }) => name).join(", ");
  return {
    interfaces: guess,
    diagnostics: [
      warning(
        `its interfaces are not given (ip-addr): taken to be ${list}, as rules and routes name them, ${uplink} to the outside.`,
      ),
      ...(addresses === ""
        ? []
        : [warning(`its address is not given: taken to be ${addresses}, on ${uplink}.`)]),
      ...warnStrange(interfaces, ["lo", mainDevice(known) ?? uplinkAmong(found), ...inRules, ...found]),
    ],
  };
}

/** The user's interfaces and addresses beside those that are listed. */
function withSaid(
  listed: readonly Interface[],
  { interfaces = [], localAddresses = [] }: SaidOfNetwork,
): readonly Interface[] {
  const more = interfaces.filter((name) => listed.every((one) => one.name !== name));
  const held = new Set(listed.flatMap(({ addresses }) => addresses.map(({ address }) => address)));
  const own = localAddresses.filter((address) => !held.has(address));
  const at = listed.findIndex(({ kind }) => kind === "uplink");
  return [
    ...listed.map((one, index) =>
      index === at && own.length > 0
        ? {
            ...one,
            addresses: [...one.addresses, ...own.map(hostPrefix)],
          }
        : one,
    ),
    ...more.map((name, index) => plain(name, index)),
  ];
}

/**
 * Devices whose neighbours are not listed answer for every address, as an uplink does; that of the default route
 * stands before the others.
 */
function settled(
  interfaces: readonly Interface[],
  routes: readonly Route[],
  known: KnownNetwork,
): readonly Interface[] {
  const main = routes.find(({ prefix }) => prefix.length === 0)?.dev;
  const kinds = interfaces.map((one): Interface => {
    const isKnown = one.kind === "vxlan" ? known.fdb !== undefined : known.neighbours !== undefined;
    return (one.kind === "bridge" || one.kind === "vxlan") && !isKnown ? { ...one, kind: "uplink" } : one;
  });
  return [...kinds.filter(({ name }) => name === main), ...kinds.filter(({ name }) => name !== main)];
}

/** Gateways that are no listed neighbour answer all the same. */
function gateways(routes: readonly Route[], neighbours: readonly Neighbour[]): readonly Neighbour[] {
  const known = new Set(neighbours.map(neighbourKey));
  const wanted = new Map(
    routes.flatMap(({ via, dev }) =>
      via === undefined ? [] : [[neighbourKey({ dev, address: via }), { dev, address: via }]],
    ),
  );
  return [...wanted]
    .filter(([key]) => !known.has(key))
    .map(([, one], index) => ({ ...one, mac: FIRST_GATEWAY_MAC + index }));
}

function defaultRoutes(dev: string, tables: readonly Iptables[]): readonly Route[] {
  return tables.map(({ family }) => ({ prefix: { address: family === 4 ? 0 : 0n, length: 0 }, dev }));
}

function guessRoutes(
  known: KnownNetwork,
  interfaces: readonly Interface[],
  tables: readonly Iptables[],
): { readonly routes: readonly Route[]; readonly diagnostics: readonly Diagnostic[] } {
  if (known.routes !== undefined) return { routes: known.routes, diagnostics: [] };
  const names = interfaces.filter(({ kind }) => kind === "uplink").map(({ name }) => name);
  const dev = known.addresses === undefined ? (names[0] ?? DEFAULT_UPLINK) : uplinkAmong(names);
  const routes = [...(known.addresses?.routes ?? []), ...defaultRoutes(dev, tables)];
  return {
    routes,
    diagnostics: [
      warning(`its routes are not given (ip-route): what is no network of its own leaves by ${dev}.`),
    ],
  };
}

/** A node's network: what is known of it, and sensible guesses of the rest, each told in a warning. */
export function guessNetwork(known: KnownNetwork, tables: readonly Iptables[], said: SaidOfNetwork): Network {
  const listed = known.addresses && {
    interfaces: withSaid(known.addresses.interfaces, said),
    diagnostics: [],
  };
  const guessed = listed ?? guessInterfaces(tables, known, said);
  const { routes, diagnostics } = guessRoutes(known, guessed.interfaces, tables);
  const neighbours = known.neighbours ?? [];
  return {
    interfaces: settled(guessed.interfaces, routes, known),
    routes,
    neighbours: [...neighbours, ...gateways(routes, neighbours)],
    fdb: known.fdb ?? [],
    diagnostics: [...known.diagnostics, ...guessed.diagnostics, ...diagnostics],
  };
}
