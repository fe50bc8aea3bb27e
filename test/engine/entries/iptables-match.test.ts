import { describe, expect, it } from "vitest";
import { HOOK_FORWARD, HOOK_MANGLE, HOOK_PREROUTING } from "../../../assembly/abi/entry.js";
import type { Match } from "../../../src/ruleset/iptables.js";
import { type Arrival, arrivalOf, CASES, type Case } from "./match-cases.js";
import { draftsOf, hookOf, routedNode, scopeOf } from "./rule-node.js";

const NEGATED_ALIKE = new Set(["nfacct", "comment", "module"]);

/** Why frames go no farther than PREROUTING: they miss what is asked there. */
const STOPPED = new Set(["MULTICAST", "MARTIAN"]);

/** What becomes of frames where those that hit are dropped. */
async function verdictsOf(
  match: Match,
  { family = 4, early }: Pick<Case, "family" | "early">,
  all: readonly Arrival[],
): Promise<readonly string[]> {
  const node = await routedNode();
  const [draft] = draftsOf([{ matches: [match], target: { kind: "drop" } }], scopeOf(family));
  if (draft === undefined) throw new Error("no rule");
  node.chain(0, draft);
  if (early) node.hook(hookOf(HOOK_PREROUTING, family), 0, HOOK_MANGLE);
  else node.hook(hookOf(HOOK_FORWARD, family), 0);
  return all.map(([frame, inNumber]) => {
    node.image.machine.flowsClear(node.image.state);
    const { verdict, reason } = node.one(frame, inNumber);
    if (verdict === "DROP" && reason === "RULE") return "hit";
    return verdict === "FORWARD" || (early === true && STOPPED.has(reason)) ? "miss" : `${verdict} ${reason}`;
  });
}

describe("matches of iptables", () => {
  it.each(Object.entries(CASES))(
    "ask for %s",
    async (_, { match, hits, misses, never = [], onlyPlain, ...asked }) => {
      const all = [...hits, ...misses, ...never].map(arrivalOf);
      const expected = [...hits.map(() => "hit"), ...misses.map(() => "miss"), ...never.map(() => "miss")];
      expect(await verdictsOf(match, asked, all)).toEqual(expected);
      if (onlyPlain || NEGATED_ALIKE.has(match.kind)) return;
      const negated = [...hits.map(() => "miss"), ...misses.map(() => "hit"), ...never.map(() => "miss")];
      expect(await verdictsOf({ ...match, invert: true } as Match, asked, all)).toEqual(negated);
    },
  );
});
