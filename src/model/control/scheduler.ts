import type { NodeManifest } from "../node.js";
import { admits, type Placement } from "../placement.js";

/** The Nodes that some placement admits, as a heap by load: the least loaded first, of equals the first given. */
interface Eligible {
  readonly all: readonly number[];
  /** [load when pushed, index of the Node]; the load may have grown since, through another heap. */
  readonly heap: Entry[];
}

type Entry = readonly [load: number, node: number];

/**
 * Chooses Nodes as a scheduler would, only simpler: the one that runs the fewest Pods among those that admit the
 * Pod, and for the Pods of one workload a different Node each while there are any.
 */
export class Scheduler {
  private readonly loads: number[];
  private readonly byName: ReadonlyMap<string, number>;
  private readonly eligible = new Map<string, Eligible>();

  constructor(private readonly nodes: readonly NodeManifest[]) {
    this.loads = nodes.map(() => 0);
    this.byName = new Map(nodes.map(({ name }, index) => [name, index]));
  }

  /** Counts a Pod that already runs on a Node. */
  occupy(nodeName: string): void {
    const node = this.byName.get(nodeName);
    if (node !== undefined) this.count(node);
  }

  /** Nodes for so many Pods of one workload; none if no Node admits them. */
  place(count: number, placement: Placement): readonly string[] {
    const { all, heap } = this.eligibleFor(placement);
    const chosen: string[] = [];
    let held: number[] = [];
    const release = () => {
      for (const node of held) push(heap, [this.loads[node] ?? 0, node]);
      held = [];
    };
    while (chosen.length < count && all.length > 0) {
      const node = this.leastLoaded(heap);
      chosen.push(this.nameOf(node));
      this.count(node);
      held.push(node);
      if (held.length === all.length) release();
    }
    release();
    return chosen;
  }

  /** Every Node that admits a DaemonSet's Pods, each counted with one more Pod. */
  placeOnEach(placement: Placement): readonly string[] {
    const nodes = this.nodes.filter((node) => admits(node, placement, true));
    for (const { name } of nodes) this.occupy(name);
    return nodes.map(({ name }) => name);
  }

  private eligibleFor(placement: Placement): Eligible {
    const key = placementKey(placement);
    const known = this.eligible.get(key);
    if (known !== undefined) return known;
    const all = this.nodes.flatMap((node, index) => (admits(node, placement, false) ? [index] : []));
    const found: Eligible = { all, heap: [] };
    for (const node of all) push(found.heap, [this.loads[node] ?? 0, node]);
    this.eligible.set(key, found);
    return found;
  }

  /** Takes the first entry whose load is still true; entries that others have overtaken go back in first. */
  private leastLoaded(heap: Entry[]): number {
    for (;;) {
      const [load, node] = pop(heap);
      const now = this.loads[node] ?? 0;
      if (load === now) return node;
      push(heap, [now, node]);
    }
  }

  private count(node: number): void {
    this.loads[node] = (this.loads[node] ?? 0) + 1;
  }

  private nameOf(node: number): string {
    return this.nodes[node]?.name ?? "";
  }
}

function placementKey({ nodeSelector, affinity, tolerations }: Placement): string {
  if (nodeSelector.size === 0 && affinity === undefined && tolerations.length === 0) return "";
  return JSON.stringify([[...nodeSelector], affinity, tolerations]);
}

function before(a: Entry, b: Entry): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}

function push(heap: Entry[], entry: Entry): void {
  let at = heap.length;
  while (at > 0) {
    const parent = heap[(at - 1) >> 1] as Entry;
    if (!before(entry, parent)) break;
    heap[at] = parent;
    at = (at - 1) >> 1;
  }
  heap[at] = entry;
}

/** Of a heap that is not empty. */
function pop(heap: Entry[]): Entry {
  const first = heap[0] as Entry;
  const last = heap.pop() as Entry;
  if (heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child + 1 < heap.length && before(heap[child + 1] as Entry, heap[child] as Entry)) child++;
    if (child >= heap.length || !before(heap[child] as Entry, last)) break;
    heap[at] = heap[child] as Entry;
    at = child;
  }
  heap[at] = last;
  return first;
}
