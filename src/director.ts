import { expectArgument, expectObjects, expectOptions, expectText, isObject } from "./arguments.js";
import type { Diagnostic } from "./diagnostics.js";
import type { Batch, BatchOptions } from "./engine/batch.js";
import { Engine } from "./engine/engine.js";
import type { IpvsConnection } from "./engine/ipvs-sessions.js";
import { ownStates, printServers, type RealServerState } from "./engine/listed-servers.js";
import type { EngineOptions } from "./engine/options.js";
import type { Ip } from "./net/ip.js";
import { hostPrefix } from "./net/prefix.js";
import type { RulesetStep } from "./ruleset/change.js";
import { guessDirector, virtualAddresses } from "./ruleset/guessed-director.js";
import { ipKey } from "./ruleset/identity.js";
import type { IptablesDump } from "./ruleset/iptables-dump.js";
import {
  type Ipvs,
  matchOf,
  type RealServer,
  type ServiceMatch,
  type ServiceSettings,
  type VirtualServer,
} from "./ruleset/ipvs.js";
import { type IpvsCommand, takeCommand } from "./ruleset/ipvs-command.js";
import { listedConnection, printIpvsConnections } from "./ruleset/ipvs-connections.js";
import type { IpvsListingOptions } from "./ruleset/ipvs-listing.js";
import { checkNamed, isAddress } from "./ruleset/ipvs-match.js";
import { printIpvs, readIpvsCommands } from "./ruleset/ipvs-save.js";
import { IpvsTable, type RealServerMatch } from "./ruleset/ipvs-table.js";
import type { Ruleset } from "./ruleset/ruleset.js";
import { isSame } from "./ruleset/same.js";
import { checkSysctls } from "./ruleset/sysctl-names.js";
import type { Sysctls } from "./ruleset/sysctls.js";

export interface DirectorOptions extends EngineOptions {
  /** Virtual servers that are there at first, as parseIpvs reads them. */
  readonly ipvs?: Ipvs;
  /** Settings of the kernel by its own names (`net.ipv4.vs.conn_reuse_mode`); others have the kernel's defaults. */
  readonly sysctls?: Sysctls;
  /** Rules that packets meet beside, as parseIptablesDump reads them: they give packets their firewall marks. */
  readonly rules?: IptablesDump;
  /** The director's addresses, beside those of virtual servers; default one of documentation for each family. */
  readonly localAddresses?: readonly Ip[];
}

/** A virtual server as it is added: what it is asked about, its settings, and its first real servers. */
export type NewService = ServiceMatch & ServiceSettings & { readonly servers?: readonly RealServer[] };

type Change = Exclude<IpvsCommand, { readonly verb: "zero" }>;

/** The device that virtual servers' addresses are on. */
const LOOPBACK = "lo";

/** TypeError for what is none of a director's own options; Engine.load checks its own. */
function expectDirectorOptions(options: DirectorOptions): void {
  expectOptions(options, "Director.create()");
  const { ipvs = { servers: [] }, rules = {}, localAddresses = [] } = options;
  const isIpvs = isObject(ipvs) && Array.isArray(ipvs.servers);
  expectArgument(isIpvs, ipvs, "ipvs of Director.create()", "what parseIpvs() answers");
  expectArgument(isObject(rules), rules, "rules of Director.create()", "what parseIptablesDump() answers");
  const areAddresses = Array.isArray(localAddresses) && localAddresses.every(isAddress);
  const give = "a list of what parseIp() answers";
  expectArgument(areAddresses, localAddresses, "localAddresses of Director.create()", give);
}

/** TypeError where one of its real servers would be refused: a virtual server comes with all of them or not at all. */
function expectWhole(service: ServiceMatch & ServiceSettings, servers: readonly RealServer[]): void {
  const trial = new IpvsTable();
  trial.add(service);
  for (const server of servers) trial.addServer(service, server);
}

/** What names a virtual server, and nothing beside. TypeError where nothing does. */
function named(service: ServiceMatch): ServiceMatch {
  checkNamed(service);
  return matchOf(service);
}

