import {
  FORWARD_DIRECT,
  FORWARD_LOCAL,
  FORWARD_MASQUERADE,
  FORWARD_TUNNEL,
} from "../../assembly/abi/server.js";
import { LED_ANSWER, LED_KNOWN } from "../../assembly/abi/trace.js";
import { printHostPort } from "../net/port.js";
import { firstEnd, secondEnd, type TraceRecord } from "./record.js";
import type { Step } from "./step.js";

const METHODS = new Map([
  [FORWARD_LOCAL, "to the node itself"],
  [FORWARD_TUNNEL, "by tunnel"],
  [FORWARD_DIRECT, "by direct routing"],
]);

/** What IPVS did to a packet of one of its connections. */
export function tellLed(record: TraceRecord): Step {
  const { a, b, c, d } = record;
  const [what, forward] = [a & 0xff, a >>> 8];
  const server = printHostPort(firstEnd(record, b), d >>> 16);
  const method = METHODS.get(forward);
  if (what === LED_ANSWER) {
    const virtual = printHostPort(secondEnd(record, c), d & 0xffff);
    const text = forward === FORWARD_MASQUERADE ? `answer of ${server} → ${virtual}` : `answer of ${server}`;
    return { stage: "ipvs", text, src: forward === FORWARD_MASQUERADE ? virtual : server };
  }
  const name = what === LED_KNOWN ? "known connection" : "packet";
  const text = method === undefined ? `${name} → ${server}` : `${name} ${method} → ${server}`;
  return { stage: "ipvs", text, dst: server };
}
