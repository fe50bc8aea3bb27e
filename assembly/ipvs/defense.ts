import { SERVICE_FLAG_ONE_PACKET } from "../abi/server";
import {
  SESSION_FLAG_TEMPLATE,
  VS_SCTP_ESTABLISHED,
  VS_SCTP_INIT,
  VS_SCTP_INIT1,
  VS_TCP_ESTABLISHED,
  VS_TCP_SYN_RECV,
  VS_TCP_SYNACK,
  VS_TEMPLATE_ASSURED,
} from "../abi/session";
import { SETTING_VS_DROP_ENTRY } from "../abi/setting";
import { PROTO_SCTP, PROTO_TCP } from "../abi/wire";
import { Image } from "../image";
import { draw } from "../random";
import { State } from "../state";
import {
  Connection,
  DIRECTION_ORIGINAL,
  FLOW_BUCKET_LEN,
  FLOW_META,
  FLOW_META_MASK,
  FLOW_REF_SHIFT,
} from "../table/flow/layout";
import { connectionAt } from "../table/flow/lookup";
import { Ipvs, Side } from "../table/ipvs/layout";
import { destinationAt } from "../table/ring/destinations";
import { RING_FLAGS } from "../table/ring/layout";
import { ringAt } from "../table/ring/lookup";
import { NO_DESTINATION, numberOf } from "./destination";
import { remove } from "./expire";

/**
 * drop_entry: once a second sessions that are not established are dropped from a 32nd of the table, which is drawn
 * (ip_vs_random_dropentry). Where the setting is 3; 1 and 2 ask for memory, of which there is enough.
 */
const ALWAYS: u32 = 3;
const PERIOD: u64 = 1000;
const PART_SHIFT: u32 = 5;
const PLACES: u32 = 4;
/** A session may go if its client was silent for so many milliseconds, and sent at most so many packets. */
const SILENCE: u64 = 60000;
const PACKETS_MAX: u32 = 8;

/** One of so many sessions with few packets is dropped, by how many those are (todrop_entry). */
function isOneOfMany(ipvs: State, session: u32): bool {
  const side = Side.of(ipvs, session);
  if (ipvs.now + side.timeout < side.expires + SILENCE) return false;
  const packets = side.packets;
  if (packets == 0 || packets > PACKETS_MAX) return false;
  const left = changetype<usize>(Ipvs.of(ipvs)) + offsetof<Ipvs>("rates") + packets - 1;
  if (load<u8>(left) > 1) {
    store<u8>(left, load<u8>(left) - 1);
    return false;
  }
  store<u8>(left, <u8>packets);
  return true;
}

/** A one-packet service's. */
function isOfPackets(image: Image, ipvs: State, connection: Connection): bool {
  const number = numberOf(image, ipvs, connection);
  if (number == NO_DESTINATION) return false;
  const service = destinationAt(image, number).service;
  if (service == 0 || service > image.serversRoom) return false;
  return (load<u32>(ringAt(image, service - 1), RING_FLAGS) & SERVICE_FLAG_ONE_PACKET) != 0;
}

function mayGo(image: Image, ipvs: State, session: u32): bool {
  const connection = connectionAt(ipvs, session);
  const state = connection.progress;
  if ((connection.flags & SESSION_FLAG_TEMPLATE) != 0) {
    if (isOfPackets(image, ipvs, connection)) return isOneOfMany(ipvs, session);
    return (state & VS_TEMPLATE_ASSURED) == 0;
  }
  if (connection.protocol == PROTO_TCP) {
    if (state == VS_TCP_SYN_RECV || state == VS_TCP_SYNACK) return true;
    return state == VS_TCP_ESTABLISHED && isOneOfMany(ipvs, session);
  }
  if (connection.protocol == PROTO_SCTP) {
    if (state == VS_SCTP_INIT1 || state == VS_SCTP_INIT) return true;
    return state == VS_SCTP_ESTABLISHED && isOneOfMany(ipvs, session);
  }
  return isOneOfMany(ipvs, session);
}

function dropFrom(image: Image, state: State, ipvs: State, bucket: usize): void {
  for (let place: u32 = 0; place < PLACES; place++) {
    const ref = (load<u32>(bucket + (place << 2), FLOW_META) & FLOW_META_MASK) >> FLOW_REF_SHIFT;
    if (ref == 0 || (ref & 1) != DIRECTION_ORIGINAL) continue;
    const session = ref >> 1;
    if (Side.of(ipvs, session).controlled == 0 && mayGo(image, ipvs, session))
      remove(image, state, ipvs, session);
  }
}

function dropSome(image: Image, state: State, ipvs: State): void {
  const buckets = ipvs.bucketsMask + 1;
  for (let left = max<u32>(buckets >> PART_SHIFT, 1); left != 0; left--)
    dropFrom(
      image,
      state,
      ipvs,
      ipvs.to(ipvs.bucketsAt) + (draw(state) & ipvs.bucketsMask) * FLOW_BUCKET_LEN,
    );
}

/** When drop_entry looks next, of a time until which it is asked: that time where it need not look. */
export function nextDefense(image: Image, ipvs: State, until: u64): u64 {
  const own = Ipvs.of(ipvs);
  const isIdle = image.setting(SETTING_VS_DROP_ENTRY) != ALWAYS || ipvs.connections == 0;
  // It looks in the same milliseconds of each second, whatever was between.
  if (isIdle && own.defenseAt <= until) own.defenseAt += ((until - own.defenseAt) / PERIOD + 1) * PERIOD;
  return min<u64>(own.defenseAt, until);
}

/** Looks, if it is time. */
export function defend(image: Image, state: State, ipvs: State): void {
  const own = Ipvs.of(ipvs);
  if (own.defenseAt > ipvs.now) return;
  own.defenseAt += PERIOD;
  dropSome(image, state, ipvs);
}
