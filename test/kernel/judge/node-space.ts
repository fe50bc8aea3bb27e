import { type Family, familyOf, printIp } from "../../../src/net/ip.js";
import { printMac } from "../../../src/net/mac.js";
import { type Neighbour, printNeighbours } from "../../../src/ruleset/neighbours.js";
import { type Interface, printRoutes, type Route } from "../../../src/ruleset/routes.js";
import type { Ruleset } from "../../../src/ruleset/ruleset.js";
import { printFdb } from "../../../src/ruleset/vxlan.js";
import { type Call, run, within } from "./shell.js";

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
  // A type that is none.
  "net.ipv6.icmp.ratemask": 255,
} as const;

/** The far ends have no stack: it would answer. */
const DEAF = { "net.ipv6.conf.all.disable_ipv6": 1, "net.ipv6.conf.default.disable_ipv6": 1 } as const;

/** What sets the kernel's settings, by their names. */
export function setting(space: string, settings: Readonly<Record<string, number>>): Call {
  const words = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  return within(space, words.length > 0 ? { program: "sysctl", words: ["-qw", ...words] } : NOTHING);
}

const NOTHING: Call = { program: "true", words: [] };

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

/** What hands lines to `ip` or `bridge` of a namespace. */
function batch(space: string, program: "ip" | "bridge", lines: readonly string[]): Call {
  return { program, words: ["-netns", space, "-batch", "-"], input: `${lines.join("\n")}\n` };
}

/** What adds those routes that are of a family: `ip` takes no other way to tell whose a default route is. */
function adding(space: string, family: Family, routes: readonly Route[]): Call {
  const own = routes.filter(({ prefix }) => familyOf(prefix.address) === family);
  const { program, words, input } = batch(
    space,
    "ip",
    own.map((route) => `route add ${printRoutes([route]).trim()}`),
  );
  return { program, words: [`-${family}`, ...words], ...(input === undefined ? {} : { input }) };
}

/** What leaves a device has its checksums written, and is not put together. */
function plainly({ node, ends }: Spaces, device: string): Call[] {
  const words = ["-K", device, ..."tx off rx off gro off gso off tso off".split(" ")];
  return [node, ends].map((space) => within(space, { program: "ethtool", words }));
}

/**
 * What makes the node: its interfaces with their far ends, addresses, routes, neighbours (`guests` are further ones that
 * packets are sent to) and settings, as the ruleset says.
 */
export function raising(spaces: Spaces, ruleset: Ruleset, guests: readonly Neighbour[]): Call[] {
  const { interfaces, routes, neighbours, fdb, proxy } = ruleset;
  const { node, ends } = spaces;
  const wires = interfaces.filter(isWire);
  const hasTunnel = interfaces.some(({ kind }) => kind === "vxlan");
  // What IPVS tunnels, and ICMPv6 errors that it translates, it leaves for the device to sum up.
  const leadsIpvs = proxy === "ipvs";
  return [
    ...[ends, node].map((space) => ({ program: "ip", words: ["netns", "add", space] })),
    setting(ends, DEAF),
    setting(node, QUIET),
    batch(
      node,
      "ip",
      interfaces.flatMap((device) => createInterface(spaces, device)),
    ),
    batch(
      ends,
      "ip",
      wires.flatMap(({ name }) => [`link set ${name} arp off`, `link set ${name} up`]),
    ),
    ...(hasTunnel || leadsIpvs ? wires.flatMap(({ name }) => plainly(spaces, name)) : []),
    batch(node, "ip", interfaces.flatMap(addressesOf)),
    ...([4, 6] as const).map((family) => adding(node, family, routes.filter(isGiven))),
    batch(node, "ip", [...neighbours, ...guests].map(neighbourWords)),
    batch(
      node,
      "bridge",
      fdb.map((entry) => `fdb append ${printFdb([entry]).trim()}`),
    ),
  ];
}

/** Takes both namespaces away, with everything in them, if they are there. */
export function fellNode({ node, ends }: Spaces): void {
  const words = (space: string) => `ip netns delete ${space} 2>/dev/null || true`;
  run([{ program: "sh", words: ["-c", [node, ends].map(words).join("; ")] }]);
}
