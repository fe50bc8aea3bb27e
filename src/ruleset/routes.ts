import type { Diagnostic } from "../diagnostics.js";
import { compareIp, familyOf, type Ip, parseIp, printIp } from "../net/ip.js";
import type { Mac } from "../net/mac.js";
import { type Prefix, parsePrefix, printPrefix } from "../net/prefix.js";
import { withoutRepeats } from "./route-repeats.js";
import { readLines, type Words } from "./words.js";

export interface InterfaceAddress {
  readonly address: Ip;
  /** Prefix length on the interface: 172.18.0.3/16 has 16. */
  readonly length: number;
}

/** This node's end of a tunnel. */
export interface TunnelEnd {
  readonly vni: number;
  /** UDP port, of both ends. */
  readonly port: number;
  readonly local: Ip;
}

/** A Geneve device; unlike VXLAN's its packets have no UDP checksum unless asked (`udpcsum`). */
export interface GeneveEnd extends TunnelEnd {
  readonly udpChecksum?: boolean;
  /** Options that every packet carries (RFC 8926 §3.5), as on the wire: at most 28 octets, a multiple of 4. */
  readonly options?: readonly number[];
}

/** A network interface of the node. */
export interface Interface {
  readonly name: string;
  readonly kind: "loopback" | "uplink" | "bridge" | "vxlan" | "geneve" | "dummy";
  readonly mac: Mac;
  readonly mtu: number;
  readonly addresses: readonly InterfaceAddress[];
  /** Of kind vxlan, or geneve. */
  readonly vxlan?: TunnelEnd;
  readonly geneve?: GeneveEnd;
}

/** An entry of the main table (`ip route`); local addresses come from the interfaces, not from here. */
export interface Route {
  readonly prefix: Prefix;
  readonly dev: string;
  readonly via?: Ip;
  readonly onlink?: boolean;
  readonly scope?: "link";
  /** Who made it: `kernel`, `dhcp`, `bird`; does not move packets. */
  readonly proto?: string;
  /** Preferred source of packets made on the node. */
  readonly src?: Ip;
  /** Of several routes to one prefix the one of the least metric counts; without one it is 0, for IPv6 1024. */
  readonly metric?: number;
}

/** The kernel's order: by address, and of equal addresses the longer prefix first. */
export function compareRoutes(a: Route, b: Route): number {
  return compareIp(a.prefix.address, b.prefix.address) || b.prefix.length - a.prefix.length;
}

function printDestination(prefix: Prefix): string {
  if (prefix.length === 0) return "default";
  return prefix.length === (familyOf(prefix.address) === 4 ? 32 : 128)
    ? printIp(prefix.address)
    : printPrefix(prefix);
}

function printRoute(route: Route): string {
  const words = [printDestination(route.prefix)];
  if (route.via !== undefined) words.push("via", printIp(route.via));
  words.push("dev", route.dev);
  if (route.proto !== undefined) words.push("proto", route.proto);
  if (route.scope !== undefined) words.push("scope", route.scope);
  if (route.src !== undefined) words.push("src", printIp(route.src));
  if (route.metric !== undefined) words.push("metric", String(route.metric));
  if (route.onlink) words.push("onlink");
  return words.join(" ");
}

/** As `ip route` prints them (iproute2 6.1), in the kernel's order, without its blank at the line's end. */
export function printRoutes(routes: readonly Route[]): string {
  return [...routes]
    .sort(compareRoutes)
    .map((route) => `${printRoute(route)}\n`)
    .join("");
}

function parseDestination(word: string): Prefix | undefined {
  const address = parseIp(word);
  if (address !== undefined) return { address, length: familyOf(address) === 4 ? 32 : 128 };
  return parsePrefix(word);
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function readAttribute(words: Words, route: Writable<Partial<Route>>): void {
  const word = words.next("an attribute of the route");
  if (word === "via") route.via = words.readIp();
  else if (word === "dev") route.dev = words.next("a device");
  else if (word === "proto") route.proto = words.next("a protocol");
  else if (word === "src") route.src = words.readIp();
  else if (word === "metric") route.metric = words.readCount("a metric");
  else if (word === "onlink") route.onlink = true;
  else if (word === "scope" && words.take("link")) route.scope = "link";
  else if (word === "pref") words.next("a router preference");
  else if (word !== "linkdown" && !(word === "scope" && words.take("global"))) {
    throw words.refusal(`«${word}» is not modelled in a route; leave it out of the listing.`);
  }
}

function readRoute(words: Words): Route {
  const destination = words.peek();
  const prefix = words.read("a unicast route's destination", (word) =>
    word === "default" ? { address: 0, length: 0 } : parseDestination(word),
  );
  const route: Writable<Partial<Route>> = {};
  while (!words.done) readAttribute(words, route);
  const { dev, via } = route;
  if (dev === undefined) throw words.refusal(`the route to ${destination} names no device (dev).`);
  const ip6Default = destination === "default" && typeof via === "bigint";
  return { ...route, prefix: ip6Default ? { address: 0n, length: 0 } : prefix, dev };
}

/** What a listing says. */
export interface RouteListing {
  /** In the kernel's order, one a prefix. */
  readonly routes: readonly Route[];
  /** Warnings of routes that are left out. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads what `ip route` prints, inverse of printRoutes. Throws InputError naming the lines for anything but plain
 * unicast routes. Of several routes to one prefix the last of the least metric counts, and a warning names both lines.
 */
export function parseRoutes(text: string, file: string): RouteListing {
  const lines: number[] = [];
  const listed = readLines(text, file, (words) => {
    const route = readRoute(words);
    lines.push(words.line);
    return route;
  });
  const { routes, diagnostics } = withoutRepeats(listed, (index) => `line ${lines[index]}`, { file });
  return { routes: [...routes].sort(compareRoutes), diagnostics };
}
