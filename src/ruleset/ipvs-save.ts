import { expectText } from "../arguments.js";
import { printIp4 } from "../net/ip.js";
import { type Protocol, printHostPort } from "../net/port.js";
import {
  familyOfService,
  type Ipvs,
  type IpvsTimeouts,
  type RealServer,
  type ServiceMatch,
  type ServiceSettings,
  type Tunnel,
  type VirtualServer,
} from "./ipvs.js";
import { type IpvsCommand, readCommand, takeCommand } from "./ipvs-command.js";
import { IpvsTable } from "./ipvs-table.js";
import { readLines } from "./words.js";

const FLAG: Record<Protocol, string> = { TCP: "-t", UDP: "-u", SCTP: "--sctp-service" };

function printMatch(service: ServiceMatch): string {
  if (service.mark !== undefined) return `-f ${service.mark}${service.family === 6 ? " -6" : ""}`;
  return `${FLAG[service.protocol]} ${printHostPort(service.address, service.port)}`;
}

/** A netmask as ipvsadm spells it: four octets, or a prefix length. */
export function printNetmask(service: ServiceMatch & ServiceSettings): string | undefined {
  const { netmask } = service;
  if (netmask === undefined) return undefined;
  return familyOfService(service) === 4 ? printIp4(netmask) : `${netmask}`;
}

function printSettings(service: VirtualServer): string {
  const { scheduler, flags, persistence, onePacket } = service;
  const netmask = printNetmask(service);
  return [
    `-s ${scheduler}`,
    ...(persistence === undefined ? [] : [`-p ${persistence}`]),
    ...(netmask === undefined ? [] : [`-M ${netmask}`]),
    ...(onePacket ? ["-o"] : []),
    ...(flags === undefined ? [] : [`-b ${flags.join(",")}`]),
  ].join(" ");
}

function printTunnel(tunnel: Tunnel): string {
  const type = `--tun-type ${tunnel.tunnel}`;
  if (tunnel.tunnel === "ipip") return type;
  const checksum = `--tun-${tunnel.checksum ?? "nocsum"}`;
  return tunnel.tunnel === "gre" ? `${type} ${checksum}` : `${type} --tun-port ${tunnel.port} ${checksum}`;
}

const METHODS = { masquerade: "-m", direct: "-g", tunnel: "-i" } as const;

function printReal({ address, port, weight, forwarding, ...limits }: RealServer): string {
  const method = typeof forwarding === "object" ? "tunnel" : (forwarding ?? "masquerade");
  const { upperThreshold, lowerThreshold } = limits;
  return [
    `-r ${printHostPort(address, port)} ${METHODS[method]} -w ${weight}`,
    ...(typeof forwarding === "object" ? [printTunnel(forwarding)] : []),
    ...(upperThreshold === undefined ? [] : [`-x ${upperThreshold}`]),
    ...(lowerThreshold === undefined ? [] : [`-y ${lowerThreshold}`]),
  ].join(" ");
}

function printServer(server: VirtualServer): string {
  const match = printMatch(server);
  const reals = server.servers.map((real) => `-a ${match} ${printReal(real)}\n`);
  return `-A ${match} ${printSettings(server)}\n${reals.join("")}`;
}

/**
 * The listing of `ipvsadm-save -n` (1.31), in the order given, so that it is restored in the order of addition: the tool
 * sorts it (sortIpvs). It also forgets thresholds and prints marks from 2^31 on below 0, which are printed here.
 */
export function printIpvs(ipvs: Ipvs): string {
  return ipvs.servers.map(printServer).join("");
}

/** What the tool passes over: lines that begin with #, and its own name. */
function plainLine(line: string): string {
  return line.startsWith("#") ? "" : line.replace(/(?<!\S)ipvsadm(?!\S)/g, "");
}

/** Reads lines as `ipvsadm-restore` does, and has each taken, whose TypeError is told with its line. */
export function readIpvsCommands(text: string, file: string, take: (command: IpvsCommand) => void): void {
  expectText(text, `the text of ${file}`, "what ipvsadm-save -n prints");
  const plain = text.split("\n").map(plainLine).join("\n");
  readLines(plain, file, (words) => {
    const command = readCommand(words);
    try {
      take(command);
    } catch (error) {
      if (error instanceof TypeError) throw words.refusal(error.message);
      throw error;
    }
    return undefined;
  });
}

/**
 * Reads what `ipvsadm-restore` does, as ipvsadm-save and people write it: every command that changes virtual servers, in
 * its order (-A -E -D -a -e -d -C -Z --set). The inverse of printIpvs, but for `origin`, which it leaves empty, and
 * `lastWeight`. Anything that the tool or a kernel refuses is an InputError that names its line in `file`.
 */
export function parseIpvs(text: string, file: string): Ipvs {
  const table = new IpvsTable();
  let timeouts: IpvsTimeouts = {};
  readIpvsCommands(text, file, (command) => {
    if (command.verb === "set") timeouts = { ...timeouts, ...command.timeouts };
    else takeCommand(table, command);
  });
  return { servers: table.servers, ...(Object.keys(timeouts).length === 0 ? {} : { timeouts }) };
}

/** What `ipvsadm -R` takes to set a kernel's timeouts, as parseIpvs reads it: 0 leaves one as it is. */
export function printTimeouts({ timeouts: { tcp = 0, tcpFin = 0, udp = 0 } = {} }: Ipvs): string {
  return `--set ${tcp} ${tcpFin} ${udp}\n`;
}
