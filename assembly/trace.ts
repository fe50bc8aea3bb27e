import { BATCH_TRACE, BATCH_TRACE_CAPACITY, BATCH_TRACE_COUNT, BATCH_TRACE_LOST } from "./abi/packet";
import {
  TRACE_A,
  TRACE_B,
  TRACE_C,
  TRACE_D,
  TRACE_E,
  TRACE_EVENT,
  TRACE_FAMILY,
  TRACE_FIRST6,
  TRACE_PACKET,
  TRACE_RECORD_LEN,
  TRACE_SECOND6,
} from "./abi/trace";
import { Packet } from "./packet";

/** Writes a trace record into the packet's batch (outside the image); callers stand behind `if (TRACE)`. */
export function record(packet: Packet, event: u32, a: u32, b: u32, c: u32, d: u32, e: u32): void {
  recordEnds(packet, event, a, b, c, d, e, i32x4.splat(0), i32x4.splat(0));
}

/** The same of an event that tells addresses: the first and the second of them, whole if they are IPv6. */
export function recordEnds(
  packet: Packet,
  event: u32,
  a: u32,
  b: u32,
  c: u32,
  d: u32,
  e: u32,
  first6: v128,
  second6: v128,
): void {
  const batch = <usize>packet.batch;
  const count = load<u32>(batch, BATCH_TRACE_COUNT);
  if (count >= load<u32>(batch, BATCH_TRACE_CAPACITY)) {
    store<u32>(batch, load<u32>(batch, BATCH_TRACE_LOST) + 1, BATCH_TRACE_LOST);
    return;
  }
  const at = batch + load<u32>(batch, BATCH_TRACE) + count * TRACE_RECORD_LEN;
  store<u32>(at, packet.index, TRACE_PACKET);
  store<u32>(at, event, TRACE_EVENT);
  store<u32>(at, a, TRACE_A);
  store<u32>(at, b, TRACE_B);
  store<u32>(at, c, TRACE_C);
  store<u32>(at, d, TRACE_D);
  store<u32>(at, e, TRACE_E);
  store<u32>(at, packet.family, TRACE_FAMILY);
  v128.store(at, first6, TRACE_FIRST6);
  v128.store(at, second6, TRACE_SECOND6);
  store<u32>(batch, count + 1, BATCH_TRACE_COUNT);
}
