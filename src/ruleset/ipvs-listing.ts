import { printHostPort } from "../net/port.js";
import type { Ipvs, RealServer, ServiceMatch, VirtualServer } from "./ipvs.js";
import { sortIpvs } from "./ipvs-order.js";
import { printNetmask } from "./ipvs-save.js";

/** What a kernel counts of a virtual server, and of a real one, since it is there. Octets are from the IP header on. */
export interface IpvsStatistics {
  readonly connections: number;
  readonly inPackets: number;
  readonly outPackets: number;
  readonly inOctets: number;
  readonly outOctets: number;
}

/** What a real server has now. */
export interface RealServerCounters extends IpvsStatistics {
  readonly active: number;
  readonly inactive: number;
  /** Templates of persistence. */
  readonly persistent: number;
}

/** Counters by server; undefined where nothing was counted. */
export interface CountersByServer {
  readonly service: (service: VirtualServer) => IpvsStatistics | undefined;
  readonly real: (service: VirtualServer, real: RealServer) => RealServerCounters | undefined;
}

/** What is listed beside the servers: `--stats`, `--thresholds`, `--persistent-conn` or `--tun-info`. */
export type IpvsColumns = "stats" | "thresholds" | "persistent-conn" | "tun-info";

export interface IpvsListingOptions {
  /** Absent: forwarding, weight, active and inactive connections. */
  readonly columns?: IpvsColumns;
  /** Of the kernel's table of connections, which its first line names; default 4096. */
  readonly size?: number;
}

/** Of a server that nothing was sent to. */
export const NOTHING_COUNTED: RealServerCounters = {
  connections: 0,
  inPackets: 0,
  outPackets: 0,
  inOctets: 0,
  outOctets: 0,
  active: 0,
  inactive: 0,
  persistent: 0,
};

const UNCOUNTED: CountersByServer = { service: () => undefined, real: () => undefined };

const left = (text: string | number, width: number) => String(text).padEnd(width);

/** From these on a number is listed in thousands, millions, … (ipvsadm's print_largenum). */
const UNITS = [
  [1e14, 1e12, "T"],
  [1e11, 1e9, "G"],
  [1e9, 1e6, "M"],
  [1e8, 1e3, "K"],
] as const;

/** In a column of nine. */
function printLarge(number: number): string {
  const [, unit, letter] = UNITS.find(([least]) => number >= least) ?? [];
  if (unit === undefined) return String(number).padStart(9);
  return `${String(Math.floor(number / unit)).padStart(8)}${letter}`;
}

function printStatistics(one: IpvsStatistics): string {
  const { connections, inPackets, outPackets, inOctets, outOctets } = one;
  return [connections, inPackets, outPackets, inOctets, outOctets].map(printLarge).join("");
}

/** `TCP  10.96.0.10:53`, `FWM  7 IPv6`; the tool takes a mark for a number with a sign. */
function printMatch(service: ServiceMatch): string {
  if (service.mark !== undefined) return `FWM  ${service.mark | 0}${service.family === 6 ? " IPv6" : ""}`;
  return `${left(service.protocol, 4)} ${printHostPort(service.address, service.port)}`;
}

function printSettings(service: VirtualServer): string {
  const { scheduler, flags, persistence, onePacket } = service;
  const netmask = printNetmask(service);
  return [
    scheduler,
    ...(flags === undefined ? [] : [`(${flags.join(",")})`]),
    ...(persistence === undefined ? [] : [`persistent ${persistence}`]),
    ...(netmask === undefined ? [] : [`mask ${netmask}`]),
    ...(onePacket ? ["ops"] : []),
  ].join(" ");
}

function printForwarding({ forwarding }: RealServer): string {
  if (typeof forwarding === "object") return "Tunnel";
  return forwarding === "direct" ? "Route" : "Masq";
}

const CHECKSUMS = { nocsum: "-c", csum: "+c", remcsum: "r+c" } as const;

function printTunnel({ forwarding }: RealServer): string {
  if (typeof forwarding !== "object") return "n/a";
  const { tunnel } = forwarding;
  if (tunnel === "ipip") return tunnel;
  const checksum = CHECKSUMS[forwarding.checksum ?? "nocsum"];
  return tunnel === "gue" ? `${tunnel}:${forwarding.port}:${checksum}` : `${tunnel}:${checksum}`;
}

