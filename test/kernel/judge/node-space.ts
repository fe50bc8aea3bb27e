import { printIp } from "../../../src/net/ip.js";
import { printMac } from "../../../src/net/mac.js";
import { type Neighbour, printNeighbours } from "../../../src/ruleset/neighbours.js";
import { type Interface, printRoutes, type Route } from "../../../src/ruleset/routes.js";
import type { Ruleset } from "../../../src/ruleset/ruleset.js";
import { printFdb } from "../../../src/ruleset/vxlan.js";
import { call, callIn } from "./shell.js";

/** Names of the two network namespaces: the node under test, and the far ends of its wires. */
export interface Spaces {
  readonly node: string;
  readonly ends: string;
}

/** Interfaces that are wires to somebody else. */
export const isWire = ({ kind }: Interface): boolean => kind === "uplink" || kind === "bridge";

/**
 * What a kernel does by itself that is not the rules' business: answers are not rationed, sources not held against
 * routes, no ICMP redirects, no addresses or neighbours of its own finding.
 */
const QUIET = {
  "net.ipv4.ip_forward": 1,
  "net.ipv4.icmp_ratelimit": 0,
  "net.ipv4.icmp_ratemask": 0,
  "net.ipv4.conf.all.rp_filter": 0,
  "net.ipv4.conf.default.rp_filter": 0,
  "net.ipv4.conf.all.send_redirects": 0,
  "net.ipv4.conf.default.send_redirects": 0,
  "net.ipv6.conf.all.forwarding": 1,
  "net.ipv6.conf.default.accept_dad": 0,
  "net.ipv6.conf.default.router_solicitations": 0,
  "net.ipv6.icmp.ratelimit": 0,
} as const;

/** The far ends have no stack: it would answer. */
const DEAF = { "net.ipv6.conf.all.disable_ipv6": 1, "net.ipv6.conf.default.disable_ipv6": 1 } as const;

function set(space: string, settings: Readonly<Record<string, number>>): void {
  const words = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  if (words.length > 0) callIn(space, "sysctl", ["-qw", ...words]);
}

function createInterface({ node, ends }: Spaces, device: Interface): string[] {
  const { name, mac, mtu, vxlan } = device;
  const settings = `address ${printMac(mac)} mtu ${mtu}`;
  if (device.kind === "loopback") return ["link set lo up"];
  // kube-proxy's stays down: its addresses are local all the same.
  if (device.kind === "dummy") return [`link add ${name} type dummy`];
  if (isWire(device)) {
    return [`link add ${name} ${settings} type veth peer name ${name} netns ${ends}`, `link set ${name} up`];
  }
  if (vxlan === undefined)
    throw new Error(`The judge makes no interface of kind ${device.kind} (${name}, ${node}).`);
  const tunnel = `id ${vxlan.vni} local ${printIp(vxlan.local)} dev eth0 dstport ${vxlan.port} nolearning`;
  return [`link add ${name} ${settings} type vxlan ${tunnel}`, `link set ${name} up`];
}

const familyWord = (address: number | bigint) => (typeof address === "bigint" ? "-6 " : "");

function addressesOf({ name, kind, addresses }: Interface): string[] {
  if (kind === "loopback") return [];
  return addresses.map(({ address, length }) => {
    const nodad = typeof address === "bigint" ? " nodad" : "";
    return `addr add ${printIp(address)}/${length} dev ${name}${nodad}`;
  });
}

/** What the kernel has not made by itself from the addresses. */
const isGiven = ({ proto }: Route) => proto !== "kernel";

function neighbourWords(neighbour: Neighbour): string {
  return `neigh replace ${printNeighbours([neighbour]).trim().replace("PERMANENT", "nud permanent")}`;
}

function batch(space: string, program: string, lines: readonly string[]): void {
  if (lines.length > 0) callIn(space, program, ["-batch", "-"], `${lines.join("\n")}\n`);
}

/**
 * Makes the node: its interfaces with their far ends, addresses, routes, neighbours (`guests` are further ones that
 * packets are sent to) and settings, as the ruleset says.
 */
export function raiseNode(spaces: Spaces, ruleset: Ruleset, guests: readonly Neighbour[]): void {
  const { interfaces, routes, neighbours, fdb } = ruleset;
  call("ip", ["netns", "add", spaces.ends]);
  call("ip", ["netns", "add", spaces.node]);
  set(spaces.ends, DEAF);
  set(spaces.node, QUIET);
  batch(
    spaces.node,
    "ip",
    interfaces.flatMap((device) => createInterface(spaces, device)),
  );
  batch(
    spaces.ends,
    "ip",
    interfaces.filter(isWire).flatMap(({ name }) => [`link set ${name} arp off`, `link set ${name} up`]),
  );
  for (const { name } of interfaces.filter(isWire)) muteOffloads(spaces, name);
  batch(spaces.node, "ip", interfaces.flatMap(addressesOf));
  batch(spaces.node, "ip", [
    ...routes
      .filter(isGiven)
      .map((route) => `${familyWord(route.prefix.address)}route add ${printRoutes([route]).trim()}`),
    ...[...neighbours, ...guests].map(neighbourWords),
  ]);
  batch(
    spaces.node,
    "bridge",
    fdb.map((entry) => `fdb append ${printFdb([entry]).trim()}`),
  );
}

/** What leaves has its checksums written, and is not put together. */
function muteOffloads(spaces: Spaces, device: string): void {
  for (const space of [spaces.node, spaces.ends]) {
    callIn(space, "ethtool", ["-K", device, ..."tx off rx off gro off gso off tso off".split(" ")]);
  }
}

/** Sets the kernel's settings, by their names. */
export function setKernel(space: string, settings: Readonly<Record<string, number>>): void {
  set(space, settings);
}

/** Takes both namespaces away, with everything in them. */
export function fellNode(spaces: Spaces): void {
  for (const space of [spaces.node, spaces.ends]) {
    try {
      call("ip", ["netns", "delete", space]);
    } catch {
      // It was not made.
    }
  }
}
