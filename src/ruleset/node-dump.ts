import { expectArgument, expectOptions, isObject } from "../arguments.js";
import { type Diagnostic, InputError } from "../diagnostics.js";
import type { Ip } from "../net/ip.js";
import { parseAddresses } from "./addresses.js";
import { guessDirector } from "./guessed-director.js";
import type { KnownNetwork } from "./guessed-network.js";
import type { IpSet } from "./ipset.js";
import { readSets } from "./ipset-dump.js";
import type { Iptables } from "./iptables.js";
import { parseIp6tablesDump, parseIptablesDump } from "./iptables-dump.js";
import { unknownParts } from "./iptables-lines.js";
import type { Ipvs } from "./ipvs.js";
import { parseIpvs } from "./ipvs-save.js";
import { parseNeighbours } from "./neighbours.js";
import { setsNamed } from "./references.js";
import type { Interface } from "./routes.js";
import { parseRoutes } from "./routes.js";
import type { Ruleset } from "./ruleset.js";
import { checkSysctls } from "./sysctl-names.js";
import type { Sysctls } from "./sysctls.js";
import { parseFdb } from "./vxlan.js";

/** A listing, and the file that errors name. */
export interface DumpText {
  readonly file: string;
  readonly text: string;
}

/**
 * What a node's tools printed, by the tool; iptables-save may hold both families. A node without rules is one that
 * ipvsadm-save tells of: an IPVS director.
 */
export interface NodeDump {
  readonly "iptables-save"?: DumpText;
  readonly "ip6tables-save"?: DumpText;
  readonly "ipset-save"?: DumpText;
  readonly "ipvsadm-save"?: DumpText;
  /** `ip -d addr` */
  readonly "ip-addr"?: DumpText;
  /** `ip route` and `ip -6 route` */
  readonly "ip-route"?: readonly DumpText[];
  readonly "ip-neigh"?: DumpText;
  readonly "bridge-fdb"?: DumpText;
}

export interface DumpOptions {
  /** What the node is called; default `node`. */
  readonly node?: string;
  /** Interfaces that it has beside those that the listings name. */
  readonly interfaces?: readonly string[];
  /** Its addresses, beside those of ip-addr. */
  readonly localAddresses?: readonly Ip[];
  /** Settings of its kernel; without them it has the kernel's own, and where kube-proxy makes its virtual servers kube-proxy's. */
  readonly sysctls?: Sysctls;
}

/** Where no line is right the file is another tool's: what is wrong with the first says enough. */
function withHint(errors: readonly Diagnostic[], { text }: DumpText, tool: string): readonly Diagnostic[] {
  const [first] = errors;
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (first === undefined || errors.length < lines.length || first.message.includes(": give ")) return errors;
  return [{ ...first, message: `${first.message.replace(/\.$/, "")}: give the output of ${tool}.` }];
}

/** Runs readers one after another; every error that they throw is told together. */
class Readings {
  readonly #errors: Diagnostic[] = [];

  /** `tool` is whose output it should be. */
  of<T>(
    dump: DumpText | undefined,
    read: (text: string, file: string) => T,
    tool = "iptables-save",
  ): T | undefined {
    if (dump === undefined) return undefined;
    try {
      return read(dump.text, dump.file);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#errors.push(...withHint(error.diagnostics, dump, tool));
      return undefined;
    }
  }

  error(file: string, message: string): void {
    this.#errors.push({ severity: "error", place: { file }, message });
  }

