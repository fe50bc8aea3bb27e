import {
  type Cluster,
  type CompileOptions,
  compile,
  type ProxyMode,
  type Ruleset,
  type Side,
} from "../index.js";
import { type DumpOptions, loadDump, namesDump, withoutAbsent } from "./dump.js";
import { UsageError } from "./errors.js";
import { checkStdin } from "./input.js";
import { defaultNode } from "./node.js";
import { type ClusterOptions, loadCluster } from "./options.js";
import { printNote } from "./output.js";
import { EXAMPLE_CLUSTER } from "./package.js";
import { type ProxyArguments, proxyOptionsOf } from "./proxy-options.js";

/** What is compared: one or two clusters, and in what way of running kube-proxy, or a dump, they differ. */
export interface DiffArguments
  extends Omit<ClusterOptions, "filename">,
    Omit<ProxyArguments, "filename">,
    Omit<DumpOptions, "node" | "in"> {
  readonly node?: readonly string[];
  readonly modes?: readonly ProxyMode[];
  readonly proxyConfigs?: readonly string[];
  readonly ipvsSchedulers?: readonly NonNullable<ProxyArguments["ipvsScheduler"]>[];
  readonly kubernetesVersions?: readonly NonNullable<ProxyArguments["kubernetesVersion"]>[];
}

/** One side of a comparison. */
export interface Subject {
  /** What tells it from the other, for people. */
  readonly label: string;
  readonly nodes: readonly string[];
  /** Of those that its rules are known in; absent for all. */
  readonly families?: readonly (4 | 6)[];
  /** The side at one of its nodes. */
  at(node: string): Side;
}

export type Subjects = readonly [Subject, Subject];

const EXAMPLE = "the example cluster";

/** What tells of a node by its tools' listings alone. */
function dumpOf(options: DiffArguments): Omit<DumpOptions, "node" | "in"> {
  const { iptablesSave, ip6tablesSave, ipsetSave, ipvsadmSave, ipAddr, ipRoute, ipNeigh, bridgeFdb } =
    options;
  const listings = {
    iptablesSave,
    ip6tablesSave,
    ipsetSave,
    ipvsadmSave,
    ipAddr,
    ipRoute,
    ipNeigh,
    bridgeFdb,
  };
  return withoutAbsent({ ...listings, localAddress: options.localAddress });
}

/** Options that say something of each side. */
const PAIRS = {
  "--modes": "modes",
  "--ipvs-schedulers": "ipvsSchedulers",
  "--kubernetes-versions": "kubernetesVersions",
  "--proxy-configs": "proxyConfigs",
} as const;
const SINGLE = {
  modes: "mode",
  ipvsSchedulers: "ipvsScheduler",
  kubernetesVersions: "kubernetesVersion",
  proxyConfigs: "proxyConfig",
} as const;

/** The names of those that are given; UsageError for a pair that is none, or is contradicted. */
function pairsOf(options: DiffArguments): readonly (keyof typeof SINGLE)[] {
  return Object.entries(PAIRS).flatMap(([flag, name]) => {
    const values = options[name];
    if (values === undefined) return [];
    if (values.length !== 2)
      throw new UsageError(`${flag} takes two values, of A and of B: ${values.length} is given.`);
    if (options[SINGLE[name]] !== undefined)
      throw new UsageError(`${flag} is of each side and ${flag.slice(0, -1)} of both: give one of them.`);
    return [name];
  });
}

/** How kube-proxy runs on both sides, but for what is said of each. */
function proxyOfBoth({
  mode,
  proxyConfig,
  ipvsScheduler,
  kubernetesVersion,
  nfacct,
  localAddress,
}: DiffArguments): CompileOptions {
  return proxyOptionsOf({
    filename: [],
    ...withoutAbsent({ mode, proxyConfig, ipvsScheduler, kubernetesVersion, nfacct, localAddress }),
  });
}

/** What is said of one side. */
function proxyOf(options: DiffArguments, index: 0 | 1): CompileOptions {
  const { modes, ipvsSchedulers, kubernetesVersions, proxyConfigs } = options;
  const own = {
    mode: modes?.[index],
    ipvsScheduler: ipvsSchedulers?.[index],
    kubernetesVersion: kubernetesVersions?.[index],
    proxyConfig: proxyConfigs?.[index],
  };
  return proxyOptionsOf({ filename: [], ...withoutAbsent(own) });
}

function subjectOf(label: string, cluster: Cluster, proxy: CompileOptions): Subject {
  const nodes = cluster.nodes.map(({ name }) => name);
  return { label, nodes, at: (node) => ({ cluster, ruleset: compile(cluster, { ...proxy, node }) }) };
}

function clusterFrom(path: string | undefined, { nodes, serviceCidr }: DiffArguments): Cluster {
  if (path === undefined) printNote("no cluster is given: this is the example cluster, examples/shop.yaml.");
  return loadCluster({
    filename: [path ?? EXAMPLE_CLUSTER],
    ...(nodes === undefined ? {} : { nodes }),
    ...(serviceCidr === undefined ? {} : { serviceCidr }),
  });
}

