import { type Ip, parseIp } from "../../../src/net/ip.js";
import { printHostPort } from "../../../src/net/port.js";

/** How packets reach a real server: translated, by its MAC address, or in a tunnel. */
export type Forwarding =
  | "masquerade"
  | "direct"
  | "ipip"
  | "gue"
  | "gue with checksum"
  | "gre"
  | "gre with checksum";

/** A real server. Addresses are text, so that a scenario is plain JSON. */
export interface Server {
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  readonly forwarding: Forwarding;
  /** Thresholds of connections; 0 is none. */
  readonly upper: number;
  readonly lower: number;
}

/** A virtual server, of an address and port or of a firewall mark. */
export interface Service {
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly address: string;
  readonly port: number;
  /** The mark that packets to the address get; then the service is one of the mark. */
  readonly mark?: number;
  readonly scheduler: string;
  readonly flags: readonly string[];
  readonly isOnePacket: boolean;
  /** Seconds. */
  readonly persistence?: number;
  /** Prefix length of the clients that are kept together. */
  readonly netmask?: number;
}

export type Change =
  | { readonly do: "add" | "edit" | "remove"; readonly service: Service }
  | {
      readonly do: "addServer" | "editServer" | "removeServer";
      readonly service: Service;
      readonly server: Server;
    };

/** A client's conversation with a service. */
export interface Talk {
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly client: string;
  readonly clientPort: number;
  readonly address: string;
  readonly port: number;
}

/** What sockets do; one of UDP that is closed says nothing. */
export type Act = "open" | "say" | "close" | "reset";

export type Step =
  /**
   * A packet of a talk: TCP's flags, SCTP's chunk, "data" of UDP, or an ICMP error (ERRORS) about the last packet that was
   * heard. Who has heard nothing is silent.
   */
  | { readonly do: "say"; readonly talk: number; readonly from: "client" | "server"; readonly what: string }
  /** As a socket does it, in a scenario whose ends are sockets. */
  | { readonly do: "act"; readonly talk: number; readonly from: "client" | "server"; readonly what: Act }
  /** `pause`: milliseconds that pass before, which are no wait. */
  | { readonly do: "change"; readonly changes: readonly Change[]; readonly pause?: number }
  | { readonly do: "wait"; readonly milliseconds: number }
  /** All connections are looked at. */
  | { readonly do: "look" };

/** What is done to a director, and in what order. */
export interface Scenario {
  readonly name: string;
  readonly seed: number;
  /** By the kernel's names. */
  readonly sysctls: Readonly<Record<string, number>>;
  /** `ipvsadm --set`, in seconds: TCP, TCP after a FIN, UDP; 0 leaves one as it is. */
  readonly timeouts?: readonly [number, number, number];
  /** Clients and servers are sockets, whose kernels make the packets. */
  readonly hasSockets?: boolean;
  /** What was counted is listed at the end. */
  readonly hasStatistics?: boolean;
  readonly talks: readonly Talk[];
  readonly steps: readonly Step[];
}

/** An address that a scenario names. */
export function addressOf(text: string): Ip {
  const address = parseIp(text);
  if (address === undefined) throw new Error(`«${text}» is no address.`);
  return address;
}

/** `10.96.0.1:80` */
export const hostPort = (address: string, port: number): string => printHostPort(addressOf(address), port);

const FLAG = { TCP: "-t", UDP: "-u", SCTP: "--sctp-service" } as const;
const METHOD = {
  masquerade: "-m",
  direct: "-g",
  ipip: "-i",
  gue: "-i --tun-type gue --tun-port 6080 --tun-nocsum",
  "gue with checksum": "-i --tun-type gue --tun-port 6080 --tun-csum",
  gre: "-i --tun-type gre --tun-nocsum",
  "gre with checksum": "-i --tun-type gre --tun-csum",
} as const;
const VERB = {
  add: "-A",
  edit: "-E",
  remove: "-D",
  addServer: "-a",
  editServer: "-e",
  removeServer: "-d",
} as const;

const isIp6 = (address: string) => address.includes(":");

/** What tells services apart, in ipvsadm's words. */
export function serviceWords({ protocol, address, port, mark }: Service): string {
  if (mark === undefined) return `${FLAG[protocol]} ${hostPort(address, port)}`;
  return `-f ${mark}${isIp6(address) ? " -6" : ""}`;
}

function netmaskWords({ address, netmask }: Service): string {
  if (netmask === undefined) return "";
  if (isIp6(address)) return ` -M ${netmask}`;
  const mask = netmask === 0 ? 0 : 2 ** 32 - 2 ** (32 - netmask);
  return ` -M ${[24, 16, 8, 0].map((shift) => (mask / 2 ** shift) & 255).join(".")}`;
}

function optionWords(service: Service): string {
  const { scheduler, flags, isOnePacket, persistence } = service;
  return [
    ` -s ${scheduler}`,
    persistence === undefined ? "" : ` -p ${persistence}${netmaskWords(service)}`,
    flags.length === 0 ? "" : ` -b ${flags.join(",")}`,
    isOnePacket ? " -o" : "",
  ].join("");
}

function serverWords({ address, port, weight, forwarding, upper, lower }: Server): string {
  const limits = `${upper > 0 ? ` -x ${upper}` : ""}${lower > 0 ? ` -y ${lower}` : ""}`;
  return ` -r ${hostPort(address, port)} ${METHOD[forwarding]} -w ${weight}${limits}`;
}

/** A change as `ipvsadm --restore` reads it. */
export function printChange(change: Change): string {
  const head = `${VERB[change.do]} ${serviceWords(change.service)}`;
  if (change.do === "remove") return head;
  if (change.do === "removeServer")
    return `${head} -r ${hostPort(change.server.address, change.server.port)}`;
  return "server" in change ? head + serverWords(change.server) : head + optionWords(change.service);
}

/** A step as text. */
export function printStep(step: Step, talks: readonly Talk[]): string {
  if (step.do === "wait") return `wait ${step.milliseconds} ms`;
  if (step.do === "look") return "look at all connections";
  if (step.do === "change") return step.changes.map((change) => `ipvsadm ${printChange(change)}`).join("\n");
  const { protocol, client, clientPort, address, port } = talks[step.talk] as Talk;
  const ends = [hostPort(client, clientPort), hostPort(address, port)];
  return `${protocol} ${ends[0]} ${step.from === "client" ? "->" : "<-"} ${ends[1]} ${step.what}`;
}

/** A scenario as text, a line a step, for people who want to see what was done. */
export function printScenario({ name, seed, sysctls, timeouts, talks, steps }: Scenario): string {
  const settings = Object.entries(sysctls).map(([key, value]) => `sysctl ${key}=${value}`);
  const set = timeouts === undefined ? [] : [`ipvsadm --set ${timeouts.join(" ")}`];
  return [`# ${name}, seed ${seed}`, ...settings, ...set, ...steps.map((step) => printStep(step, talks))]
    .map((line) => `${line}\n`)
    .join("");
}
