import {
  EVENT_DNAT,
  EVENT_DRAW,
  EVENT_IPVS,
  EVENT_MASQUERADE,
  EVENT_OPEN,
  EVENT_PARSE,
  EVENT_TRANSLATE,
  TRACE_A,
  TRACE_B,
  TRACE_C,
  TRACE_D,
  TRACE_EVENT,
  TRACE_RECORD_LEN,
} from "../../assembly/abi/trace.js";
import type { Ip } from "../net/ip.js";
import type { DropReason, VerdictName } from "../trace/codes.js";
import { firstEnd, readRecord, secondEnd, type TraceRecord } from "../trace/record.js";
import type { Draw } from "./draw.js";

/** Where a packet was sent on to; port 0 where its protocol has none. */
export interface Destination {
  readonly address: Ip;
  readonly port: number;
}

/** What became of a packet in one run. */
export interface Fate {
  readonly verdict: VerdictName;
  readonly reason: DropReason;
  /** The endpoint that a rule or a scheduler chose, or the connection has; undefined where the destination stays. */
  readonly destination: Destination | undefined;
  /** Its source becomes another one by a rule of this node (MASQUERADE or SNAT). */
  readonly masquerade: boolean;
}

/** What the records of one run come to, as far as runs differ by it. */
export interface Findings extends Pick<Fate, "destination" | "masquerade"> {
  readonly draws: readonly Draw[];
  /** The connection that it opened; 0 for none. */
  readonly opened: number;
}

const NO_REAL_SERVER = 0xffffffff;
const NOWHERE = -1;

/** Where the records that matter stand, from the first one's start. */
interface Places {
  readonly draws: Draw[];
  /** The last DNAT or IPVS record that gave a destination. */
  chosen: number;
  masqueraded: number;
  opened: number;
  /** The last PARSE record, and the first TRANSLATE one. */
  before: number;
  after: number;
}

function drawAt(records: DataView, at: number): Draw {
  return {
    kind: records.getUint32(at + TRACE_A, true),
    range: records.getUint32(at + TRACE_B, true),
    taken: records.getUint32(at + TRACE_C, true),
    own: records.getUint32(at + TRACE_D, true),
  };
}

function note(places: Places, records: DataView, at: number): void {
  switch (records.getUint32(at + TRACE_EVENT, true)) {
    case EVENT_DRAW:
      places.draws.push(drawAt(records, at));
      break;
    case EVENT_DNAT:
      places.chosen = at;
      break;
    case EVENT_IPVS:
      if (records.getUint32(at + TRACE_B, true) !== NO_REAL_SERVER) places.chosen = at;
      break;
    case EVENT_MASQUERADE:
      places.masqueraded = at;
      break;
    case EVENT_OPEN:
      places.opened = records.getUint32(at + TRACE_A, true);
      break;
    case EVENT_PARSE:
      places.before = at;
      break;
    case EVENT_TRANSLATE:
      if (places.after === NOWHERE) places.after = at;
      break;
  }
}

function chosenBy(record: TraceRecord): Destination {
  const { event, c, d } = record;
  return event === "DNAT"
    ? { address: secondEnd(record, c), port: d & 0xffff }
    : { address: firstEnd(record, c), port: d };
}

/** The ends of a packet, of a PARSE or TRANSLATE record. */
function endsOf(record: TraceRecord): { readonly src: Ip; readonly dst: Destination } {
  const { a, b, c } = record;
  return { src: firstEnd(record, a), dst: { address: secondEnd(record, b), port: c & 0xffff } };
}

/** What runs differ by, without the records that nobody may ever read: replays write millions. */
export function findingsIn(records: DataView): Findings {
  const places: Places = {
    draws: [],
    chosen: NOWHERE,
    masqueraded: NOWHERE,
    opened: 0,
    before: NOWHERE,
    after: NOWHERE,
  };
  for (let at = 0; at < records.byteLength; at += TRACE_RECORD_LEN) note(places, records, at);
  const { draws, chosen, masqueraded, opened, before, after } = places;
  const isRewritten = before !== NOWHERE && after !== NOWHERE;
  const [old, now] = isRewritten ? [before, after].map((at) => endsOf(readRecord(records, at))) : [];
  const isMoved = old?.dst.address !== now?.dst.address || old?.dst.port !== now?.dst.port;
  // Of a packet of a known connection no rule says its destination: the frame as it leaves does.
  const destination =
    chosen === NOWHERE ? (isMoved ? now?.dst : undefined) : chosenBy(readRecord(records, chosen));
  // A reply's source is the one that its sender was called by: no rule of a first packet gave it.
  const masquerade = masqueraded !== NOWHERE || (opened !== 0 && old?.src !== now?.src);
  return { draws, destination, masquerade, opened };
}
