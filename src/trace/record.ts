import {
  TRACE_A,
  TRACE_B,
  TRACE_C,
  TRACE_D,
  TRACE_E,
  TRACE_EVENT,
  TRACE_PACKET,
  TRACE_RECORD_LEN,
} from "../../assembly/abi/trace.js";
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
}

/** Reads `count` records that begin at the view's start. */
export function readRecords(view: DataView, count: number): TraceRecord[] {
  const records: TraceRecord[] = [];
  for (let index = 0; index < count; index++) {
    const at = (field: number) => view.getUint32(index * TRACE_RECORD_LEN + field, true);
    const event = eventName(at(TRACE_EVENT));
    if (event === undefined) continue;
    const [a, b, c, d, e] = [at(TRACE_A), at(TRACE_B), at(TRACE_C), at(TRACE_D), at(TRACE_E)];
    records.push({ packet: at(TRACE_PACKET), event, a, b, c, d, e });
  }
  return records;
}
