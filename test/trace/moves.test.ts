import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TARGET_GOTO, TARGET_JUMP, TARGET_MARK, TARGET_NONE } from "../../assembly/abi/entry.js";
import { type Move, readMoves } from "../../src/trace/moves.js";
import type { Numbering } from "../../src/trace/numbering.js";
import type { TraceRecord } from "../../src/trace/record.js";

/** What happened in a chain: rules that matched, each with what happened where it led. */
interface Walk {
  readonly target: "jump" | "goto" | "mark" | "none";
  readonly within: readonly Walk[];
}

const { walks } = fc.letrec<{ walks: readonly Walk[]; walk: Walk }>((tie) => ({
  walks: fc.array(tie("walk"), { maxLength: 3, depthIdentifier: "walk" }),
  walk: fc.oneof(
    { depthSize: "small", withCrossShrink: true, depthIdentifier: "walk" },
    fc.record({ target: fc.constantFrom("mark", "none"), within: fc.constant([]) }),
    fc.record({ target: fc.constantFrom("jump", "goto"), within: tie("walks") }),
  ),
}));

const TARGETS = { jump: TARGET_JUMP, goto: TARGET_GOTO, mark: TARGET_MARK, none: TARGET_NONE } as const;

/** The records that the machine writes for a walk; every chain is entered once, so its number is a new one. */
class Machine {
  readonly records: TraceRecord[] = [];
  #chains = 1;

  /** Walks a chain, and gives what of it was walked: a GOTO is the last rule of its chain. */
  walk(moves: readonly Walk[], chain = 0): Walk[] {
    const walked: Walk[] = [];
    for (const [index, { target, within }] of moves.entries()) {
      const inner = target === "jump" || target === "goto" ? this.#chains++ : 0;
      this.records.push({
        packet: 0,
        event: "RULE",
        a: chain,
        b: index,
        c: TARGETS[target],
        d: inner,
        e: 0,
      });
      walked.push({ target, within: inner === 0 ? [] : this.walk(within, inner) });
      if (target === "goto") break;
    }
    return walked;
  }

  get numbering(): Numbering {
    const chains = Array.from({ length: this.#chains }, (_, index) => ({
      of: { name: "nat", tool: "iptables", family: 4, title: "nat" } as const,
      name: `c${index}`,
      rules: [],
    }));
    return { interfaces: [], chains, hops: [], tables: [], servers: [] };
  }
}

type Shape = readonly { readonly enters: boolean; readonly within: Shape }[];

const shapeOfWalk = (moves: readonly Walk[]): Shape =>
  moves.map(({ target, within }) => ({
    enters: target === "jump" || target === "goto",
    within: shapeOfWalk(within),
  }));
const shapeOfMoves = (moves: readonly Move[]): Shape =>
  moves.map(({ effect, within }) => ({ enters: effect.kind === "enter", within: shapeOfMoves(within) }));

const depthOf = (shape: Shape): number =>
  shape.reduce((deepest, { within }) => Math.max(deepest, 1 + depthOf(within)), 0);

describe("readMoves", () => {
  it("finds the tree of chains again in the records of its walk", () => {
    let deepest = 0;
    fc.assert(
      fc.property(walks, (moves) => {
        const machine = new Machine();
        const walked = machine.walk(moves);
        const shape = shapeOfMoves(readMoves(machine.records, machine.numbering));
        deepest = Math.max(deepest, depthOf(shape));
        expect(shape).toEqual(shapeOfWalk(walked));
      }),
      { numRuns: 500 },
    );
    expect(deepest).toBeGreaterThan(3);
  });
});