interface Layout {
  readonly title: string;
  readonly service: (service: VirtualServer, counted: IpvsStatistics) => string;
  readonly real: (real: RealServer, counted: RealServerCounters) => string;
}

const row = (...cells: readonly (readonly [text: string | number, width: number])[]) =>
  cells.map(([text, width]) => left(text, width)).join(" ");

const LOCAL = "Prot LocalAddress:Port";
const named = (service: VirtualServer) => `${printMatch(service)} ${printSettings(service)}`;

/** ipvsadm's own columns and widths. */
const LAYOUTS: Readonly<Record<IpvsColumns | "plain", Layout>> = {
  plain: {
    title: `${LOCAL} Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n`,
    service: named,
    real: (real, { active, inactive }) =>
      row([printForwarding(real), 7], [real.weight, 6], [active, 10], [inactive, 10]),
  },
  stats: {
    title: `${left(LOCAL, 33)}${["Conns", "InPkts", "OutPkts", "InBytes", "OutBytes"].map((one) => one.padStart(9)).join("")}\n  -> RemoteAddress:Port\n`,
    service: (service, counted) => left(printMatch(service), 33) + printStatistics(counted),
    // No space before it, as there is in other columns.
    real: (_, counted) => printStatistics(counted),
  },
  thresholds: {
    title: `${left(LOCAL, 33)} ${["Uthreshold", "Lthreshold", "ActiveConn", "InActConn "].join(" ")}\n  -> RemoteAddress:Port\n`,
    service: named,
    real: ({ upperThreshold = 0, lowerThreshold = 0 }, { active, inactive }) =>
      row([upperThreshold, 10], [lowerThreshold, 10], [active, 10], [inactive, 10]),
  },
  "persistent-conn": {
    title: `${left(LOCAL, 33)} ${row(["Weight", 9], ["PersistConn", 11], ["ActiveConn", 10], ["InActConn", 10])}\n  -> RemoteAddress:Port\n`,
    service: named,
    real: ({ weight }, { persistent, active, inactive }) =>
      row([weight, 9], [persistent, 11], [active, 10], [inactive, 10]),
  },
  "tun-info": {
    title: `${LOCAL} Scheduler Flags\n  -> RemoteAddress:Port           Forward TunnelInfo    Weight ActiveConn InActConn\n`,
    service: named,
    real: (real, { active, inactive }) =>
      row(
        [printForwarding(real), 7],
        [printTunnel(real), 13],
        [real.weight, 6],
        [active, 10],
        [inactive, 10],
      ),
  },
};

function layoutOf(columns: IpvsColumns | "plain"): Layout {
  if (Object.hasOwn(LAYOUTS, columns)) return LAYOUTS[columns];
  const known = Object.keys(LAYOUTS).filter((one) => one !== "plain");
  throw new TypeError(`columns: «${String(columns)}» are none of ipvsadm's: there are ${known.join(", ")}.`);
}

/**
 * `ipvsadm -Ln` (1.31) of an IPVS 1.2.1, in the tool's order, octet for octet, with whatever was counted. TypeError for
 * columns that ipvsadm has not.
 */
export function printIpvsListing(
  ipvs: Ipvs,
  counters: CountersByServer = UNCOUNTED,
  { columns, size = 4096 }: IpvsListingOptions = {},
): string {
  const { title, service: printService, real: printReal } = layoutOf(columns ?? "plain");
  const lines = sortIpvs(ipvs).servers.flatMap((service) => [
    printService(service, counters.service(service) ?? NOTHING_COUNTED),
    ...service.servers.map((real) => {
      const end = printHostPort(real.address, real.port).padEnd(28);
      const counted = printReal(real, counters.real(service, real) ?? NOTHING_COUNTED);
      return `  -> ${end}${columns === "stats" ? "" : " "}${counted}`;
    }),
  ]);
  return `IP Virtual Server version 1.2.1 (size=${size})\n${title}${lines.map((line) => `${line}\n`).join("")}`;
}
