import type { Ip } from "../net/ip.js";
import { type HostPort, type Protocol, parseHostPort, printHostPort } from "../net/port.js";
import { readLines, type Words } from "./words.js";

export interface RealServer {
  readonly address: Ip;
  readonly port: number;
  /** 0 … 65535; 0 takes no new connections. */
  readonly weight: number;
  /** Of weight 0: the weight it had before, by which mh still counts it. Not printed by ipvsadm. */
  readonly lastWeight?: number;
}

/** The schedulers that are modelled, by ipvsadm's names; those that count live connections are not. */
export const SCHEDULERS = ["rr", "wrr", "sh", "dh", "mh"] as const;
export type Scheduler = (typeof SCHEDULERS)[number];

/** In ipvsadm's order; each begins with the name of the one scheduler that knows it. */
export const SCHEDULER_FLAGS = ["sh-fallback", "sh-port", "mh-fallback", "mh-port"] as const;
export type SchedulerFlag = (typeof SCHEDULER_FLAGS)[number];

/** One virtual server of kernel IPVS; forwarding is always NAT (masquerading, `-m`). */
export interface VirtualServer {
  readonly protocol: Protocol;
  readonly address: Ip;
  readonly port: number;
  readonly scheduler: Scheduler;
  /** Of the scheduler (-b), in the order of SCHEDULER_FLAGS. */
  readonly flags?: readonly SchedulerFlag[];
  /** Seconds of persistence (-p), for sessionAffinity: ClientIP. */
  readonly persistence?: number;
  /** In the order of addition; the kernel's list is newest first. */
  readonly servers: readonly RealServer[];
  /** The service port it was made for, `ns/name:port`; not printed by ipvsadm. */
  readonly origin: string;
}

/** What `ipvsadm --set` changes, in seconds; what is absent stays as it is (900, 120 and 300 in a kernel that was left alone). */
export interface IpvsTimeouts {
  readonly tcp?: number;
  readonly tcpFin?: number;
  readonly udp?: number;
}

export interface Ipvs {
  readonly servers: readonly VirtualServer[];
  /** Not printed by ipvsadm-save. */
  readonly timeouts?: IpvsTimeouts;
}

const FLAG: Record<Protocol, string> = { TCP: "-t", UDP: "-u", SCTP: "--sctp-service" };

function printServer(server: VirtualServer): string {
  const service = `${FLAG[server.protocol]} ${printHostPort(server.address, server.port)}`;
  const persistence = server.persistence === undefined ? "" : ` -p ${server.persistence}`;
  const flags = server.flags === undefined ? "" : ` -b ${server.flags.join(",")}`;
  const lines = [`-A ${service} -s ${server.scheduler}${persistence}${flags}\n`];
  for (const { address, port, weight } of server.servers) {
    lines.push(`-a ${service} -r ${printHostPort(address, port)} -m -w ${weight}\n`);
  }
  return lines.join("");
}

/**
 * The listing of `ipvsadm-save -n`, in the order given. (The tool sorts it, so that what it restores is added in
 * another order than it was.)
 */
export function printIpvs(ipvs: Ipvs): string {
  return ipvs.servers.map(printServer).join("");
}

function readHostPort(words: Words): HostPort {
  return words.read("an address with a port (list with ipvsadm-save -n)", parseHostPort);
}

function readService(words: Words): HostPort & { readonly protocol: Protocol } {
  const protocol = words.read("a service flag this program models (-t, -u or --sctp-service)", (word) =>
    (Object.keys(FLAG) as Protocol[]).find((name) => FLAG[name] === word),
  );
  return { protocol, ...readHostPort(words) };
}

type VirtualServerDraft = VirtualServer & { readonly servers: RealServer[] };

function readFlags(words: Words, scheduler: Scheduler): readonly SchedulerFlag[] {
  const known = SCHEDULER_FLAGS.filter((flag) => flag.startsWith(scheduler));
  if (known.length === 0) throw words.refusal(`scheduler ${scheduler} has no flags (-b): leave them out.`);
  return words.read(`a list of flags of scheduler ${scheduler} (${known.join(",")})`, (word) => {
    const given = word.split(",");
    const flags = known.filter((flag) => given.includes(flag));
    return flags.length === given.length ? flags : undefined;
  });
}

/** `-A -t 10.96.0.10:53 -s mh -p 10800 -b mh-port`, after the -A. */
function readVirtualServer(words: Words): VirtualServerDraft {
  const service = readService(words);
  words.expect("-s");
  const scheduler = words.read(`a scheduler this program models (${SCHEDULERS.join(", ")})`, (word) =>
    SCHEDULERS.find((name) => name === word),
  );
  const persistence = words.take("-p") ? { persistence: words.readCount("a number of seconds") } : {};
  const flags = words.take("-b") ? { flags: readFlags(words, scheduler) } : {};
  return { ...service, scheduler, ...persistence, ...flags, servers: [], origin: "" };
}

/** ipvsadm takes no larger ones. */
function parseWeight(word: string): number | undefined {
  return /^[0-9]{1,5}$/.test(word) && Number(word) <= 65535 ? Number(word) : undefined;
}

/** The rest of `-a -t 10.96.0.10:53 -r 10.244.1.7:53 -m -w 1`, after the service. */
function readRealServer(words: Words): RealServer {
  words.expect("-r");
  const server = readHostPort(words);
  if (!words.take("-m")) throw words.refusal("only servers forwarded to by masquerading (-m) are modelled.");
  return { ...server, weight: words.take("-w") ? words.read("a weight (0 to 65535)", parseWeight) : 1 };
}

/**
 * Reads a listing of `ipvsadm-save -n`; the inverse of printIpvs, but for `origin`, which it leaves empty.
 * Anything not modelled is an InputError that names its line in `file`.
 */
export function parseIpvs(text: string, file: string): Ipvs {
  const servers = new Map<string, VirtualServerDraft>();
  readLines(text, file, (words) => {
    const verb = words.read("-A or -a", (word) => ["-A", "-a"].find((one) => one === word));
    if (verb === "-A") {
      const server = readVirtualServer(words);
      const key = keyOf(server);
      if (servers.has(key)) throw words.refusal(`virtual server ${key} is added a second time.`);
      servers.set(key, server);
    } else {
      const key = keyOf(readService(words));
      const server = servers.get(key);
      if (server === undefined) throw words.refusal(`virtual server ${key} was not added before.`);
      server.servers.push(readRealServer(words));
    }
    if (!words.done) throw words.refusal(`«${words.next("")}» is not modelled.`);
    return undefined;
  });
  return { servers: [...servers.values()] };
}

/** `TCP 10.96.0.10:53`: what tells virtual servers apart. */
function keyOf({ protocol, address, port }: HostPort & { readonly protocol: Protocol }): string {
  return `${protocol} ${printHostPort(address, port)}`;
}
