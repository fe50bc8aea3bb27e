import {
  SCHEDULER_DH,
  SCHEDULER_FLAG_FALLBACK,
  SCHEDULER_FLAG_PORT,
  SCHEDULER_FO,
  SCHEDULER_LBLC,
  SCHEDULER_LBLCR,
  SCHEDULER_LC,
  SCHEDULER_MH,
  SCHEDULER_NQ,
  SCHEDULER_OVF,
  SCHEDULER_RR,
  SCHEDULER_SED,
  SCHEDULER_SH,
  SCHEDULER_TWOS,
  SCHEDULER_WLC,
  SCHEDULER_WRR,
} from "../../../assembly/abi/server.js";
import type { Scheduler, SchedulerFlag, VirtualServer } from "../../ruleset/ipvs.js";

const CODES: Readonly<Record<Scheduler, number>> = {
  rr: SCHEDULER_RR,
  wrr: SCHEDULER_WRR,
  lc: SCHEDULER_LC,
  wlc: SCHEDULER_WLC,
  lblc: SCHEDULER_LBLC,
  lblcr: SCHEDULER_LBLCR,
  dh: SCHEDULER_DH,
  sh: SCHEDULER_SH,
  sed: SCHEDULER_SED,
  nq: SCHEDULER_NQ,
  fo: SCHEDULER_FO,
  ovf: SCHEDULER_OVF,
  mh: SCHEDULER_MH,
  twos: SCHEDULER_TWOS,
};

/** Others have no effect. */
const FLAGS: Readonly<Partial<Record<SchedulerFlag, number>>> = {
  "sh-fallback": SCHEDULER_FLAG_FALLBACK,
  "sh-port": SCHEDULER_FLAG_PORT,
  "mh-fallback": SCHEDULER_FLAG_FALLBACK,
  "mh-port": SCHEDULER_FLAG_PORT,
};

/** Octets of a virtual server's slots, and a little for what stands beside them. */
const SLOT_OCTETS: Readonly<Partial<Record<Scheduler, number>>> = { sh: 1024, dh: 1024, mh: 8192 + 128 };
const OCTETS_BESIDE = 128;

/** What picks among a virtual server's real ones: a SCHEDULER_ code with its flags. */
export function schedulerOf({ scheduler, flags = [] }: VirtualServer): number {
  return flags.reduce((word, flag) => word | (FLAGS[flag] ?? 0), CODES[scheduler]);
}

export function slotOctets(scheduler: Scheduler): number {
  return SLOT_OCTETS[scheduler] ?? OCTETS_BESIDE;
}
