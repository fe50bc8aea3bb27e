import {
  SCHEDULER_DH,
  SCHEDULER_FLAG_FALLBACK,
  SCHEDULER_FLAG_PORT,
  SCHEDULER_MH,
  SCHEDULER_RR,
  SCHEDULER_SH,
  SCHEDULER_WRR,
} from "../../../assembly/abi/server.js";
import type { Scheduler, SchedulerFlag, VirtualServer } from "../../ruleset/ipvs.js";

const CODES: Readonly<Partial<Record<Scheduler, number>>> = {
  rr: SCHEDULER_RR,
  wrr: SCHEDULER_WRR,
  sh: SCHEDULER_SH,
  dh: SCHEDULER_DH,
  mh: SCHEDULER_MH,
};

const FLAGS: Readonly<Partial<Record<SchedulerFlag, number>>> = {
  "sh-fallback": SCHEDULER_FLAG_FALLBACK,
  "sh-port": SCHEDULER_FLAG_PORT,
  "mh-fallback": SCHEDULER_FLAG_FALLBACK,
  "mh-port": SCHEDULER_FLAG_PORT,
};

/** Octets of a virtual server's slots, and a little for what stands beside them. */
const SLOT_OCTETS: Readonly<Partial<Record<Scheduler, number>>> = {
  rr: 128,
  wrr: 128,
  sh: 1024,
  dh: 1024,
  mh: 8192 + 128,
};

/** What picks among a virtual server's real ones: a SCHEDULER_ code with its flags. */
export function schedulerOf({ scheduler, flags = [] }: VirtualServer): number {
  const code = CODES[scheduler];
  if (code === undefined) throw new TypeError(`scheduler ${scheduler} is not modelled.`);
  return flags.reduce((word, flag) => word | (FLAGS[flag] ?? 0), code);
}

export function slotOctets(scheduler: Scheduler): number {
  return SLOT_OCTETS[scheduler] ?? 128;
}
