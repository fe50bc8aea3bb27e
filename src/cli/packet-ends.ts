import type { Cluster, Ip } from "../index.js";
import { familyOf, printIp } from "../net/ip.js";
import type { Protocol } from "../net/port.js";
import { type End, findEnds } from "./ends.js";
import { UsageError } from "./errors.js";
import { type PacketProtocol, parseProtocol, SOURCE_PORT } from "./first-packet.js";
import { type Mention, parseMention } from "./mention.js";
import { printNote } from "./output.js";

const PORT_PROTOCOL = { tcp: "TCP", udp: "UDP", sctp: "SCTP" } as const;

/** What a command line says of a packet. */
export interface PacketArguments {
  readonly from?: string;
  readonly to?: string;
  readonly protocol?: PacketProtocol;
  readonly sport?: number;
}

/** TCP, unless an option or the port's own declaration says otherwise. */
export function protocolOf({ protocol }: PacketArguments, to: End): PacketProtocol {
  return protocol ?? parseProtocol(to.protocol ?? "") ?? "tcp";
}

/** What declared ports are told apart by. */
function portProtocol({ protocol }: PacketArguments): Protocol | undefined {
  return protocol === undefined || protocol === "icmp" ? undefined : PORT_PROTOCOL[protocol];
}

/** A packet's ends, as they were named. */
export interface Mentions {
  readonly source: Mention;
  readonly destination: Mention;
}

export function parseMentions({ from, to }: PacketArguments): Mentions {
  if (from === undefined || to === undefined)
    throw new UsageError("a packet has two ends: give --from and --to, or --flows for many packets.");
  const [source, destination] = [parseMention(from), parseMention(to)];
  if (source.kind !== "svc") return { source, destination };
  throw new UsageError(`--from ${from}: a Service sends nothing; name one of its Pods.`);
}

function checkSourcePort({ sport }: PacketArguments, { port, text }: Mention, from: End): void {
  if (sport === undefined || port === undefined || from.port === sport) return;
  throw new UsageError(
    `--from ${text} and --sport ${sport} name two source ports, ${from.port} and ${sport}: give one.`,
  );
}

/** An IPv6 address stands in brackets before its port. */
function lacksPort(text: string, address: Ip): UsageError {
  const end = text === printIp(address) && familyOf(address) === 6 ? `[${text}]` : text;
  return new UsageError(`--to ${text}: a packet goes to a port; write ${end}:PORT.`);
}

/** The ends of the packet; a port that a Service does not have is let through, but said. */
export function packetEnds(
  cluster: Cluster,
  { source, destination }: Mentions,
  options: PacketArguments,
): { readonly from: End; readonly to: End } {
  const protocol = portProtocol(options);
  const { from, to } = findEnds(cluster, source, destination, protocol);
  if (options.protocol === "icmp") return { from: { ...from, port: 0 }, to: { ...to, port: 0 } };
  if (to.port === 0) throw lacksPort(destination.text, to.address);
  if (destination.kind === "svc" && to.protocol === undefined) {
    const of = protocol === undefined ? "" : ` of ${protocol}`;
    printNote(`${to.name} has no port ${to.port}${of}; the packet is sent there all the same.`);
  }
  checkSourcePort(options, source, from);
  // A Pod's declared port is what it listens on; it calls from another one.
  const port = options.sport ?? (source.port === undefined || from.port === 0 ? SOURCE_PORT : from.port);
  return { from: { ...from, port }, to };
}
