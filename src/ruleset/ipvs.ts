import type { Ip } from "../net/ip.js";
import { type HostPort, type Protocol, parseHostPort, printHostPort } from "../net/port.js";
import { readLines, type Words } from "./words.js";

export interface RealServer {
  readonly address: Ip;
  readonly port: number;
  readonly weight: number;
}

/** One virtual server of kernel IPVS; forwarding is always NAT (masquerading, `-m`). */
export interface VirtualServer {
  readonly protocol: Protocol;
  readonly address: Ip;
  readonly port: number;
  readonly scheduler: "rr";
  /** Seconds of persistence (-p), for sessionAffinity: ClientIP. */
  readonly persistence?: number;
  /** In the order of addition; the kernel's list is newest first. */
  readonly servers: readonly RealServer[];
  /** The service port it was made for, `ns/name:port`; not printed by ipvsadm. */
  readonly origin: string;
}

export interface Ipvs {
  readonly servers: readonly VirtualServer[];
}

const FLAG: Record<Protocol, string> = { TCP: "-t", UDP: "-u", SCTP: "--sctp-service" };

function printServer(server: VirtualServer): string {
  const service = `${FLAG[server.protocol]} ${printHostPort(server.address, server.port)}`;
  const persistence = server.persistence === undefined ? "" : ` -p ${server.persistence}`;
  const lines = [`-A ${service} -s ${server.scheduler}${persistence}\n`];
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

/** `-A -t 10.96.0.10:53 -s rr -p 10800`, after the -A. */
function readVirtualServer(words: Words): VirtualServerDraft {
  const service = readService(words);
  words.expect("-s");
  const parse = (word: string) => (word === "rr" ? word : undefined);
  const scheduler = words.read("a scheduler this program models (rr)", parse);
  const persistence = words.take("-p") ? { persistence: words.readCount("a number of seconds") } : {};
  return { ...service, scheduler, ...persistence, servers: [], origin: "" };
}

/** The rest of `-a -t 10.96.0.10:53 -r 10.244.1.7:53 -m -w 1`, after the service. */
function readRealServer(words: Words): RealServer {
  words.expect("-r");
  const server = readHostPort(words);
  if (!words.take("-m")) throw words.refusal("only servers forwarded to by masquerading (-m) are modelled.");
  return { ...server, weight: words.take("-w") ? words.readCount("a weight") : 1 };
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
