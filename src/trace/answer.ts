import type { DropReason } from "./codes.js";
import { reasonWords } from "./reasons.js";
import type { Step } from "./step.js";

/** What the sender is told, where the reason's own words do not say it. */
const ANSWERS: Partial<Record<DropReason, string>> = {
  TTL_EXCEEDED: "ICMP time exceeded",
  NO_ROUTE: "ICMP network unreachable",
  ROUTE_UNREACHABLE: "ICMP host unreachable",
  ROUTE_PROHIBITED: "ICMP administratively prohibited",
  NO_NEIGHBOUR: "ICMP host unreachable",
  FRAGMENTATION_NEEDED: "ICMP packet too big",
  NO_DESTINATION: "ICMP port unreachable",
};

/** An answer in one line: `steps` are its own way through the node, `reason` why the packet in question went no further. */
export function tellAnswer(steps: readonly Step[], reason: DropReason): Step {
  const src = steps.findLast((step) => step.src !== undefined && step.stage !== "encap")?.src ?? "";
  const dst = steps.find(({ stage }) => stage === "parse")?.dst ?? "";
  const last = steps.at(-1);
  const way = last?.dev === undefined ? "to the node itself" : `by ${last.dev}`;
  const text = `${ANSWERS[reason] ?? reasonWords(reason)}, ${src} > ${dst}, ${way}`;
  return { stage: "answer", text, src, dst, ...(last?.dev === undefined ? {} : { dev: last.dev }) };
}
