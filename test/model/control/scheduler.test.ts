import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeNode } from "../../../src/model/control/nodes.js";
import { Scheduler } from "../../../src/model/control/scheduler.js";
import type { Placement } from "../../../src/model/placement.js";

const nodes = Array.from({ length: 6 }, (_, index) => {
  const node = makeNode(`n${index}`);
  return { ...node, labels: new Map([["half", `${index % 2}`]]) };
});

const anywhere: Placement = { nodeSelector: new Map(), affinity: undefined, tolerations: [] };
const onHalf = (half: string): Placement => ({ ...anywhere, nodeSelector: new Map([["half", half]]) });

/** The rule itself, by looking at all Nodes each time: fewest of this workload, then fewest in all, then first. */
function placeSlowly(loads: Map<string, number>, count: number, half: string | undefined): readonly string[] {
  const chosen: string[] = [];
  const own = new Map<string, number>();
  const admitted = nodes.filter((node) => half === undefined || node.labels.get("half") === half);
  for (let pod = 0; pod < count; pod++) {
    const key = (name: string) => (own.get(name) ?? 0) * 1e6 + (loads.get(name) ?? 0);
    const [best] = [...admitted].sort((a, b) => key(a.name) - key(b.name));
    if (best === undefined) break;
    chosen.push(best.name);
    own.set(best.name, (own.get(best.name) ?? 0) + 1);
    loads.set(best.name, (loads.get(best.name) ?? 0) + 1);
  }
  return chosen;
}

describe("Scheduler", () => {
  it("places as looking at every Node would, whatever mix of placements comes", () => {
    const step = fc.tuple(fc.integer({ min: 0, max: 15 }), fc.constantFrom("0", "1", undefined, "none"));
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("n0", "n3", "n5"), { maxLength: 20 }),
        fc.array(step),
        (given, steps) => {
          const scheduler = new Scheduler(nodes);
          const loads = new Map<string, number>();
          for (const name of given) {
            scheduler.occupy(name);
            loads.set(name, (loads.get(name) ?? 0) + 1);
          }
          for (const [count, half] of steps) {
            const placed = scheduler.place(count, half === undefined ? anywhere : onHalf(half));
            expect(placed).toEqual(placeSlowly(loads, count, half));
          }
        },
      ),
    );
  });
});
