import { describe, expect, it } from "vitest";
import { HOOK_FORWARD } from "../../../assembly/abi/entry.js";
import type { Family } from "../../../src/net/ip.js";
import type { Match } from "../../../src/ruleset/iptables.js";
import { type Arrival, arrivalOf, CASES } from "./match-cases.js";
import { draftsOf, hookOf, routedNode, scopeOf } from "./rule-node.js";

const NEGATED_ALIKE = new Set(["nfacct", "comment", "module"]);

/** What becomes of frames where those that hit are dropped. */
async function verdictsOf(match: Match, family: Family, all: readonly Arrival[]): Promise<readonly string[]> {
  const node = await routedNode();
  const [draft] = draftsOf([{ matches: [match], target: { kind: "drop" } }], scopeOf(family));
  if (draft === undefined) throw new Error("no rule");
  node.chain(0, draft).hook(hookOf(HOOK_FORWARD, family), 0);
  return all.map(([frame, inNumber]) => {
    node.image.machine.flowsClear(node.image.state);
    const { verdict, reason } = node.one(frame, inNumber);
    return verdict === "DROP" && reason === "RULE"
      ? "hit"
      : verdict === "FORWARD"
        ? "miss"
        : `${verdict} ${reason}`;
  });
}

describe("matches of iptables", () => {
  it.each(Object.entries(CASES))(
    "ask for %s",
    async (_, { family = 4, match, hits, misses, never = [], onlyPlain }) => {
      const all = [...hits, ...misses, ...never].map(arrivalOf);
      const expected = [...hits.map(() => "hit"), ...misses.map(() => "miss"), ...never.map(() => "miss")];
      expect(await verdictsOf(match, family, all)).toEqual(expected);
      if (onlyPlain || NEGATED_ALIKE.has(match.kind)) return;
      const negated = [...hits.map(() => "miss"), ...misses.map(() => "hit"), ...never.map(() => "miss")];
      expect(await verdictsOf({ ...match, invert: true } as Match, family, all)).toEqual(negated);
    },
  );
});
