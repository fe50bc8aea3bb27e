import type { ProxyMode } from "../../../src/ruleset/ruleset.js";
import type { Difference } from "./tally.js";

/** A difference that is known and written down, with its reason; such packets are counted apart. */
interface KnownGap {
  readonly proxy: ProxyMode;
  readonly why: string;
  covers(difference: Difference): boolean;
}

const KNOWN_GAPS: readonly KnownGap[] = [
  {
    proxy: "ipvs",
    why:
      "IPVS keeps a table of its own, in which connections are that conntrack calls INVALID, or that were refused on " +
      "their way out, and has conntrack look at them again; the machine has one table (ARCHITECTURE.md, decision 7)",
    covers: ({ conversation, past }) =>
      conversation.includes("bad checksum") ||
      (conversation.includes("out of state") && past.length > 0) ||
      past.some((step) => step.includes("error 11/0")),
  },
];

/** Why a mode's difference is none to mend; undefined for one that is. */
export function knownGap(proxy: ProxyMode, difference: Difference): string | undefined {
  return KNOWN_GAPS.find((gap) => gap.proxy === proxy && gap.covers(difference))?.why;
}
