import type { Diagnostic } from "../diagnostics.js";
import { compareIp, familyOf, type Ip, isLinkLocal, parseIp, printIp } from "../net/ip.js";
import type { Mac } from "../net/mac.js";
import { hostLength, type Prefix, parsePrefix, prefixContains, printPrefix } from "../net/prefix.js";
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

/**
 * The kernel's order: by address, and of equal addresses the longer prefix first; IPv6 prefixes come behind all that
 * they hold (ip6_fib.c, fib6_walk_continue).
 */
export function compareRoutes({ prefix: a }: Route, { prefix: b }: Route): number {
  if (familyOf(a.address) === 6 && a.length !== b.length) {
    if (prefixContains(a, b.address) && a.length < b.length) return 1;
    if (prefixContains(b, a.address) && b.length < a.length) return -1;
  }
  return compareIp(a.address, b.address) || b.length - a.length;
}

function printDestination(prefix: Prefix): string {
  if (prefix.length === 0) return "default";
  return prefix.length === hostLength(prefix.address) ? printIp(prefix.address) : printPrefix(prefix);
}

/** A gateway of another family than its prefix is told with that: `inet6 fe80::1`. */
function printGateway({ address }: Prefix, via: Ip): readonly string[] {
  return familyOf(via) === familyOf(address) ? [printIp(via)] : ["inet6", printIp(via)];
}

function printRoute(route: Route): string {
  const words = [printDestination(route.prefix)];
  if (route.via !== undefined) words.push("via", ...printGateway(route.prefix, route.via));
  words.push("dev", route.dev);
  if (route.proto !== undefined) words.push("proto", route.proto);
  if (route.scope !== undefined) words.push("scope", route.scope);
  if (route.src !== undefined) words.push("src", printIp(route.src));
  if (route.metric !== undefined) words.push("metric", String(route.metric));
  if (route.onlink) words.push("onlink");
  // The preference among routers, which nothing here gives.
  if (familyOf(route.prefix.address) === 6) words.push("pref medium");
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
  if (address !== undefined) return { address, length: hostLength(address) };
  return parsePrefix(word);
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** `fe80::1`, or `inet6 fe80::1` to an IPv4 prefix. */
function readGateway(words: Words): Ip {
  words.take("inet6");
  return words.readIp();
}

function readAttribute(words: Words, route: Writable<Partial<Route>>): void {
  const word = words.next("an attribute of the route");
  if (word === "via") route.via = readGateway(words);
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

function readRoute(words: Words): Route | undefined {
  const destination = words.peek();
  const is6 = isOf6(words);
  const prefix = words.read("a unicast route's destination", (word) =>
    word === "default" ? { address: is6 ? 0n : 0, length: 0 } : parseDestination(word),
  );
  const route: Writable<Partial<Route>> = {};
  while (!words.done) readAttribute(words, route);
  const { dev } = route;
  if (dev === undefined) throw words.refusal(`the route to ${destination} names no device (dev).`);
  // Each device has one, and by none of them is anything forwarded.
  const { address, length } = prefix;
  const isOfLink = typeof address === "bigint" && length >= 10 && isLinkLocal(address);
  return isOfLink ? undefined : { ...route, prefix, dev };
}

/** Whether the rest of a line can only be of IPv6: a gateway that is not told to be another family's, or a preference. */
function isOf6(words: Words): boolean {
  const rest = words.rest;
  return rest.includes("pref") || rest[rest.indexOf("via") + 1]?.includes(":") === true;
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
 * unicast routes; link-local networks are passed over. Of several routes to one prefix the last of the least metric counts, and a warning names both lines.
 */
export function parseRoutes(text: string, file: string): RouteListing {
  const lines: number[] = [];
  const listed = readLines(text, file, (words) => {
    const route = readRoute(words);
    if (route !== undefined) lines.push(words.line);
    return route;
  });
  const { routes, diagnostics } = withoutRepeats(listed, (index) => `line ${lines[index]}`, { file });
  return { routes: [...routes].sort(compareRoutes), diagnostics };
}
