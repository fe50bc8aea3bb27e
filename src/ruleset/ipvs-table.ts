import { familyOf, type Ip, isLinkLocal } from "../net/ip.js";
import { printHostPort } from "../net/port.js";
import { ipKey, serverKey } from "./identity.js";
import {
  familyOfService,
  flagsOf,
  type RealServer,
  type ServiceMatch,
  type ServiceSettings,
  serviceName,
  type VirtualServer,
} from "./ipvs.js";
import { checkNamed, checkReal, checkScheduler } from "./ipvs-match.js";

/** A real server by what tells it from the others of its virtual server. */
export type RealServerMatch = Pick<RealServer, "address" | "port">;

/** 31 days: ipvsadm takes no more. */
const SECONDS_MAX = 86_400 * 31;
const WORD_MAX = 0xffffffff;
const INT_MAX = 0x7fffffff;
const PORT_MAX = 65535;

interface Held {
  readonly service: ServiceMatch & ServiceSettings;
  readonly origin: string;
  /** In the order of addition. */
  readonly servers: Map<string, RealServer>;
}

/**
 * Virtual servers as ipvsadm and a kernel change them one after the other: every method refuses what those would
 * refuse, by a TypeError that says which server and what is wrong, and changes nothing then.
 */
export class IpvsTable {
  readonly #services = new Map<string, Held>();

  get servers(): readonly VirtualServer[] {
    return [...this.#services.values()].map(virtualServerOf);
  }

  /** The virtual server as it is. TypeError where there is none. */
  get(match: ServiceMatch): VirtualServer {
    return virtualServerOf(this.#held(match));
  }

  /** TypeError for what names no virtual server at all. */
  has(match: ServiceMatch): boolean {
    checkNamed(match);
    return this.#services.has(serverKey(match));
  }

  /** Makes one what it was, real servers and all. */
  put({ servers, origin, ...service }: VirtualServer): void {
    const reals = new Map(servers.map((server) => [keyOf(server), server]));
    this.#services.set(serverKey(service), { service, origin, servers: reals });
  }

  add(service: ServiceMatch & ServiceSettings, origin = ""): void {
    if (this.has(service)) throw new TypeError(`virtual server ${serviceName(service)} is there already.`);
    this.#services.set(serverKey(service), {
      service: checkedService(service),
      origin,
      servers: new Map(),
    });
  }

  /** Its real servers stay; all settings are those that are given. */
  edit(service: ServiceMatch & ServiceSettings): void {
    const held = this.#held(service);
    this.#services.set(serverKey(service), { ...held, service: checkedService(service) });
  }

  remove(match: ServiceMatch): void {
    this.#held(match);
    this.#services.delete(serverKey(match));
  }

  clear(): void {
    this.#services.clear();
  }

  addServer(match: ServiceMatch, server: RealServer): void {
    const { service, servers } = this.#held(match);
    const checked = checkedServer(service, server);
    const key = keyOf(checked);
    if (servers.has(key)) throw new TypeError(`${nameOf(service, checked)} is there already.`);
    servers.set(key, checked);
  }

  /** All that it is beside its address and port is as given. */
  editServer(match: ServiceMatch, server: RealServer): void {
    const { service, servers } = this.#held(match);
    const checked = checkedServer(service, server);
    const before = this.#real(match, checked);
    servers.set(keyOf(checked), withLastWeight(checked, before));
  }

  removeServer(match: ServiceMatch, server: RealServerMatch): void {
    const before = this.#real(match, server);
    this.#held(match).servers.delete(keyOf(before));
  }

  #held(match: ServiceMatch): Held {
    checkNamed(match);
    const held = this.#services.get(serverKey(match));
    if (held === undefined) throw new TypeError(`there is no virtual server ${serviceName(match)}.`);
    return held;
  }

  #real(match: ServiceMatch, server: RealServerMatch): RealServer {
    const { service, servers } = this.#held(match);
    checkReal(server);
    const found = servers.get(keyOf(server));
    if (found === undefined) throw new TypeError(`there is no ${nameOf(service, server)}.`);
    return found;
  }
}

function virtualServerOf({ service, servers, origin }: Held): VirtualServer {
  return { ...service, servers: [...servers.values()], origin };
}

const keyOf = ({ address, port }: RealServerMatch) => `${ipKey(address)} ${port}`;

function nameOf(service: ServiceMatch, { address, port }: RealServerMatch): string {
  return `real server ${printHostPort(address, port)} of virtual server ${serviceName(service)}`;
}

