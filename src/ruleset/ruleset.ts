import { expectArgument, isObject } from "../arguments.js";
import { type Diagnostic, InputError } from "../diagnostics.js";
import { type Family, familyOf, type Ip } from "../net/ip.js";
import { type IpSet, printIpSets } from "./ipset.js";
import type { Iptables } from "./iptables.js";
import { printIptables } from "./iptables-text.js";
import type { Ipvs } from "./ipvs.js";
import { printIpvs, printTimeouts } from "./ipvs-save.js";
import { type Neighbour, printNeighbours } from "./neighbours.js";
import { printNft } from "./nft-listing.js";
import type { NftTable } from "./nftables.js";
import { type Interface, printRoutes, type Route } from "./routes.js";
import { printSysctls, type Sysctls } from "./sysctls.js";
import { type FdbEntry, printFdb } from "./vxlan.js";

export const PROXY_MODES = ["iptables", "ipvs", "nftables"] as const;
export type ProxyMode = (typeof PROXY_MODES)[number];

/** What one node's kernel holds. Plain data; each part prints as the kernel's own tool does. */
export interface Ruleset {
  readonly node: string;
  readonly proxy: ProxyMode;
  readonly interfaces: readonly Interface[];
  /** One a prefix; of several an engine takes the last of the least metric, and its ruleset says so. */
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
  readonly fdb: readonly FdbEntry[];
  /** Present in modes iptables and ipvs. */
  readonly iptables?: Iptables;
  /** The same of IPv6. */
  readonly ip6tables?: Iptables;
  /** Mode ipvs: of both families. */
  readonly ipsets?: readonly IpSet[];
  readonly ipvs?: Ipvs;
  /** Mode nftables: table `ip kube-proxy`, and `ip6 kube-proxy`. */
  readonly nftables?: NftTable;
  readonly nftables6?: NftTable;
  /** Settings of the kernel by its own names (`net.netfilter.nf_conntrack_udp_timeout`); others have its defaults. */
  readonly sysctls?: Sysctls;
  /** Names people know addresses by: `pod/shop/cart`, `node/worker-1`. A compiled ruleset puts them together when first asked. */
  readonly names: ReadonlyMap<Ip, string>;
  /** What of the input is not modelled, each naming object and field. */
  readonly diagnostics: readonly Diagnostic[];
}

/** The listing of a part that may be there in each family; undefined where it is in none. */
function ofEach<T>(parts: readonly (T | undefined)[], print: (part: T) => string): string | undefined {
  const there = parts.filter((part) => part !== undefined);
  return there.length === 0 ? undefined : there.map(print).join("");
}

function routesOf({ routes }: Ruleset, family: Family): string | undefined {
  const own = routes.filter(({ prefix }) => familyOf(prefix.address) === family);
  return own.length === 0 ? undefined : printRoutes(own);
}

/** How each part prints, undefined where a node of the ruleset's mode and families has no such part, and the modes that have it. */
const FORMATS = {
  "iptables-save": {
    modes: ["iptables", "ipvs"],
    print: ({ iptables }) => iptables && printIptables(iptables),
  },
  "ip6tables-save": {
    modes: ["iptables", "ipvs"],
    print: ({ ip6tables }) => ip6tables && printIptables(ip6tables),
  },
  "ipset-save": { modes: ["ipvs"], print: ({ ipsets }) => ipsets && printIpSets(ipsets) },
  "ipvsadm-save": { modes: ["ipvs"], print: ({ ipvs }) => ipvs && printIpvs(ipvs) },
  "ipvsadm-set": { modes: ["ipvs"], print: ({ ipvs }) => ipvs && printTimeouts(ipvs) },
  nft: { modes: ["nftables"], print: ({ nftables, nftables6 }) => ofEach([nftables, nftables6], printNft) },
  "ip-route": { modes: PROXY_MODES, print: (ruleset) => routesOf(ruleset, 4) },
  "ip6-route": { modes: PROXY_MODES, print: (ruleset) => routesOf(ruleset, 6) },
  "ip-neigh": { modes: PROXY_MODES, print: ({ neighbours }) => printNeighbours(neighbours) },
  "bridge-fdb": { modes: PROXY_MODES, print: ({ fdb }) => printFdb(fdb) },
  sysctl: { modes: PROXY_MODES, print: ({ sysctls = {} }) => printSysctls(sysctls) },
} as const satisfies Record<
  string,
  { readonly modes: readonly string[]; readonly print: (ruleset: Ruleset) => string | undefined }
>;

/** Named after the tool whose output it is. */
export type RulesetFormat = keyof typeof FORMATS;

export const RULESET_FORMATS = Object.keys(FORMATS) as readonly RulesetFormat[];

/** Prints one part of a ruleset as the kernel's tool does. Throws InputError if its mode has no such part, or for a format that is none. */
export function printRuleset(ruleset: Ruleset, format: RulesetFormat): string {
  expectArgument(isObject(ruleset), ruleset, "the ruleset of printRuleset()", "what compile() answers");
  if (!Object.hasOwn(FORMATS, format)) {
    throw refusal(`«${String(format)}» is no format: name one of ${RULESET_FORMATS.join(", ")}.`);
  }
  const { modes, print } = FORMATS[format];
  const text = print(ruleset);
  if (text !== undefined) return text;
  const mended = (modes as readonly string[]).includes(ruleset.proxy)
    ? "nothing of that family is on it."
    : `compile with proxy mode ${modes.join(" or ")}.`;
  throw refusal(`a node in proxy mode ${ruleset.proxy} has nothing to print as ${format}: ${mended}`);
}

function refusal(message: string): InputError {
  return new InputError([{ severity: "error", place: {}, message }]);
}
