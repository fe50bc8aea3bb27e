import { progress } from "./progress.js";

/** Packets between two looks at the clock. */
const STRIDE = 64;

export interface AssessProgress {
  /** For `assess`. */
  readonly onAsked: (node: string) => void;
  stop(): void;
}

/** A bar that moves with the nodes that are done, and tells how many packets were asked about. */
export function assessProgress(nodes: readonly string[]): AssessProgress {
  const bar = progress("nodes", nodes.length);
  let asked = 0;
  let [current] = nodes;
  const onAsked = (node: string) => {
    if (node !== current) bar.tick();
    current = node;
    asked++;
    if (asked % STRIDE === 0) bar.tick(0, `node ${node}: ${asked} packets asked about`);
  };
  return { onAsked, stop: () => bar.stop() };
}
