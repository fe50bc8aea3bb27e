import {
  NEXT_HOP_DST_MAC,
  NEXT_HOP_ENTRY_LEN,
  NEXT_HOP_FLAG_BRIDGE,
  NEXT_HOP_FLAG_NO_UDP_CHECKSUM,
  NEXT_HOP_FLAG_ON_LINK,
  NEXT_HOP_FLAGS,
  NEXT_HOP_KIND,
  NEXT_HOP_KIND_DIRECT,
  NEXT_HOP_KIND_GENEVE,
  NEXT_HOP_KIND_LOCAL,
  NEXT_HOP_KIND_UNREACHABLE,
  NEXT_HOP_KIND_VXLAN,
  NEXT_HOP_LEAVE,
  NEXT_HOP_MTU,
  NEXT_HOP_OPTIONS,
  NEXT_HOP_OPTIONS_LEN,
  NEXT_HOP_OPTIONS_MAX,
  NEXT_HOP_OUT,
  NEXT_HOP_OUTER_DST,
  NEXT_HOP_OUTER_DST_MAC,
  NEXT_HOP_OUTER_SRC,
  NEXT_HOP_OUTER_SRC_MAC,
  NEXT_HOP_PORT,
  NEXT_HOP_SOURCE,
  NEXT_HOP_SRC_MAC,
  NEXT_HOP_VNI,
} from "../../../assembly/abi/entry.js";
import type { Ip4 } from "../../net/ip.js";
import type { Mac } from "../../net/mac.js";
import { type Prefix, prefixContains, prefixOf } from "../../net/prefix.js";
import type { Interface, Route } from "../../ruleset/routes.js";
import type { Ruleset } from "../../ruleset/ruleset.js";
import type { NumberedHop, NumberedRoute } from "../../trace/numbering.js";

export interface HopEntries {
  readonly hops: readonly NumberedHop[];
  readonly routes: readonly NumberedRoute[];
  /** NEXT_HOP_ENTRY_LEN octets each. */
  readonly entries: Uint8Array;
}

const KINDS = {
  unreachable: NEXT_HOP_KIND_UNREACHABLE,
  local: NEXT_HOP_KIND_LOCAL,
  direct: NEXT_HOP_KIND_DIRECT,
  vxlan: NEXT_HOP_KIND_VXLAN,
  geneve: NEXT_HOP_KIND_GENEVE,
} as const;

/** A next hop with everything its entry needs. */
interface Hop extends NumberedHop {
  readonly mac?: Mac;
  readonly outer?: { readonly mac: Mac; readonly dev: Interface };
}

/** What is known of a hop before the way through the underlay is. */
interface Tunnelled {
  readonly kind: "vxlan" | "geneve";
  readonly dev: string;
  readonly via: Ip4;
  readonly mac: Mac;
}

const NOWHERE: Interface = { name: "", kind: "dummy", mac: 0, mtu: 0, addresses: [] };

/**
 * Resolves a ruleset's routes as its kernel would at the first packet: each route's gateway or destination through
 * the neighbours, a tunnel device's through the FDB and the underlay's neighbours. A route that does not resolve
 * stays, as a next hop that drops with its own reason.
 */
class Resolver {
  readonly hops: Hop[] = [];
  readonly routes: NumberedRoute[] = [];
  readonly #devices = new Map<string, Interface>();
  readonly #macs = new Map<string, Mac>();
  readonly #remotes = new Map<string, Ip4>();

  constructor(readonly ruleset: Ruleset) {
    for (const device of ruleset.interfaces) this.#devices.set(device.name, device);
    for (const { dev, address, mac } of ruleset.neighbours) this.#macs.set(`${dev} ${address}`, mac);
    for (const { dev, mac, dst } of ruleset.fdb) {
      if (typeof dst === "number") this.#remotes.set(`${dev} ${mac}`, dst);
    }
  }

  device(name: string): Interface {
    return this.#devices.get(name) ?? NOWHERE;
  }

  add(prefix: Prefix, hop: Hop): void {
    this.routes.push({ prefix, hop: this.hops.push(hop) - 1 });
  }

  /** The route that the kernel would take, without the local table. */
  #lookup(address: Ip4): Route | undefined {
    let best: Route | undefined;
    for (const route of this.ruleset.routes) {
      if (prefixContains(route.prefix, address) && route.prefix.length >= (best?.prefix.length ?? 0))
        best = route;
    }
    return best;
  }

  /** The neighbour behind an address on a device; undefined where none is known. */
  hop(dev: string, via: Ip4): Hop {
    const mac = this.#macs.get(`${dev} ${via}`);
    if (mac === undefined) return { kind: "unreachable", dev, via };
    const { kind } = this.device(dev);
    return kind === "vxlan" || kind === "geneve"
      ? this.#tunnel({ kind, dev, via, mac })
      : { kind: "direct", dev, via, mac };
  }

  #tunnel(inner: Tunnelled): Hop {
    const { dev, via, mac } = inner;
    const remote = this.#remotes.get(`${dev} ${mac}`);
    const underlay = remote === undefined ? undefined : this.#lookup(remote);
    if (remote === undefined || underlay === undefined) return { kind: "unreachable", dev, via };
    const next = typeof underlay.via === "number" ? underlay.via : remote;
    const outerMac = this.#macs.get(`${underlay.dev} ${next}`);
    if (outerMac === undefined) return { kind: "unreachable", dev, via };
    const outer = { mac: outerMac, dev: this.device(underlay.dev) };
    return { ...inner, remote, uplink: underlay.dev, outer };
  }
}

