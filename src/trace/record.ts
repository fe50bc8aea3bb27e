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
} from "../../assembly/abi/trace.js";
import type { Ip, Ip6 } from "../net/ip.js";
import { type EventName, eventName } from "./codes.js";

/** A trace record of the machine (abi/trace.ts says what a … e hold for each event). */
export interface TraceRecord {
  readonly packet: number;
  readonly event: EventName;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly e: number;
  /** Of an IPv6 packet: the first and the second address that the event tells, whole. */
  readonly ends6?: readonly [first: Ip6, second: Ip6];
}

/** The first address that a record tells, given its field; of IPv6 the whole. */
export function firstEnd({ ends6 }: TraceRecord, field: number): Ip {
  return ends6?.[0] ?? field;
}

/** The second one. */
export function secondEnd({ ends6 }: TraceRecord, field: number): Ip {
  return ends6?.[1] ?? field;
}

/** Four words in their order. */
function ip6At(view: DataView, at: number): Ip6 {
  const word = (index: number) => BigInt(view.getUint32(at + 4 * index, true));
  return (((((word(0) << 32n) | word(1)) << 32n) | word(2)) << 32n) | word(3);
}

function recordAt(view: DataView, at: number, event: EventName): TraceRecord {
  const record = {
    packet: view.getUint32(at + TRACE_PACKET, true),
    event,
    a: view.getUint32(at + TRACE_A, true),
    b: view.getUint32(at + TRACE_B, true),
    c: view.getUint32(at + TRACE_C, true),
    d: view.getUint32(at + TRACE_D, true),
    e: view.getUint32(at + TRACE_E, true),
  };
  if (view.getUint32(at + TRACE_FAMILY, true) !== 6) return record;
  return { ...record, ends6: [ip6At(view, at + TRACE_FIRST6), ip6At(view, at + TRACE_SECOND6)] };
}

/** The record that stands at an octet, of an event that this program knows. TypeError for others. */
export function readRecord(view: DataView, at: number): TraceRecord {
  const event = eventName(view.getUint32(at + TRACE_EVENT, true));
  if (event === undefined) throw new TypeError(`There is no trace record at ${at}.`);
  return recordAt(view, at, event);
}

/** Reads the records that a view is full of; those of events that are not known are passed over. */
export function readRecords(view: DataView): TraceRecord[] {
  const records: TraceRecord[] = [];
  for (let at = 0; at < view.byteLength; at += TRACE_RECORD_LEN) {
    const event = eventName(view.getUint32(at + TRACE_EVENT, true));
    if (event !== undefined) records.push(recordAt(view, at, event));
  }
  return records;
}
