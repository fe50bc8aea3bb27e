import type { Diagnostic } from "../diagnostics.js";
import type { Fragment, FrontEnd } from "../fragment/front-end.js";
import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import type { Family, Ip } from "../net/ip.js";
import { hostPrefix } from "../net/prefix.js";
import { iptablesFrontEnd } from "../proxy/iptables.js";
import { type CompiledIpvs, DUMMY, ipvsFrontEnd } from "../proxy/ipvs.js";
import { nftablesFrontEnd } from "../proxy/nftables.js";
import type { IptablesOptions } from "../proxy/options.js";
import type { Interface } from "../ruleset/routes.js";
import type { Ruleset } from "../ruleset/ruleset.js";
import type { CompileOptions } from "./options.js";
import { ipvsOptionsOf, proxyOptionsOf } from "./settings.js";

/** kube-proxy's part of a ruleset. */
export type Proxied = Pick<
  Ruleset,
  "iptables" | "ip6tables" | "ipsets" | "ipvs" | "nftables" | "nftables6" | "sysctls"
> & {
  readonly interfaces: readonly Interface[];
  readonly diagnostics: readonly Diagnostic[];
};

/** What of the node its kube-proxies are told. */
export interface Served {
  readonly families: readonly Family[];
  /** Of both families, without loopback. */
  readonly nodeAddresses: readonly Ip[];
}

function ipvsPart({ dummyAddresses, iptables, ...made }: CompiledIpvs, family: Family | undefined): Proxied {
  const addresses = dummyAddresses.map(hostPrefix);
  return {
    // No frame is ever sent to it, so its MAC is of no account.
    interfaces: [{ name: DUMMY, kind: "dummy", mac: 0, mtu: 1500, addresses }],
    ...(family === 6 ? { ip6tables: iptables } : { iptables }),
    ...made,
  };
}

/** The front ends of the mode that the options name, one for each of the node's families. */
export function proxyFrontEnds(
  cluster: Cluster,
  node: Node,
  { families, nodeAddresses }: Served,
  options: CompileOptions,
): readonly FrontEnd<Fragment, Proxied>[] {
  return families.map((family) =>
    frontEndOf(cluster, node, options, { ...proxyOptionsOf(node, options, family), nodeAddresses }),
  );
}

function frontEndOf(
  cluster: Cluster,
  node: Node,
  said: CompileOptions,
  options: IptablesOptions & { readonly nodeAddresses: readonly Ip[] },
): FrontEnd<Fragment, Proxied> {
  switch (said.proxy ?? "iptables") {
    case "iptables":
      return partly(iptablesFrontEnd(cluster, node, options), ({ iptables }) => ({
        interfaces: [],
        ...(options.family === 6 ? { ip6tables: iptables } : { iptables }),
        diagnostics: [],
      }));
    case "nftables":
      return partly(nftablesFrontEnd(cluster, node, options), ({ nftables, diagnostics }) => ({
        interfaces: [],
        ...(options.family === 6 ? { nftables6: nftables } : { nftables }),
        diagnostics,
      }));
    case "ipvs":
      return partly(ipvsFrontEnd(cluster, node, { ...options, ...ipvsOptionsOf(said) }), (made) =>
        ipvsPart(made, options.family),
      );
  }
}

/** A mode's front end as one that makes the common part. */
function partly<F extends Fragment, Whole>(
  frontEnd: FrontEnd<F, Whole>,
  partOf: (whole: Whole) => Proxied,
): FrontEnd<F, Proxied> {
  return { ...frontEnd, finish: (fragments) => partOf(frontEnd.finish(fragments)) };
}

/** The parts of both families as one: they share the ipsets, IPVS and the dummy device. */
export function joinProxied(parts: readonly Proxied[]): Proxied {
  const [first, second] = parts;
  if (first === undefined || second === undefined) return first ?? { interfaces: [], diagnostics: [] };
  return {
    ...first,
    ...second,
    ...joinIpvs(first, second),
    interfaces: joinDevices(first.interfaces, second.interfaces),
    diagnostics: [...first.diagnostics, ...second.diagnostics],
  };
}

function joinIpvs(first: Proxied, second: Proxied): Pick<Proxied, "ipsets" | "ipvs"> {
  if (first.ipsets === undefined || first.ipvs === undefined) return {};
  return {
    ipsets: [...first.ipsets, ...(second.ipsets ?? [])],
    ipvs: { ...first.ipvs, servers: [...first.ipvs.servers, ...(second.ipvs?.servers ?? [])] },
  };
}

/** Devices of one name have the addresses of both. */
function joinDevices(some: readonly Interface[], others: readonly Interface[]): readonly Interface[] {
  const twins = new Map(others.map((device) => [device.name, device]));
  return some.map((device) => ({
    ...device,
    addresses: [...device.addresses, ...(twins.get(device.name)?.addresses ?? [])],
  }));
}