/** All addresses of a device share one next hop: kube-ipvs0 has as many as there are Services. */
function localRoutes(resolver: Resolver): void {
  for (const device of resolver.ruleset.interfaces) {
    const hop = resolver.hops.push({ kind: "local", dev: device.name }) - 1;
    for (const { address, length } of device.addresses) {
      if (typeof address !== "number") continue;
      const prefix = device.kind === "loopback" ? prefixOf(address, length) : { address, length: 32 };
      resolver.routes.push({ prefix, hop });
    }
  }
}

/** A connected route reaches the neighbours known on its device, each by a host route. */
function connectedRoutes(resolver: Resolver, route: Route, claimed: ReadonlySet<string>): void {
  // On the uplink's network there may be hosts that the cluster does not know: they answer.
  const isUplink = resolver.device(route.dev).kind === "uplink";
  resolver.add(route.prefix, { kind: isUplink ? "direct" : "unreachable", dev: route.dev });
  for (const { address, dev } of resolver.ruleset.neighbours) {
    if (dev !== route.dev || typeof address !== "number" || !prefixContains(route.prefix, address)) continue;
    const prefix = { address, length: 32 };
    if (!claimed.has(`${address}/32`)) resolver.add(prefix, resolver.hop(dev, address));
  }
}

/** The address MASQUERADE gives: the device's in the next hop's subnet, else its first. */
function sourceOf(device: Interface, via: Ip4 | undefined): Ip4 {
  const usable = device.addresses.filter(({ address }) => typeof address === "number");
  const near = usable.find(
    ({ address, length }) => via !== undefined && prefixContains(prefixOf(address, length), via),
  );
  const chosen = (near ?? usable[0])?.address;
  return typeof chosen === "number" ? chosen : 0;
}

function setMac(view: DataView, at: number, mac: Mac): void {
  view.setUint16(at, Math.floor(mac / 2 ** 32));
  view.setUint32(at + 2, mac % 2 ** 32);
}

function flagsOf(hop: Hop, { kind, geneve }: Interface): number {
  const isOnLink = hop.kind === "direct" && hop.mac === undefined;
  const isUnsummed = kind === "geneve" && geneve?.udpChecksum !== true;
  return (
    (kind === "bridge" ? NEXT_HOP_FLAG_BRIDGE : 0) |
    (isOnLink ? NEXT_HOP_FLAG_ON_LINK : 0) |
    (isUnsummed ? NEXT_HOP_FLAG_NO_UDP_CHECKSUM : 0)
  );
}

/** TypeError for options that do not fit: they are written in whole or not at all. */
function setOptions(view: DataView, { name, geneve }: Interface): void {
  const options = geneve?.options ?? [];
  if (options.length > NEXT_HOP_OPTIONS_MAX || options.length % 4 !== 0) {
    const message = `at most ${NEXT_HOP_OPTIONS_MAX} octets, in words of 4: it has ${options.length}.`;
    throw new TypeError(`The Geneve device ${name} can have options of ${message}`);
  }
  view.setUint32(NEXT_HOP_OPTIONS_LEN, options.length, true);
  for (const [index, octet] of options.entries()) view.setUint8(NEXT_HOP_OPTIONS + index, octet);
}

function fill(view: DataView, hop: Hop, ruleset: Ruleset, device: Interface): void {
  const set = (field: number, value: number) => view.setUint32(field, value, true);
  set(NEXT_HOP_KIND, KINDS[hop.kind]);
  set(NEXT_HOP_OUT, ruleset.interfaces.indexOf(device) + 1);
  set(NEXT_HOP_LEAVE, ruleset.interfaces.indexOf(hop.outer?.dev ?? device) + 1);
  set(NEXT_HOP_MTU, device.mtu);
  set(NEXT_HOP_SOURCE, sourceOf(device, hop.via));
  set(NEXT_HOP_FLAGS, flagsOf(hop, device));
  setMac(view, NEXT_HOP_DST_MAC, hop.mac ?? 0);
  setMac(view, NEXT_HOP_SRC_MAC, device.mac);
  const end = device.vxlan ?? device.geneve;
  if (hop.outer === undefined || end === undefined || typeof end.local !== "number") return;
  set(NEXT_HOP_VNI, end.vni);
  set(NEXT_HOP_PORT, end.port);
  set(NEXT_HOP_OUTER_SRC, end.local);
  set(NEXT_HOP_OUTER_DST, hop.remote ?? 0);
  setMac(view, NEXT_HOP_OUTER_DST_MAC, hop.outer.mac);
  setMac(view, NEXT_HOP_OUTER_SRC_MAC, hop.outer.dev.mac);
  setOptions(view, device);
}

/** Every IPv4 route of the ruleset and each of the node's own addresses, with their next hops. */
export function hopEntries(ruleset: Ruleset): HopEntries {
  const resolver = new Resolver(ruleset);
  const v4 = ruleset.routes.filter(({ prefix }) => typeof prefix.address === "number");
  const claimed = new Set(v4.map(({ prefix }) => `${prefix.address}/${prefix.length}`));
  for (const route of v4) {
    if (typeof route.via === "number") resolver.add(route.prefix, resolver.hop(route.dev, route.via));
    else connectedRoutes(resolver, route, claimed);
  }
  localRoutes(resolver);
  const entries = new Uint8Array(resolver.hops.length * NEXT_HOP_ENTRY_LEN);
  for (const [index, hop] of resolver.hops.entries()) {
    const view = new DataView(entries.buffer, index * NEXT_HOP_ENTRY_LEN, NEXT_HOP_ENTRY_LEN);
    fill(view, hop, ruleset, resolver.device(hop.dev));
  }
  return { hops: resolver.hops, routes: resolver.routes, entries };
}
