import {
  CTSTATE_DNAT,
  CTSTATE_ESTABLISHED,
  CTSTATE_INVALID,
  CTSTATE_NEW,
  CTSTATE_RELATED,
  CTSTATE_SNAT,
  CTSTATE_UNTRACKED,
} from "../../assembly/abi/entry.js";
import { PROTO_ICMP, PROTO_ICMP6 } from "../../assembly/abi/wire.js";
import type { TraceRecord } from "./record.js";
import type { Step } from "./step.js";

const STATES = [
  [CTSTATE_NEW, "NEW"],
  [CTSTATE_ESTABLISHED, "ESTABLISHED"],
  [CTSTATE_RELATED, "RELATED"],
  [CTSTATE_INVALID, "INVALID"],
  [CTSTATE_DNAT, "DNAT"],
  [CTSTATE_SNAT, "SNAT"],
] as const;

function printStates(bits: number): string {
  return STATES.filter(([bit]) => (bits & bit) !== 0)
    .map(([, name]) => name)
    .join(", ");
}

function newWords(bits: number, protocol: number): string {
  if ((bits & CTSTATE_UNTRACKED) !== 0) return "not tracked: neighbours and listeners are spoken of";
  if ((bits & CTSTATE_INVALID) === 0) return "new connection";
  const fault = "INVALID: its header or checksum is wrong, or it is of no connection and cannot open one";
  const isIcmp = protocol === PROTO_ICMP || protocol === PROTO_ICMP6;
  return isIcmp ? `${fault}, or tells of an error of none` : fault;
}

/** A packet that belongs to no connection yet. */
export function tellNew({ a: bits }: TraceRecord, protocol: number): Step {
  return { stage: "conntrack", text: newWords(bits, protocol) };
}

/** A packet of a known connection. */
export function tellFlow({ b: direction, c: bits }: TraceRecord): Step {
  const way = direction === 0 ? "original direction" : "reply direction";
  return { stage: "conntrack", text: `known connection, ${way}: ${printStates(bits)}` };
}
