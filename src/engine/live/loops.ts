/** What a search for loops needs of the chains. */
export interface ChainGraph {
  /** How many hand-overs a chain has, by rules or the maps they ask, and the number of the chain that each leads to. */
  count(chain: number): number;
  target(chain: number, index: number): number;
  /** `Chain A of table t`. */
  describe(chain: number): string;
  /** What the search notes of a chain: 0 at first. */
  mark(chain: number): number;
  setMark(chain: number, mark: number): void;
}

const OPEN = 1;
const DONE = 2;

/**
 * Refuses chains that lead back to themselves, as the kernel does (ELOOP): TypeError names one of them. A loop that
 * a change makes goes through a chain that the change leads to, so it is looked for below those.
 */
export function refuseLoops(starts: Iterable<number>, graph: ChainGraph): void {
  // An explicit stack: rulesets may nest deeper than the host's.
  const path: number[] = [];
  const passed: number[] = [];
  const enter = (chain: number) => {
    const mark = graph.mark(chain);
    if (mark === OPEN) throw new TypeError(`${graph.describe(chain)} leads back to itself: a loop.`);
    if (mark === DONE) return;
    graph.setMark(chain, OPEN);
    path.push(chain);
    passed.push(0);
  };
  for (const start of starts) {
    enter(start);
    while (path.length > 0) {
      const chain = path[path.length - 1] as number;
      const index = passed[passed.length - 1] as number;
      if (index < graph.count(chain)) {
        passed[passed.length - 1] = index + 1;
        enter(graph.target(chain, index));
      } else {
        graph.setMark(chain, DONE);
        path.pop();
        passed.pop();
      }
    }
  }
}
