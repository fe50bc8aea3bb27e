import { MATCH_INVERT, MATCH_LEN } from "../../abi/entry";
import {
  KEY_DST,
  RECENT_CODE_MASK,
  RECENT_FLAG_DST,
  RECENT_FLAG_REAP,
  RECENT_FLAG_TTL,
  RECENT_HITS_SHIFT,
  RECENT_REMOVE,
  RECENT_SET,
  RECENT_UPDATE,
} from "../../abi/rule";
import { DROP_UNDECIDED } from "../../abi/verdict";
import { IP4_TTL, IP6_HOP_LIMIT } from "../../abi/wire";
import { Packet } from "../../packet";
import { State } from "../../state";
import { clientAdd, clientForget, clientRenew, clientTtlSet, countOf, oldestOf } from "../affinity/build";
import {
  clientFind,
  clientTtl,
  isNotedOften,
  isNotedWithin,
  TIMES_NO,
  TIMES_UNKNOWN,
  TIMES_YES,
} from "../affinity/lookup";

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
  const record = clientAdd(state, list, packet.family, address);
  if (record != 0) clientTtlSet(state, record, ttlOf(packet));
}

function renewRecent(packet: Packet, record: u32): void {
  clientRenew(packet.state, record);
  clientTtlSet(packet.state, record, ttlOf(packet));
}

/** As it came: what is forwarded loses one only when it leaves. */
function ttlOf(packet: Packet): u32 {
  return <u32>load<u8>(packet.ip + (packet.family == 6 ? IP6_HOP_LIMIT : IP4_TTL));
}

/** recent_entry_lookup: a TTL of 0 is any. */
function isOfTtl(packet: Packet, record: u32): bool {
  const ttl = ttlOf(packet);
  const known = clientTtl(packet.state, record);
  return ttl == known || ttl == 0 || known == 0;
}

/** Whether an address was noted as often and as recently as is asked: a TIMES_ code. */
function timesOf(state: State, record: u32, hits: u32, seconds: u32): u32 {
  if (hits > 1) return isNotedOften(state, record, hits, seconds);
  return seconds == 0 || isNotedWithin(state, record, seconds, true) ? TIMES_YES : TIMES_NO;
}

/** recent_entry_reap. */
function reap(state: State, list: u32, seconds: u32, kept: u32): void {
  const oldest = oldestOf(state, list);
  if (oldest != kept && !isNotedWithin(state, oldest, seconds, true)) clientForget(state, oldest);
}

/** MATCH_RECENT (recent_mt in xt_recent.c): whether it hits, before it is inverted. Punts a packet of which that is not known. */
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
    else renewRecent(packet, record);
    return true;
  }
  if (record == 0 || ((flags & RECENT_FLAG_TTL) != 0 && !isOfTtl(packet, record))) return false;
  if (code == RECENT_REMOVE) {
    clientForget(state, record);
    return true;
  }
  const times = timesOf(state, record, flags >> RECENT_HITS_SHIFT, seconds);
  if (times == TIMES_UNKNOWN) return packet.punt(DROP_UNDECIDED);
  const hit = times == TIMES_YES;
  // The address is noted again where the match as a whole holds.
  const renews = code == RECENT_UPDATE && hit != ((load<u32>(match) & MATCH_INVERT) != 0);
  if ((flags & RECENT_FLAG_REAP) != 0) reap(state, list, seconds, renews ? record : 0);
  if (renews) renewRecent(packet, record);
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
