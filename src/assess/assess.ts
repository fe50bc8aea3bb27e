import { type CompileOptions, compile } from "../compile.js";
import type { Diagnostic } from "../diagnostics.js";
import { diffNodes } from "../diff/diff.js";
import type { Cluster } from "../model/cluster.js";
import type { Assessment } from "../report/assessment.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import { isNoticed } from "./category.js";
import { categoriesOf, Findings } from "./findings.js";
import { type IpvsListing, listingWarnings, withForeign, withListing } from "./listing.js";
import type { TargetMode } from "./words.js";

export interface AssessOptions {
  /** What the nodes leave IPVS for; default nftables. */
  readonly to?: TargetMode;
  /** Their names; default all. */
  readonly nodes?: readonly string[];
  /** What the one node holds, in the place of what its cluster gives it. */
  readonly listing?: IpvsListing;
  /** How kube-proxy runs, before and after. */
  readonly proxy?: Omit<CompileOptions, "node" | "proxy">;
  /** Called for every packet that was asked about. */
  readonly onAsked?: (node: string) => void;
}

export interface AssessmentResult {
  readonly assessment: Assessment;
  /** What was told of the cluster and of its compilation. */
  readonly diagnostics: readonly Diagnostic[];
}

/** One node before and after. */
interface Switch {
  readonly before: Ruleset;
  readonly after: Ruleset;
  readonly diagnostics: readonly Diagnostic[];
}

function switchOf(
  cluster: Cluster,
  node: string,
  { to = "nftables", proxy, listing }: AssessOptions,
): Switch {
  const [ipvs, after] = (["ipvs", to] as const).map((mode) =>
    compile(cluster, { ...proxy, node, proxy: mode }),
  );
  if (ipvs === undefined || after === undefined) throw new TypeError("Two modes have two rulesets.");
  const diagnostics = [...ipvs.diagnostics, ...after.diagnostics];
  if (listing === undefined) return { before: ipvs, after, diagnostics };
  const before = withListing(ipvs, listing);
  return {
    before,
    after: withForeign(after, before.ipvs?.servers ?? []),
    diagnostics: [...diagnostics, ...listingWarnings(ipvs, listing)],
  };
}

function schedulersOf({ ipvs }: Ruleset): readonly string[] {
  return ipvs?.servers.map(({ scheduler }) => scheduler) ?? [];
}

/**
 * What changes on leaving IPVS for another mode of kube-proxy: the packets of which the nodes make different things before
 * and after, connections that are open among them, by what they are about. TypeError for a listing of one node where
 * there are several; others as `compile` and `diffNodes` have them.
 */
export async function assess(cluster: Cluster, options: AssessOptions = {}): Promise<AssessmentResult> {
  const { to = "nftables", nodes = cluster.nodes.map(({ name }) => name), listing, onAsked } = options;
  if (listing !== undefined && nodes.length !== 1)
    throw new TypeError("A listing is of one node: name that one.");
  const found = new Findings();
  const diagnostics: Diagnostic[] = [];
  const schedulers = new Set<string>();
  let asked = 0;
  for (const node of nodes) {
    const { before, after, ...told } = switchOf(cluster, node, options);
    diagnostics.push(...told.diagnostics);
    for (const scheduler of schedulersOf(before)) schedulers.add(scheduler);
    const count = () => {
      asked++;
      onAsked?.(node);
    };
    const sides = [
      { cluster, ruleset: before },
      { cluster, ruleset: after },
    ] as const;
    const differences = await diffNodes(...sides, { openConnections: true, onAsked: count });
    for (const difference of differences) if (isNoticed(difference)) found.add(difference, before);
  }
  const findings = found.all(to);
  const assessment: Assessment = {
    apiVersion: "packetyard/v1",
    kind: "Assessment",
    from: "ipvs",
    to,
    schedulers: [...schedulers].sort(),
    nodes,
    asked,
    categories: categoriesOf(findings, to),
    findings,
  };
  return { assessment, diagnostics };
}