function emptyRuleset({ ipvs, sysctls, rules = {}, localAddresses = [] }: DirectorOptions): Ruleset {
  const { iptables, ip6tables } = rules;
  const both = [iptables ?? { family: 4, tables: [] }, ip6tables ?? { family: 6, tables: [] }] as const;
  const timeouts = ipvs?.timeouts;
  const known = { neighbours: undefined, fdb: undefined, diagnostics: [] };
  return {
    node: "director",
    proxy: "ipvs",
    ...guessDirector({ servers: [] }, known, both, { localAddresses }),
    ...rules,
    ipvs: { servers: [], ...(timeouts === undefined ? {} : { timeouts }) },
    ...(sysctls === undefined ? {} : { sysctls }),
    names: new Map(),
    diagnostics: checkSysctls(sysctls ?? {}),
  };
}

/**
 * An IPVS director without any cluster: one node whose kernel has virtual servers, which are changed one by one as
 * ipvsadm changes them, between batches of packets and without rebuilding. What a change means for schedulers and
 * connections is what it means to Linux 6.1: a virtual server that is edited keeps its real ones, a real server that
 * comes back soon has its connections again. Addresses of virtual servers are the director's own, and stay so; every real
 * server is reachable through its one interface, eth0.
 *
 * Every change throws TypeError, naming the server, for what ipvsadm or the kernel refuses, and RangeError where memory
 * does not hold it; nothing is changed then.
 */
export class Director {
  /** What runs the packets: explore, trace and save by it. Its rulesets' IPVS is changed through the director alone. */
  readonly engine: Engine;
  readonly #table = new IpvsTable();
  readonly #own = new Set<string>();

  private constructor(engine: Engine) {
    this.engine = engine;
    for (const { addresses } of engine.ruleset.interfaces)
      for (const { address } of addresses) this.#own.add(ipKey(address));
  }

  /** Errors of Engine.load, and of the changes that add what is there at first. */
  static async create(options: DirectorOptions = {}): Promise<Director> {
    expectDirectorOptions(options);
    const director = new Director(await Engine.load(emptyRuleset(options), options));
    for (const service of options.ipvs?.servers ?? []) director.add(service);
    return director;
  }

  /** Warnings of what it was made with: settings of the kernel that are not modelled. */
  get diagnostics(): readonly Diagnostic[] {
    return this.engine.ruleset.diagnostics;
  }

  /** The number of the interface that clients and real servers are behind: what batches name as where a frame came in. */
  get uplink(): number {
    return this.engine.numbering.interfaces.findIndex(({ kind }) => kind === "uplink") + 1;
  }

  /** What `ipvsadm -A` does, and `-a` for each of its real servers. */
  add(added: NewService): void {
    checkNamed(added);
    const { servers = [], ...service } = added;
    expectObjects(servers, "the servers of a virtual server", "a list of real servers");
    expectWhole(service, servers);
    this.#take({ verb: "add-service", service });
    for (const server of servers) this.addServer(service, server);
  }

  /** `ipvsadm -E`: all settings become those that are given; real servers and counters stay. */
  edit(service: ServiceMatch & ServiceSettings): void {
    this.#take({ verb: "edit-service", service });
  }

  /** `ipvsadm -D` */
  remove(service: ServiceMatch): void {
    this.#take({ verb: "delete-service", service: named(service) });
  }

  /** `ipvsadm -a` */
  addServer(service: ServiceMatch, server: RealServer): void {
    this.#take({ verb: "add-server", service: named(service), server });
  }

  /** `ipvsadm -e`: all but address and port becomes as given; its connections stay. */
  editServer(service: ServiceMatch, server: RealServer): void {
    this.#take({ verb: "edit-server", service: named(service), server });
  }

  /** `ipvsadm -d`: what becomes of its connections is up to net.ipv4.vs.expire_nodest_conn. */
  removeServer(service: ServiceMatch, server: RealServerMatch): void {
    this.#take({ verb: "delete-server", service: named(service), server });
  }

