import {
  SCHEDULER_DH,
  SCHEDULER_FLAG_FALLBACK,
  SCHEDULER_FLAG_PORT,
  SCHEDULER_MH,
  SCHEDULER_RR,
  SCHEDULER_SH,
  SCHEDULER_WRR,
} from "../../../assembly/abi/entry.js";
import type { Scheduler, SchedulerFlag, VirtualServer } from "../../ruleset/ipvs.js";
import { Words } from "./words.js";

/** A virtual server as the machine takes it. */
export interface ServerEntries {
  /** SCHEDULER_ code with its flags. */
  readonly scheduler: number;
  /** Rows of address, port, weight and last weight. */
  readonly rows: Uint32Array;
}

const CODES: Readonly<Record<Scheduler, number>> = {
  rr: SCHEDULER_RR,
  wrr: SCHEDULER_WRR,
  sh: SCHEDULER_SH,
  dh: SCHEDULER_DH,
  mh: SCHEDULER_MH,
};

const FLAGS: Readonly<Record<SchedulerFlag, number>> = {
  "sh-fallback": SCHEDULER_FLAG_FALLBACK,
  "sh-port": SCHEDULER_FLAG_PORT,
  "mh-fallback": SCHEDULER_FLAG_FALLBACK,
  "mh-port": SCHEDULER_FLAG_PORT,
};

/** The IPv4 real servers in the order of their addition, and what picks among them. */
export function serverEntries({ scheduler, flags = [], servers }: VirtualServer): ServerEntries {
  const rows = new Words();
  for (const { address, port, weight, lastWeight = 0 } of servers) {
    if (typeof address === "number") rows.push(address, port, weight, lastWeight);
  }
  return {
    scheduler: flags.reduce((word, flag) => word | FLAGS[flag], CODES[scheduler]),
    rows: rows.words,
  };
}
