import { type Family, familyOf, type Ip } from "../net/ip.js";
import { type Protocol, printHostPort } from "../net/port.js";

/** How packets get to a real server in a packet of its own: IP in IP, or behind a GRE or a UDP (GUE) header. */
export type Tunnel =
  | { readonly tunnel: "ipip" }
  | { readonly tunnel: "gre"; readonly checksum?: "csum" }
  /** `checksum`: of the UDP header; absent: none. remcsum is GUE's remote checksum offload. */
  | { readonly tunnel: "gue"; readonly port: number; readonly checksum?: "csum" | "remcsum" };

export interface RealServer {
  readonly address: Ip;
  /** Where packets are not rewritten, and where it is 0: the port that the client asked. */
  readonly port: number;
  /** 0 … 2^31-1; 0 takes no new connections. */
  readonly weight: number;
  /** Of weight 0: the weight it had before, by which mh still counts it. Not printed by ipvsadm. */
  readonly lastWeight?: number;
  /** Absent: masquerading (NAT, `-m`); direct routing is `-g`, a tunnel `-i`. */
  readonly forwarding?: "direct" | Tunnel;
  /** Connections from which on it takes no new ones (`-x`); absent: it takes any number. */
  readonly upperThreshold?: number;
  /** Connections below which it takes new ones again (`-y`); absent: three quarters of the upper threshold. */
  readonly lowerThreshold?: number;
}

/** The schedulers of Linux 6.1, by ipvsadm's names. */
export const SCHEDULERS = [
  "rr",
  "wrr",
  "lc",
  "wlc",
  "lblc",
  "lblcr",
  "dh",
  "sh",
  "sed",
  "nq",
  "fo",
  "ovf",
  "mh",
  "twos",
] as const;
export type Scheduler = (typeof SCHEDULERS)[number];

/** In ipvsadm's order. Those of sh and mh bear names; in other schedulers the same bits have numbers, and no effect. */
export const SCHEDULER_FLAGS = [
  "sh-fallback",
  "sh-port",
  "mh-fallback",
  "mh-port",
  "flag-1",
  "flag-2",
  "flag-3",
] as const;
export type SchedulerFlag = (typeof SCHEDULER_FLAGS)[number];

/** The flags that a scheduler may be given. */
export function flagsOf(scheduler: Scheduler): readonly SchedulerFlag[] {
  const prefix = scheduler === "sh" || scheduler === "mh" ? `${scheduler}-` : "flag-";
  return SCHEDULER_FLAGS.filter((flag) => flag.startsWith(prefix));
}

/** A service of what packets are sent to. Port 0, which only persistent ones may have, is every port that no other has. */
export interface ServiceAddress {
  readonly protocol: Protocol;
  readonly address: Ip;
  readonly port: number;
  readonly mark?: undefined;
}

/** A service of packets that bear a firewall mark (1 … 2^32-1), whatever they are sent to. */
export interface ServiceMark {
  readonly mark: number;
  readonly family: Family;
  readonly protocol?: undefined;
  readonly address?: undefined;
  readonly port?: undefined;
}

/** What packets a virtual server is asked about; no two have the same. */
export type ServiceMatch = ServiceAddress | ServiceMark;

/** What a virtual server does with its connections. */
export interface ServiceSettings {
  readonly scheduler: Scheduler;
  /** Of the scheduler (-b), in the order of SCHEDULER_FLAGS. */
  readonly flags?: readonly SchedulerFlag[];
  /** Seconds of persistence (-p), for sessionAffinity: ClientIP. */
  readonly persistence?: number;
  /** What of a client's address persistence goes by (-M): a mask of IPv4, a prefix length of IPv6; absent: all of it. */
  readonly netmask?: number;
  /** Each packet is scheduled anew (-o): UDP, and firewall marks. */
  readonly onePacket?: true;
}

interface Served {
  /** In the order of addition; the kernel's list is newest first. */
  readonly servers: readonly RealServer[];
  /** The service port it was made for, `ns/name:port`; not printed by ipvsadm. */
  readonly origin: string;
}

/** One virtual server of kernel IPVS. */
export type VirtualServer = ServiceMatch & ServiceSettings & Served;

/** A virtual server that is not a firewall mark's: kube-proxy makes no others. */
export type AddressedServer = ServiceAddress & ServiceSettings & Served;

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

/** What tells a virtual server from others, alone. */
export function matchOf(service: ServiceMatch): ServiceMatch {
  const { mark, protocol, address, port } = service;
  return mark === undefined ? { protocol, address, port } : { mark, family: service.family };
}

/** Of the packets that a service is asked about. */
export function familyOfService(service: ServiceMatch): Family {
  return service.mark === undefined ? familyOf(service.address) : service.family;
}

/** `TCP 10.96.0.10:53`, `firewall mark 7`: what tells virtual servers apart, for people. */
export function serviceName(service: ServiceMatch): string {
  if (service.mark === undefined)
    return `${service.protocol} ${printHostPort(service.address, service.port)}`;
  return `firewall mark ${service.mark}${service.family === 6 ? " (IPv6)" : ""}`;
}
