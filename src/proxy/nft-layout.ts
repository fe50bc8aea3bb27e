import type { NftChain, NftRule } from "../ruleset/nftables.js";
import { jump, NEW, rule } from "./nft-base.js";

type Base = NonNullable<NftChain["base"]>;

/** The two ways in which kube-proxy has hung its chains on the kernel's hooks. */
export type NftLayout = "1.31" | "1.34";

function baseChain(name: string, base: Base, rules: readonly NftRule[]): NftChain {
  return { name, base, rules };
}

const check = (chain: string): NftRule => rule(NEW, jump(chain));

function filter(name: string, hook: Base["hook"], priority: number, ...checks: readonly string[]): NftChain {
  return baseChain(name, { type: "filter", hook, priority }, checks.map(check));
}

const NAT: readonly NftChain[] = [
  baseChain("nat-prerouting", { type: "nat", hook: "prerouting", priority: -100 }, [rule(jump("services"))]),
  baseChain("nat-output", { type: "nat", hook: "output", priority: -100 }, [rule(jump("services"))]),
  baseChain("nat-postrouting", { type: "nat", hook: "postrouting", priority: 100 }, [
    rule(jump("masquerading")),
  ]),
];

/** In 1.31 to 1.33 OUTPUT asks for endpoints before DNAT, so that the node's own packets are not short-circuited. */
const BASE_CHAINS: Readonly<Record<NftLayout, readonly NftChain[]>> = {
  "1.31": [
    filter("filter-prerouting", "prerouting", -110, "firewall-check"),
    filter("filter-input", "input", -110, "nodeport-endpoints-check", "service-endpoints-check"),
    filter("filter-forward", "forward", -110, "service-endpoints-check", "cluster-ips-check"),
    filter("filter-output", "output", -110, "service-endpoints-check", "firewall-check"),
    filter("filter-output-post-dnat", "output", -90, "cluster-ips-check"),
    ...NAT,
  ],
  "1.34": [
    filter("filter-prerouting-pre-dnat", "prerouting", -110, "firewall-check"),
    filter("filter-output-pre-dnat", "output", -110, "firewall-check"),
    filter("filter-input", "input", 0, "nodeport-endpoints-check", "service-endpoints-check"),
    filter("filter-forward", "forward", 0, "service-endpoints-check", "cluster-ips-check"),
    filter("filter-output", "output", 0, "service-endpoints-check", "cluster-ips-check"),
    ...NAT,
  ],
};

/** The chains that hang on the kernel's hooks. */
export function baseChains(layout: NftLayout): readonly NftChain[] {
  return BASE_CHAINS[layout];
}
