import { MATCH_INVERT, MATCH_LEN } from "../../abi/entry";
import {
  KEY_DST,
  RECENT_CODE_MASK,
  RECENT_FLAG_DST,
  RECENT_FLAG_REAP,
  RECENT_REMOVE,
  RECENT_SET,
  RECENT_UPDATE,
} from "../../abi/rule";
import { Packet } from "../../packet";
import { State } from "../../state";
import { clientAdd, clientForget, clientRenew, countOf, oldestOf } from "../affinity/build";
import { clientFind, isNotedWithin } from "../affinity/lookup";

/** Matches that note addresses, and ask for those noted. */

/** Addresses of one list of recent's (ip_list_tot). */
const RECENT_MAX: u32 = 100;

function addressOf(packet: Packet, isDst: bool): v128 {
  return isDst ? packet.dst6 : packet.src6;
}

/** A list that is full forgets the address noted longest ago (recent_entry_init). */
function noteRecent(packet: Packet, list: u32, address: v128): void {
  const state = packet.state;
  if (countOf(state, list) >= RECENT_MAX) clientForget(state, oldestOf(state, list));
  clientAdd(state, list, packet.family, address);
}

/** recent_entry_reap. */
function reap(state: State, list: u32, seconds: u32, kept: u32): void {
  const oldest = oldestOf(state, list);
  if (oldest != kept && !isNotedWithin(state, oldest, seconds, true)) clientForget(state, oldest);
}

/** MATCH_RECENT (recent_mt in xt_recent.c): whether it hits, before it is inverted. */
export function isRecent(packet: Packet, match: usize): bool {
  const state = packet.state;
  const list = load<u32>(match, 4);
  const seconds = load<u32>(match, 8);
  const flags = load<u32>(match, 12);
  const code = flags & RECENT_CODE_MASK;
  const address = v128.and(addressOf(packet, (flags & RECENT_FLAG_DST) != 0), v128.load(match + MATCH_LEN));
  const record = clientFind(state, list, packet.family, address);
  if (code == RECENT_SET) {
    if (record == 0) noteRecent(packet, list, address);
    else clientRenew(state, record);
    return true;
  }
  if (record == 0) return false;
  if (code == RECENT_REMOVE) {
    clientForget(state, record);
    return true;
  }
  const hit = seconds == 0 || isNotedWithin(state, record, seconds, true);
  // The address is noted again where the match as a whole holds.
  const renews = code == RECENT_UPDATE && hit != ((load<u32>(match) & MATCH_INVERT) != 0);
  if ((flags & RECENT_FLAG_REAP) != 0) reap(state, list, seconds, renews ? record : 0);
  if (renews) clientRenew(state, record);
  return hit;
}

/** MATCH_CLIENT: an address is in the set until it has stayed so many seconds (nft_set_elem_expired). */
export function isClient(packet: Packet, list: u32, seconds: u32, key: u32): bool {
  const record = clientFind(packet.state, list, packet.family, addressOf(packet, key == KEY_DST));
  return record != 0 && isNotedWithin(packet.state, record, seconds, false);
}

/** MATCH_NOTE (nft_dynset_eval, OP_UPDATE). What has stayed its time makes room. */
export function isNoted(packet: Packet, match: usize): bool {
  const state = packet.state;
  const list = load<u32>(match, 4);
  const address = addressOf(packet, load<u32>(match, 12) == KEY_DST);
  const record = clientFind(state, list, packet.family, address);
  if (record != 0) {
    clientRenew(state, record);
    return true;
  }
  if (countOf(state, list) >= load<u32>(match, MATCH_LEN)) {
    const oldest = oldestOf(state, list);
    if (oldest == 0 || isNotedWithin(state, oldest, load<u32>(match, 8), false)) return false;
    clientForget(state, oldest);
  }
  clientAdd(state, list, packet.family, address);
  return true;
}
