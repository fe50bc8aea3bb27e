import type { Diagnostic } from "../diagnostics.js";
import type { Fragment, FrontEnd } from "../fragment/front-end.js";
import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import type { Ip } from "../net/ip.js";
import { iptablesFrontEnd } from "../proxy/iptables.js";
import { type CompiledIpvs, DUMMY, dummyAddress, ipvsFrontEnd } from "../proxy/ipvs.js";
import { nftablesFrontEnd } from "../proxy/nftables.js";
import type { Interface } from "../ruleset/routes.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import type { CompileOptions } from "./options.js";
import { proxyOptionsOf } from "./settings.js";

/** kube-proxy's part of a ruleset. */
export type Proxied = Pick<Ruleset, "iptables" | "ipsets" | "ipvs" | "nftables"> & {
  readonly interfaces: readonly Interface[];
  readonly diagnostics: readonly Diagnostic[];
};

function ipvsPart({ dummyAddresses, ...made }: CompiledIpvs): Proxied {
  const addresses = dummyAddresses.map(dummyAddress);
  // No frame is ever sent to it, so its MAC is of no account.
  return { interfaces: [{ name: DUMMY, kind: "dummy", mac: 0, mtu: 1500, addresses }], ...made };
}

/** The front end of the mode that the options name. */
export function proxyFrontEnd(
  cluster: Cluster,
  node: Node,
  nodeAddresses: readonly Ip[],
  options: CompileOptions,
): FrontEnd<Fragment, Proxied> {
  const { proxy = "iptables" } = options;
  const proxyOptions = { ...proxyOptionsOf(node, options, 4), nodeAddresses };
  switch (proxy) {
    case "iptables":
      return joined(iptablesFrontEnd(cluster, node, proxyOptions), (made) => ({ interfaces: [], ...made }));
    case "nftables":
      return joined(nftablesFrontEnd(cluster, node, proxyOptions), (made) => ({ interfaces: [], ...made }));
    case "ipvs":
      return joined(
        ipvsFrontEnd(cluster, node, { ...proxyOptions, scheduler: options.ipvsScheduler ?? "rr" }),
        ipvsPart,
      );
  }
}

/** A mode's front end as one that makes the common part. */
function joined<F extends Fragment, Whole>(
  frontEnd: FrontEnd<F, Whole>,
  partOf: (whole: Whole) => Proxied,
): FrontEnd<F, Proxied> {
  return { ...frontEnd, finish: (fragments) => partOf(frontEnd.finish(fragments)) };
}
