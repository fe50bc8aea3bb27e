import type { Diagnostic } from "../diagnostics.js";
import { compareIp, familyOf, type Ip, isLinkLocal, parseIp, printIp } from "../net/ip.js";
import type { Mac } from "../net/mac.js";
import {
  hostLength,
  hostPrefix,
  type Prefix,
  parsePrefix,
  prefixContains,
  printPrefix,
} from "../net/prefix.js";
import { type RouteDraft, readAttribute } from "./route-attributes.js";
import { withoutRepeats } from "./route-repeats.js";
import { type Refusal, readRefusal } from "./route-types.js";
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
  /** Of one that refuses packets `lo`, as the kernel has it. */
  readonly dev: string;
  readonly refusal?: Refusal;
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
  const is6 = familyOf(route.prefix.address) === 6;
  const words: string[] = route.refusal === undefined ? [] : [route.refusal];
  words.push(printDestination(route.prefix));
  if (route.via !== undefined) words.push("via", ...printGateway(route.prefix, route.via));
  if (route.refusal === undefined || is6) words.push("dev", route.dev);
  if (route.proto !== undefined) words.push("proto", route.proto);
  if (route.scope !== undefined) words.push("scope", route.scope);
  if (route.src !== undefined) words.push("src", printIp(route.src));
  if (route.metric !== undefined) words.push("metric", String(route.metric));
  if (route.onlink) words.push("onlink");
  // The preference among routers, which nothing here gives.
  if (is6) words.push("pref medium");
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
  if (address !== undefined) return hostPrefix(address);
  return parsePrefix(word);
}

function readRoute(words: Words): Route | undefined {
  const refusal = readRefusal(words);
  const destination = words.peek();
  const is6 = isOf6(words);
  const prefix = words.read("a route's destination", (word) =>
    word === "default" ? { address: is6 ? 0n : 0, length: 0 } : parseDestination(word),
  );
  const route: RouteDraft = {};
  while (!words.done) readAttribute(words, route);
  if (refusal !== undefined && route.via !== undefined)
    throw words.refusal(
      `a ${refusal} route leads nowhere, so it has no gateway (via): leave one of them out.`,
    );
  const dev = refusal === undefined ? route.dev : "lo";
  if (dev === undefined) throw words.refusal(`the route to ${destination} names no device (dev).`);
  // Each device has one, and by none of them is anything forwarded.
  const { address, length } = prefix;
  const isOfLink = typeof address === "bigint" && length >= 10 && isLinkLocal(address);
  if (isOfLink) return undefined;
  return refusal === undefined ? { ...route, prefix, dev } : { ...route, prefix, dev, refusal };
}

/** Whether the rest of a line can only be of IPv6: a gateway that is not told to be another family's, or a preference. */
function isOf6(words: Words): boolean {
  const rest = words.rest;
  return rest.includes("pref") || rest[rest.indexOf("via") + 1]?.includes(":") === true;
}

/** Lines of further next hops belong to the route before them; as many lines as before. */
function withNextHops(text: string): string {
  const lines = text.split("\n");
  let route = 0;
  for (const [index, line] of lines.entries()) {
    if (!/^\s+nexthop\s/.test(line)) route = index;
    else {
      lines[route] += line;
      lines[index] = "";
    }
  }
  return lines.join("\n");
}

/** What a listing says. */
export interface RouteListing {
  /** In the kernel's order, one a prefix. */
  readonly routes: readonly Route[];
  /** Warnings of routes that are left out. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads what `ip route` prints, inverse of printRoutes. Throws InputError naming the lines for what is not
 * modelled: several next hops, other tables; link-local networks are passed over. Of several routes to one prefix the last of the least metric counts, and a warning names both lines.
 */
export function parseRoutes(text: string, file: string): RouteListing {
  const lines: number[] = [];
  const listed = readLines(withNextHops(text), file, (words) => {
    const route = readRoute(words);
    if (route !== undefined) lines.push(words.line);
    return route;
  });
  const { routes, diagnostics } = withoutRepeats(listed, (index) => `line ${lines[index]}`, { file });
  return { routes: [...routes].sort(compareRoutes), diagnostics };
}
