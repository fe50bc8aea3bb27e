import { type Cluster, type CompileOptions, compile } from "../index.js";
import { type DumpedNode, type DumpOptions, loadDump, namesDump } from "./dump.js";
import { type ClusterOptions, loadCluster } from "./options.js";
import { type ProxyArguments, proxyOptionsOf } from "./proxy-options.js";

/** What names one node: a cluster that it is compiled of, or its own dumps. */
export interface NodeOptions extends ClusterOptions, DumpOptions, ProxyArguments {}

/** The node that kube-proxy's configuration, given or the cluster's own, names (hostnameOverride), or else the first. */
export function defaultNode(cluster: Cluster, { proxyConfig = cluster.proxyConfig }: CompileOptions): string {
  return proxyConfig?.nodeName ?? cluster.nodes[0]?.name ?? "";
}

/** The node that a command asks about. UsageError and InputError as namesDump, loadDump, loadCluster and compile have them. */
export function findNode(options: NodeOptions): DumpedNode {
  if (namesDump(options)) return loadDump(options);
  const { node } = options;
  const proxyOptions = proxyOptionsOf(options);
  const cluster = loadCluster(options);
  const ruleset = compile(cluster, { ...proxyOptions, ...(node === undefined ? {} : { node }) });
  return { ruleset, tables: {} };
}
