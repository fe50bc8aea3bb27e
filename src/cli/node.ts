import { compile } from "../index.js";
import { type DumpedNode, type DumpOptions, loadDump, namesDump } from "./dump.js";
import { type ClusterOptions, loadCluster } from "./options.js";
import { type ProxyArguments, proxyOptionsOf } from "./proxy-options.js";

/** What names one node: a cluster that it is compiled of, or its own dumps. */
export interface NodeOptions extends ClusterOptions, DumpOptions, ProxyArguments {}

/** The node that a command asks about. UsageError and InputError as namesDump, loadDump, loadCluster and compile have them. */
export function findNode(options: NodeOptions): DumpedNode {
  if (namesDump(options)) return loadDump(options);
  const { node } = options;
  const proxyOptions = proxyOptionsOf(options);
  const cluster = loadCluster(options);
  const ruleset = compile(cluster, { ...proxyOptions, ...(node === undefined ? {} : { node }) });
  return { ruleset, tables: {} };
}
