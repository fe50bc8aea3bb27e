import { compileIptables, type IptablesOptions } from "../../src/proxy/iptables.js";
import { compileNftables } from "../../src/proxy/nftables.js";
import type { ProxyOptions } from "../../src/proxy/options.js";
import type { Iptables } from "../../src/ruleset/iptables.js";
import type { NftTable } from "../../src/ruleset/nftables.js";
import { type ClusterBuilder, nodeOf } from "./cluster-of.js";

/** What a node has of the cluster in mode iptables. */
export function iptablesOf(
  cluster: ClusterBuilder,
  options: IptablesOptions = {},
  node = "worker-1",
): Iptables {
  const built = cluster.build();
  return compileIptables(built, nodeOf(built, node), options).iptables;
}

/** What a node has of the cluster in mode nftables. */
export function nftablesOf(cluster: ClusterBuilder, options: ProxyOptions = {}, node = "worker-1"): NftTable {
  const built = cluster.build();
  return compileNftables(built, nodeOf(built, node), options).nftables;
}