/** The kernel keeps the last weight that was not 0 (__ip_vs_update_dest). */
function withLastWeight({ lastWeight: _, ...server }: RealServer, before: RealServer): RealServer {
  if (server.weight !== 0) return server;
  const lastWeight = before.weight === 0 ? before.lastWeight : before.weight;
  return lastWeight === undefined ? server : { ...server, lastWeight };
}

function expectWhole(value: number, [least, most]: readonly [number, number], what: string): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new TypeError(`${what} ${String(value)} is not a whole number from ${least} to ${most}.`);
}

function checkMatch(service: ServiceMatch & ServiceSettings, name: string): void {
  const { persistence, onePacket } = service;
  if (service.mark !== undefined) {
    expectWhole(service.mark, [1, WORD_MAX], "the firewall mark");
    return;
  }
  expectWhole(service.port, [0, PORT_MAX], `the port of virtual server ${name}:`);
  if (service.port === 0 && persistence === undefined) {
    throw new TypeError(
      `virtual server ${name} has port 0, as only persistent ones may: give it persistence (-p) or a port.`,
    );
  }
  if (onePacket && service.protocol !== "UDP") {
    throw new TypeError(
      `virtual server ${name} has one-packet scheduling (-o), which only UDP and firewall marks have.`,
    );
  }
}

/** A service without what has no effect: the netmask of one that is not persistent. */
function checkedService<T extends ServiceMatch & ServiceSettings>(service: T): T {
  const name = serviceName(service);
  const { scheduler, flags = [], persistence, netmask } = service;
  checkMatch(service, name);
  checkScheduler(scheduler, name);
  const known = flagsOf(scheduler);
  const stray = flags.find((flag) => !known.includes(flag));
  if (stray !== undefined)
    throw new TypeError(`scheduler ${scheduler} of virtual server ${name} has no flag ${stray}.`);
  if (persistence !== undefined)
    expectWhole(persistence, [1, SECONDS_MAX], `the persistence of virtual server ${name}:`);
  if (netmask === undefined) return service;
  const isSix = familyOfService(service) === 6;
  expectWhole(netmask, isSix ? [1, 128] : [0, WORD_MAX], `the netmask of virtual server ${name}:`);
  if (persistence !== undefined && netmask !== (isSix ? 128 : WORD_MAX)) return service;
  const { netmask: _, ...rest } = service;
  return rest as T;
}

/** Whether a kernel would send to an address: one host's, and not of a link alone (ip_vs_new_dest). */
function isUnicast(address: Ip): boolean {
  if (typeof address === "number") return address !== 0 && address >>> 28 !== 0xe && address !== WORD_MAX;
  const isMapped = address >> 32n === 0xffffn;
  return address !== 0n && address >> 120n !== 0xffn && !isMapped && !isLinkLocal(address);
}

function checkThresholds({ upperThreshold = 0, lowerThreshold = 0 }: RealServer, name: string): void {
  expectWhole(upperThreshold, [0, INT_MAX], `the upper threshold of ${name}:`);
  expectWhole(lowerThreshold, [0, INT_MAX], `the lower threshold of ${name}:`);
  if (lowerThreshold <= upperThreshold) return;
  throw new TypeError(
    `the lower threshold of ${name} is above its upper one: ${lowerThreshold} and ${upperThreshold}.`,
  );
}

/** A real server as ipvsadm gives it to the kernel: packets that are not rewritten stay at the service's port. */
function checkedServer(service: ServiceMatch, server: RealServer): RealServer {
  checkReal(server);
  const name = nameOf(service, server);
  const { address, weight, forwarding } = server;
  expectWhole(server.port, [0, PORT_MAX], `the port of ${name}:`);
  expectWhole(weight, [0, INT_MAX], `the weight of ${name}:`);
  checkThresholds(server, name);
  if (!isUnicast(address)) throw new TypeError(`${name} has no host's address: a kernel refuses it.`);
  if (familyOf(address) !== familyOfService(service) && typeof forwarding !== "object") {
    throw new TypeError(`${name} is of the other family, which only tunnels (-i) reach.`);
  }
  if (typeof forwarding === "object" && forwarding.tunnel === "gue") {
    expectWhole(forwarding.port, [1, PORT_MAX], `the tunnel's port of ${name}:`);
  }
  const asked = forwarding === undefined ? undefined : service.port;
  return { ...server, port: asked ?? server.port };
}
