import { type CompileOptions, compile } from "../../src/compile.js";
import { type DiffOptions, diffNodes } from "../../src/diff/diff.js";
import { type DifferenceGroup, type FlowDifference, groupDifferences } from "../../src/diff/difference.js";
import type { Side } from "../../src/diff/side.js";
import type { Cluster } from "../../src/model/cluster.js";

/** A node of a cluster as one side of a comparison. */
export function sideOf(cluster: Cluster, options: CompileOptions = {}): Side {
  return { cluster, ruleset: compile(cluster, options) };
}

/** What two ways of running one cluster's kube-proxy differ in. */
export async function groupsOf(
  cluster: Cluster,
  [a, b]: readonly [CompileOptions, CompileOptions],
  options?: DiffOptions,
): Promise<readonly DifferenceGroup[]> {
  return groupDifferences(await diffNodes(sideOf(cluster, a), sideOf(cluster, b), options));
}

/** A difference as a line: who asks whom, and what each side makes of it. */
export function lineOf({ question, topic, change, iface }: FlowDifference): string {
  const { source, target } = question;
  return `${topic} ${change} ${iface} ${source.address} > ${target.address} ${target.port} ${target.kind.name}`;
}
