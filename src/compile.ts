import type { CompileOptions } from "./compile/options.js";
import { rulesetOf, targetOf } from "./compile/target.js";
import { compileWith } from "./fragment/front-end.js";
import type { Cluster } from "./model/cluster.js";
import { serviceObjects } from "./model/service-objects.js";
import type { Ruleset } from "./ruleset/ruleset.js";

export type { CompileOptions } from "./compile/options.js";

/**
 * Compiles a cluster for one of its nodes: what kube-proxy and the network plugin would leave in that node's
 * kernel, IPv4. What of the cluster is not modelled is told in `diagnostics`. Throws InputError if there is no
 * such node, if the node lacks an IPv4 address or podCIDR, or for options that are not known.
 */
export function compile(cluster: Cluster, options: CompileOptions = {}): Ruleset {
  const target = targetOf(cluster, options);
  return rulesetOf(target, cluster, compileWith(target.frontEnd, serviceObjects(cluster)));
}
