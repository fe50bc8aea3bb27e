import { type Ip, parseIp } from "../../../src/net/ip.js";
import { printHostPort } from "../../../src/net/port.js";
import type { IpvsConnection } from "../../../src/ruleset/ipvs-connections.js";

/** What the kernel says of IPVS below /proc/net, in words that can be compared. */

/** A virtual server and its real ones, a line each. */
export interface ServerLines {
  readonly service: string;
  readonly servers: readonly string[];
}

/** `0A600001` is IPv4, a mark where an address should stand is a number too; `[fd00:0096:…]` or without brackets is IPv6. */
function readAddress(text: string): Ip {
  const plain = text.replace(/^\[|\]$/g, "");
  const address = plain.includes(":") ? parseIp(plain) : Number.parseInt(plain, 16);
  if (address === undefined) throw new Error(`«${text}» is no address of /proc/net.`);
  return address;
}

/** `0A600001:0050` */
function readEnd(text: string): string {
  const colon = text.lastIndexOf(":");
  return printHostPort(readAddress(text.slice(0, colon)), Number.parseInt(text.slice(colon + 1), 16));
}

/** How ends of connections and marks are written. */
interface Ends {
  readonly end: (text: string) => string;
  readonly mark: (text: string) => number;
}

const IN_HEX: Ends = { end: readEnd, mark: (text) => Number.parseInt(text, 16) };
const AS_LISTED: Ends = { end: (text) => text, mark: Number };

/** `TCP  0A600001:0050 wrr persistent 300 FFFFFFFF`, `FWM  7 IPv6 wrr`: of what follows the scheduler's name is told. */
function readService(line: string, { end, mark }: Ends): string {
  const [protocol = "", match = "", ...rest] = line.split(/ +/);
  const [scheduler = ""] = rest.filter((word) => word !== "IPv6");
  return `${protocol} ${protocol === "FWM" ? mark(match) : end(match)} ${scheduler}`;
}

/** `  -> 0AF4000B:0050      Masq    1      0          0` */
function readServer(line: string, { end }: Ends): string {
  const [match = "", method, weight, active, inactive] = line.trim().replace(/^-> /, "").split(/ +/);
  return `${end(match)} ${method} weight ${weight} active ${active} inactive ${inactive}`;
}

const HEADINGS = 3;

function readLines(lines: readonly string[], ends: Ends): readonly ServerLines[] {
  const read: { service: string; servers: string[] }[] = [];
  for (const line of lines.slice(HEADINGS).filter((text) => text !== "")) {
    if (line.startsWith("  ->")) read.at(-1)?.servers.push(readServer(line, ends));
    else read.push({ service: readService(line, ends), servers: [] });
  }
  return read;
}

/** /proc/net/ip_vs */
export const readServers = (lines: readonly string[]): readonly ServerLines[] => readLines(lines, IN_HEX);

/** `ipvsadm -Ln` */
export const readListing = (lines: readonly string[]): readonly ServerLines[] => readLines(lines, AS_LISTED);

/** `TCP AC140001 0AF0 0A600001 0050 0AF4000A 0050 SYN_RECV         55` */
function readConnection(line: string): IpvsConnection {
  const [protocol = "", client = "", clientPort = "", virtual = "", virtualPort = "", ...rest] =
    line.split(/ +/);
  const [destination = "", destinationPort = "", state = "", expires = ""] = rest;
  const port = (text: string) => Number.parseInt(text, 16);
  return {
    protocol: protocol as IpvsConnection["protocol"],
    expires: Number(expires),
    state,
    client: readAddress(client),
    clientPort: port(clientPort),
    virtual: readAddress(virtual),
    virtualPort: port(virtualPort),
    destination: readAddress(destination),
    destinationPort: port(destinationPort),
  };
}

/** /proc/net/ip_vs_conn */
export function readConnections(lines: readonly string[]): readonly IpvsConnection[] {
  return lines.slice(1).map(readConnection);
}