  refuse(): void {
    if (this.#errors.length > 0) throw new InputError(this.#errors);
  }
}

function warnUnknown(iptables: Iptables | undefined, file: string): readonly Diagnostic[] {
  if (iptables === undefined) return [];
  return unknownParts(iptables).map(({ line, text }) => ({
    severity: "warning",
    place: { file, field: `line ${line}` },
    message: `«${text}» is not known: what becomes of a packet that meets it is undecided.`,
  }));
}

/** Sets that rules ask and that are not given, each with the first line that does. */
function warnAbsent(
  iptables: Iptables | undefined,
  file: string,
  sets: readonly IpSet[],
): readonly Diagnostic[] {
  const given = new Set(sets.map(({ name }) => name));
  const absent = new Map<string, number | undefined>();
  for (const { chains } of iptables?.tables ?? [])
    for (const { rules } of chains)
      for (const rule of rules)
        for (const name of setsNamed(rule))
          if (!given.has(name) && !absent.has(name)) absent.set(name, rule.line);
  return [...absent].map(([name, line]) => ({
    severity: "warning",
    place: { file, field: `line ${line}` },
    message: `the set «${name}» is not given (ipset-save): rules that ask it are undecided.`,
  }));
}

/** The tables of both families, and the file that each was read from. */
interface ReadTables {
  readonly iptables?: Iptables | undefined;
  readonly ip6tables?: Iptables | undefined;
  readonly unknown: readonly Diagnostic[];
}

function readTables(dump: NodeDump, readings: Readings, sets: readonly IpSet[]): ReadTables {
  const [four, six] = [dump["iptables-save"], dump["ip6tables-save"]];
  const both = readings.of(four, parseIptablesDump);
  const own = readings.of(six, parseIp6tablesDump, "ip6tables-save");
  const fourFile = four?.file ?? "";
  if (six !== undefined && both?.ip6tables !== undefined) {
    const message = `holds IPv6 tables, and so does ${six.file}: give one of them.`;
    throw new InputError([{ severity: "error", place: { file: fourFile }, message }]);
  }
  const ip6tables = own ?? both?.ip6tables;
  const sixFile = six?.file ?? fourFile;
  const unknown = [
    ...warnUnknown(both?.iptables, fourFile),
    ...warnAbsent(both?.iptables, fourFile, sets),
    ...warnUnknown(ip6tables, sixFile),
    ...warnAbsent(ip6tables, sixFile, sets),
  ];
  return { iptables: both?.iptables, ip6tables, unknown };
}

/** Devices that a listing names beside those of ip-addr: the two are of different nodes, or one is cut. */
function checkDevices(
  readings: Readings,
  dump: NodeDump,
  listing: DumpText | undefined,
  named: readonly { readonly dev: string }[] | undefined,
  known: readonly Interface[] | undefined,
): void {
  if (known === undefined || listing === undefined) return;
  const names = new Set(["lo", ...known.map(({ name }) => name)]);
  for (const dev of new Set(named?.map((one) => one.dev))) {
    if (names.has(dev)) continue;
    const other = dump["ip-addr"]?.file;
    readings.error(
      listing.file,
      `names the device ${dev}, which ${other} does not list: give listings of one node, whole.`,
    );
  }
}

function readNetwork(dump: NodeDump, readings: Readings): KnownNetwork {
  const addresses = readings.of(dump["ip-addr"], parseAddresses, "ip -d addr");
  const listings = dump["ip-route"]?.map((one) => readings.of(one, parseRoutes, "ip route"));
  const neighbours = readings.of(dump["ip-neigh"], parseNeighbours, "ip neigh");
  const fdb = readings.of(dump["bridge-fdb"], parseFdb, "bridge fdb");
  const check = (listing: DumpText | undefined, named: readonly { readonly dev: string }[] | undefined) =>
    checkDevices(readings, dump, listing, named, addresses?.interfaces);
  for (const [index, listing] of listings?.entries() ?? []) check(dump["ip-route"]?.[index], listing?.routes);
  check(dump["ip-neigh"], neighbours);
  check(dump["bridge-fdb"], fdb);
  return {
    ...(addresses === undefined ? {} : { addresses }),
    ...(listings === undefined ? {} : { routes: listings.flatMap((listing) => listing?.routes ?? []) }),
    neighbours,
    fdb,
    diagnostics: listings?.flatMap((listing) => listing?.diagnostics ?? []) ?? [],
  };
}

/** A director that has nothing to direct is one, but hardly what was meant. */
function warnEmpty(ipvs: Ipvs | undefined, file: string): readonly Diagnostic[] {
  if (ipvs === undefined || ipvs.servers.length > 0) return [];
  return [
    {
      severity: "warning",
      place: { file },
      message: "holds no virtual server: IPVS passes every packet by.",
    },
  ];
}

/** What kube-proxy in mode ipvs sets. */
const PROXY_SYSCTLS: Sysctls = {
  "net.ipv4.vs.conntrack": 1,
  "net.ipv4.vs.expire_nodest_conn": 1,
  "net.ipv4.vs.expire_quiescent_template": 1,
};

function isProxied(tables: readonly (Iptables | undefined)[]): boolean {
  return tables.some((one) =>
    one?.tables.some(({ chains }) => chains.some(({ name }) => name === "KUBE-SERVICES")),
  );
}

/** Of a node whose settings are not given. */
function guessSysctls(
  ipvs: Ipvs | undefined,
  tables: readonly (Iptables | undefined)[],
): Sysctls | undefined {
  return ipvs !== undefined && isProxied(tables) ? PROXY_SYSCTLS : undefined;
}

const modeOf = (ipvs: Ipvs | undefined) => (ipvs === undefined ? "iptables" : "ipvs");

/**
 * A node as its dumps tell of it. What they do not tell of its network is guessed, and every guess is a warning in
 * `diagnostics`, as is everything that rules ask and this program does not know. InputError with every line of every
 * listing that is wrong.
 */
export function rulesetFromDump(dump: NodeDump, options: DumpOptions = {}): Ruleset {
  expectArgument(
    isObject(dump),
    dump,
    "the dump of rulesetFromDump()",
    "listings by the tool that printed them",
  );
  expectOptions(options, "rulesetFromDump()");
  const readings = new Readings();
  const ipsets = readings.of(dump["ipset-save"], readSets, "ipset save");
  const { iptables, ip6tables, unknown } = readTables(dump, readings, ipsets?.sets ?? []);
  const ipvs = readings.of(dump["ipvsadm-save"], parseIpvs, "ipvsadm-save -n");
  const known = readNetwork(dump, readings);
  readings.refuse();
  const sysctls = options.sysctls ?? guessSysctls(ipvs, [iptables, ip6tables]);
  const network = guessDirector(ipvs, known, [iptables, ip6tables], options);
  return {
    node: options.node ?? "node",
    proxy: modeOf(ipvs),
    ...network,
    ...(iptables && { iptables }),
    ...(ip6tables && { ip6tables }),
    ...(ipsets && { ipsets: ipsets.sets }),
    ...(ipvs && { ipvs }),
    ...(sysctls && { sysctls }),
    names: new Map(),
    diagnostics: [
      ...unknown,
      ...warnEmpty(ipvs, dump["ipvsadm-save"]?.file ?? ""),
      ...(ipsets?.diagnostics ?? []),
      ...network.diagnostics,
      ...checkSysctls(options.sysctls ?? {}),
    ],
  };
}