  /**
   * Takes lines as `ipvsadm -R` does, all but -Z, in their order: `-A -t 10.96.0.10:53 -s rr`. InputError naming the lines that are
   * refused, before which those above were taken; `file` is what they are called in it.
   */
  restore(text: string, file = "ipvsadm"): void {
    expectText(text, "the text of director.restore()", "lines of ipvsadm -R");
    readIpvsCommands(text, file, (command) => this.#take(command));
  }

  /** The virtual servers as they are, as plain data: what `Director.create` takes. */
  get ipvs(): Ipvs {
    const { timeouts } = this.engine.ruleset.ipvs ?? {};
    return { servers: this.#table.servers, ...(timeouts === undefined ? {} : { timeouts }) };
  }

  /** The same as `ipvsadm-save -n` prints it, in the order of addition. */
  save(): string {
    return printIpvs(this.ipvs);
  }

  /** Room for so many packets. RangeError when 2 GiB do not hold it beside what there is. */
  batch(capacity: number, options?: BatchOptions): Batch {
    return this.engine.batch(capacity, options);
  }

  /** Runs the first `count` packets of a batch; `now` is milliseconds. Errors as Engine.run has them. */
  run(batch: Batch, now = 0, count: number = batch?.capacity): void {
    this.engine.run(batch, now, count);
  }

  /**
   * What each real server of a virtual one has and had, in the order of addition; `now` in milliseconds: what is over by
   * then does not count. TypeError where there is no such virtual server.
   */
  counters(service: ServiceMatch, now = 0): readonly RealServerState[] {
    const found = this.#table.get(service);
    return ownStates(this.engine, found, now);
  }

  /** IPVS' connections and templates, in no order; `now` as above. */
  connections(now = 0): readonly IpvsConnection[] {
    return this.engine.ipvsConnections(now);
  }

  /** `ipvsadm -Ln`, octet for octet; `now` as above. */
  list(options: IpvsListingOptions & { readonly now?: number } = {}): string {
    return printServers(this.engine, options);
  }

  /** `ipvsadm -Lnc`; `now` as above. */
  listConnections(now = 0): string {
    return printIpvsConnections(this.connections(now).map(listedConnection));
  }

  #take(command: IpvsCommand): void {
    if (command.verb === "zero") throw new TypeError("counters are not set to 0 (-Z): take differences.");
    const before = this.#affected(command);
    takeCommand(this.#table, command);
    const steps = this.#steps(command, before);
    try {
      this.engine.apply(steps);
    } catch (error) {
      this.#undo(command, before);
      throw error;
    }
    for (const step of steps) if (step.kind === "address-added") this.#own.add(ipKey(step.address.address));
  }

  /** What the command may change, as it is. */
  #affected(command: Change): readonly VirtualServer[] {
    if (command.verb === "clear") return this.#table.servers;
    if (!("service" in command) || command.service === undefined) return [];
    return this.#table.has(command.service) ? [this.#table.get(command.service)] : [];
  }

  #undo(command: Change, before: readonly VirtualServer[]): void {
    if (command.verb === "add-service") this.#table.remove(command.service);
    for (const service of before) this.#table.put(service);
  }

  #steps(command: Change, before: readonly VirtualServer[]): readonly RulesetStep[] {
    switch (command.verb) {
      case "clear":
      case "delete-service":
        return before.map((service) => ({ kind: "server-removed", ...matchOf(service) }));
      case "set":
        return [{ kind: "ipvs-timeouts-set", timeouts: command.timeouts }];
      default: {
        const server = this.#table.get(command.service);
        // To a scheduler that is no change at all, while a real server that stays as it is would be one.
        if (command.verb === "edit-service" && before.some((one) => isSame(one, server))) return [];
        return [...this.#missingAddress(server), { kind: "server-set", server }];
      }
    }
  }

  #missingAddress(service: VirtualServer): readonly RulesetStep[] {
    return virtualAddresses([service])
      .filter((address) => !this.#own.has(ipKey(address)))
      .map((address) => ({ kind: "address-added", dev: LOOPBACK, address: hostPrefix(address) }));
  }
}
