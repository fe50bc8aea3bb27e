import { expectOptions } from "./arguments.js";
import type { CompileOptions } from "./compile/options.js";
import { rulesetOf, targetOf } from "./compile/target.js";
import { compileWith } from "./fragment/front-end.js";
import type { Cluster } from "./model/cluster.js";
import { expectCluster } from "./model/expect-cluster.js";
import { serviceObjects } from "./model/service-objects.js";
import type { Ruleset } from "./ruleset/ruleset.js";

export type { CompileOptions } from "./compile/options.js";

/**
 * Compiles a cluster for one of its nodes: what kube-proxy and the network plugin would leave in that node's
 * kernel, in each family in which the node has an address and a podCIDR. What of the cluster is not modelled is told in
 * `diagnostics`. Throws InputError if there is no such node or family, or for options that are not known; TypeError for what is no cluster.
 */
export function compile(cluster: Cluster, options: CompileOptions = {}): Ruleset {
  expectCluster(cluster, "the cluster of compile()");
  expectOptions(options, "compile()");
  const target = targetOf(cluster, options);
  const objects = serviceObjects(cluster);
  const proxied = target.proxies.map((proxy) => compileWith(proxy, objects));
  return rulesetOf(target, cluster, proxied, compileWith(target.addressing, objects));
}
