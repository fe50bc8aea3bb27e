import { PROTO_SCTP, PROTO_TCP, PROTO_UDP } from "../../assembly/abi/wire.js";
import type { TraceRecord } from "./record.js";
import type { Step } from "./step.js";

/** As ipvsadm prints them, by VS_TCP_ and VS_SCTP_ codes (tcp_state_name_table, sctp_state_name_table). */
const TCP = [
  "NONE",
  "ESTABLISHED",
  "SYN_SENT",
  "SYN_RECV",
  "FIN_WAIT",
  "TIME_WAIT",
  "CLOSE",
  "CLOSE_WAIT",
  "LAST_ACK",
  "LISTEN",
  "SYNACK",
];
const SCTP = [
  "NONE",
  "INIT1",
  "INIT",
  "C-SENT",
  "C-REPLIED",
  "C-WAIT",
  "COOKIE",
  "C-ECHOED",
  "ESTABLISHED",
  "S-SENT",
  "S-RECEIVED",
  "S-ACK-SENT",
  "REJECTED",
  "CLOSED",
];
const TEMPLATE = ["NONE", "ASSURED"];
const NAMES = new Map([
  [PROTO_TCP, TCP],
  [PROTO_SCTP, SCTP],
  [PROTO_UDP, ["UDP"]],
]);

/** The state of one of IPVS' connections, or of a template, as `ipvsadm -Lnc` names it. */
export function sessionStateName(protocol: number, state: number, isTemplate = false): string {
  const names = isTemplate ? TEMPLATE : NAMES.get(protocol);
  return names?.[state] ?? "NONE";
}

/** A packet moved its connection of IPVS' to another state. */
export function tellSession({ b: protocol, c: old, d: state }: TraceRecord): Step {
  const [from, to] = [sessionStateName(protocol, old), sessionStateName(protocol, state)];
  return { stage: "ipvs", text: `connection: ${from} → ${to}` };
}
