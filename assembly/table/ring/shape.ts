import {
  SCHEDULER_CODE_MASK,
  SCHEDULER_DH,
  SCHEDULER_FLAG_FALLBACK,
  SCHEDULER_FLAG_PORT,
  SCHEDULER_MAGLEV,
  SCHEDULER_MH,
  SCHEDULER_SH,
  SCHEDULER_TWOS,
  SERVER_ENTRY_LEN,
  SERVER_WEIGHT,
  SERVICE_FLAG_GONE,
  SERVICE_FLAG_NEW,
  SERVICE_FLAG_ONE_PACKET,
  SERVICE_FLAG_PERSISTENT,
} from "../../abi/server";
import { hasSlots, isMaglev } from "./codes";
import { REALS_MAX, RINGS_MAX, SLOT_EMPTY, SLOTS_MAX } from "./layout";
import { isPowerOfTwo, isPrime } from "./slots";

/** Of CONFIG_IP_VS_SH_TAB_BITS = 8 and CONFIG_IP_VS_MH_TAB_INDEX = 12; the paper's for large tables. */
const SIZE_IN_TURN: u32 = 256;
const SIZE_MH: u32 = 4093;
const SIZE_MAGLEV: u32 = 65537;
const FLAGS: u32 = SERVICE_FLAG_PERSISTENT | SERVICE_FLAG_ONE_PACKET | SERVICE_FLAG_NEW | SERVICE_FLAG_GONE;

/** How many slots a scheduler usually has. */
export function defaultSize(scheduler: u32): u32 {
  const code = scheduler & SCHEDULER_CODE_MASK;
  if (code == SCHEDULER_SH || code == SCHEDULER_DH) return SIZE_IN_TURN;
  if (code == SCHEDULER_MH) return SIZE_MH;
  return code == SCHEDULER_MAGLEV ? SIZE_MAGLEV : 0;
}

/** Whether a scheduler is one, knows its flags, and can have so many slots. */
function isScheduler(scheduler: u32, size: u32): bool {
  const code = scheduler & SCHEDULER_CODE_MASK;
  const flags = scheduler & ~SCHEDULER_CODE_MASK;
  const known =
    code == SCHEDULER_SH || code == SCHEDULER_MH ? SCHEDULER_FLAG_PORT | SCHEDULER_FLAG_FALLBACK : 0;
  if (code > SCHEDULER_TWOS || (flags & ~known) != 0) return false;
  if (!hasSlots(code)) return size == 0;
  if (size < 2 || size > SLOTS_MAX) return false;
  return isPowerOfTwo(size) || (isMaglev(code) && isPrime(size));
}

/** A ring that hashes numbers its servers in 16 bits, and Maglev wants a slot for each (ip_vs_mh_reassign). */
function isCount(scheduler: u32, size: u32, count: u32): bool {
  const code = scheduler & SCHEDULER_CODE_MASK;
  if (!hasSlots(code)) return count <= REALS_MAX;
  return count < SLOT_EMPTY && (!isMaglev(code) || count <= size);
}

/** Whether a virtual server may be so: its number, scheduler, SERVICE_FLAG_ bits, how many servers and slots. */
export function isService(number: u32, scheduler: u32, flags: u32, count: u32, size: u32): bool {
  if (number >= RINGS_MAX || (flags & ~FLAGS) != 0) return false;
  return isScheduler(scheduler, size) && isCount(scheduler, size, count);
}

/** Whether no weight is one that a kernel takes for negative. */
export function areServers(rows: usize, count: u32): bool {
  let weights: u32 = 0;
  for (let i: u32 = 0; i < count; i++) weights |= load<u32>(rows + i * SERVER_ENTRY_LEN, SERVER_WEIGHT);
  return <i32>weights >= 0;
}
