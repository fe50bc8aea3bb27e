import {
  SCHEDULER_LBLC,
  SCHEDULER_LBLCR,
  SCHEDULER_MAGLEV,
  SCHEDULER_MH,
  SCHEDULER_SH,
} from "../../abi/server";

/** Kinds of schedulers, by their SCHEDULER_ codes. */

/** Whether a scheduler chooses by a hash. */
export function hasSlots(code: u32): bool {
  return code >= SCHEDULER_SH && code <= SCHEDULER_MAGLEV;
}

/** Whether a scheduler keeps what it chose in a cache. */
export function isLocal(code: u32): bool {
  return code == SCHEDULER_LBLC || code == SCHEDULER_LBLCR;
}

/** Whether a scheduler fills its slots as Maglev does. */
export function isMaglev(code: u32): bool {
  return code == SCHEDULER_MH || code == SCHEDULER_MAGLEV;
}
