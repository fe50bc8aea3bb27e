import type { Ip } from "../net/ip.js";
import type { VirtualServer } from "./ipvs.js";

/** How many connections a real server has, as `ipvsadm -L` counts them. */
export interface ServerCounters {
  readonly address: Ip;
  readonly port: number;
  readonly active: number;
  readonly inactive: number;
}

/** Of a virtual server's real ones, in any order; one that is not among them has no connection. */
export type CountersOf = (server: VirtualServer) => readonly ServerCounters[];