/** Two clusters, or one whose kube-proxies run in two ways. */
function clusterSubjects(paths: readonly string[], options: DiffArguments): Subjects {
  const pairs = pairsOf(options);
  const [first, second] = paths;
  if (second === undefined && pairs.length === 0) {
    const ways =
      "a second cluster, --modes, --ipvs-schedulers, --kubernetes-versions, --proxy-configs or --iptables-save";
    throw new UsageError(`diff compares two things: beside ${first ?? EXAMPLE} give ${ways}.`);
  }
  const proxy = proxyOfBoth(options);
  const clusters = [clusterFrom(first, options)];
  if (second !== undefined) clusters.push(clusterFrom(second, options));
  const subject = (index: 0 | 1): Subject => {
    const cluster = clusters[index] ?? clusters[0];
    const own = pairs.map((name) => options[name]?.[index] ?? "");
    const label = [...(second === undefined ? [] : [paths[index] ?? ""]), ...own].join(", ");
    return subjectOf(label, cluster as Cluster, { ...proxy, ...proxyOf(options, index) });
  };
  return [subject(0), subject(1)];
}

/** Rules as a node's tools told them in the place of those that its cluster gives it; its network too, where that is told. */
function dumpedRuleset(dumped: Ruleset, compiled: Ruleset, isNetworkTold: boolean): Ruleset {
  const { iptables, ip6tables, ipsets, ipvs, proxy } = dumped;
  const { interfaces, routes, neighbours, fdb } = isNetworkTold ? dumped : compiled;
  const { node, names, sysctls } = compiled;
  return {
    ...{ node, names, proxy, interfaces, routes, neighbours, fdb },
    ...(sysctls && { sysctls }),
    ...(iptables && { iptables }),
    ...(ip6tables && { ip6tables }),
    ...(ipsets && { ipsets }),
    ...(ipvs && { ipvs }),
    // What was guessed of the network is not used, so it is not said either.
    diagnostics: dumped.diagnostics.filter(({ place }) => isNetworkTold || place.file !== undefined),
  };
}

/** A cluster's node, and what that node's own tools tell of it. */
function dumpSubjects(paths: readonly string[], options: DiffArguments): Subjects {
  if (paths.length > 1 || pairsOf(options).length > 0)
    throw new UsageError(
      "--iptables-save is what one cluster is compared with: give no second one beside it.",
    );
  const cluster = clusterFrom(paths[0], options);
  const { node: names } = options;
  const given = proxyOfBoth(options);
  const node = names?.[0] ?? defaultNode(cluster, given);
  if (names !== undefined && names.length > 1)
    throw new UsageError("--iptables-save is of one node: give one --node, whose rules they are.");
  const dumped = loadDump({ ...dumpOf(options), node });
  const { ruleset } = dumped;
  const proxy = { proxy: ruleset.proxy, ...given };
  const isNetworkTold = options.ipAddr !== undefined;
  const label = dumped.tables[4]?.file ?? "";
  const compiled = subjectOf(paths[0] ?? EXAMPLE, cluster, proxy);
  const families = ([4, 6] as const).filter(
    (one) => (one === 4 ? ruleset.iptables : ruleset.ip6tables) !== undefined,
  );
  const at = (name: string): Side => {
    const own = compile(cluster, { ...proxy, proxy: ruleset.proxy, node: name });
    return { ruleset: dumpedRuleset(ruleset, own, isNetworkTold) };
  };
  return [
    { ...compiled, nodes: [node] },
    { label, nodes: [node], families, at },
  ];
}

/** What the command line compares. UsageError where that is not two things, InputError for what cannot be read. */
export function subjectsOf(paths: readonly string[], options: DiffArguments): Subjects {
  const [a, b] = paths;
  const { iptablesSave, ipvsadmSave, proxyConfig, proxyConfigs } = options;
  checkStdin({
    ...withoutAbsent({ A: a, B: b }),
    ...withoutAbsent({
      "--iptables-save": iptablesSave,
      "--proxy-config": proxyConfig,
      "--proxy-configs": proxyConfigs,
    }),
  });
  if (ipvsadmSave !== undefined && iptablesSave === undefined)
    throw new UsageError("--ipvsadm-save tells more of a node that --iptables-save tells of: give that too.");
  return namesDump({ filename: [], ...dumpOf(options) })
    ? dumpSubjects(paths, options)
    : clusterSubjects(paths, options);
}

/** The nodes that both have, or those that are asked for. UsageError for one that either lacks. */
export function nodesOf([a, b]: Subjects, { node: asked, localAddress }: DiffArguments): readonly string[] {
  const common = a.nodes.filter((name) => b.nodes.includes(name));
  const stranger = asked?.find((name) => !common.includes(name));
  if (stranger !== undefined)
    throw new UsageError(
      `--node ${stranger}: no such node is on both sides; there are ${common.join(", ")}.`,
    );
  if (common.length === 0) throw new UsageError("No node is on both sides: name Nodes alike in A and B.");
  const nodes = asked ?? common;
  if (localAddress !== undefined && nodes.length > 1)
    throw new UsageError("--local-address is of one node: give --node too, which one.");
  return nodes;
}
