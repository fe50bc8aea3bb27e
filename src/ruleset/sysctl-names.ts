import type { Diagnostic } from "../diagnostics.js";
import { nearNames } from "../near-names.js";
import {
  CONF_ALL,
  CONNTRACK,
  CONNTRACK_SETTINGS,
  IPFRAG,
  IPFRAG_SETTINGS,
  isModelled,
  type Sysctls,
  VS,
  VS_SETTINGS,
} from "./sysctls.js";

const DCCP = ["request", "respond", "partopen", "open", "closereq", "closing", "timewait"];

/** What kernels from 6.1 on have and no packet here can tell, by what the names begin with. */
const UNMODELLED: Readonly<Record<string, readonly string[]>> = {
  [CONNTRACK]: [
    ...["acct", "buckets", "count", "events", "expect_max", "helper", "log_invalid", "max", "timestamp"],
    ...["frag6_high_thresh", "frag6_low_thresh", "dccp_loose"],
    ...DCCP.map((state) => `dccp_timeout_${state}`),
  ],
  [VS]: [
    ...["am_droprate", "amemthresh", "backup_only", "debug_level", "ignore_tunneled", "pmtu_disc"],
    ...["sync_persist_mode", "sync_ports", "sync_qlen_max", "sync_refresh_period", "sync_retries"],
    ...["sync_sock_size", "sync_threshold", "sync_version", "run_estimation", "est_cpulist", "est_nice"],
  ],
  [IPFRAG]: ["high_thresh", "low_thresh", "secret_interval"],
  [CONF_ALL]: [
    ...["forwarding", "mc_forwarding", "bc_forwarding", "accept_redirects", "secure_redirects"],
    ...["send_redirects", "shared_media", "rp_filter", "accept_source_route", "accept_local"],
    ...["src_valid_mark", "proxy_arp", "proxy_arp_pvlan", "medium_id", "bootp_relay", "log_martians", "tag"],
    ...["arp_filter", "arp_announce", "arp_ignore", "arp_accept", "arp_notify", "arp_evict_nocarrier"],
    ...["force_igmp_version", "igmpv2_unsolicited_report_interval", "igmpv3_unsolicited_report_interval"],
    ...["ignore_routes_with_linkdown", "drop_gratuitous_arp", "drop_unicast_in_l2_multicast"],
    ...["disable_xfrm", "disable_policy", "promote_secondaries"],
  ],
};

const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  [CONNTRACK]: CONNTRACK_SETTINGS,
  [VS]: VS_SETTINGS,
  [IPFRAG]: IPFRAG_SETTINGS,
  [CONF_ALL]: ["route_localnet"],
};

/** What is read and has no effect here: only as the kernel has it of itself is that the same. */
const INERT: ReadonlyMap<string, number> = new Map([
  [`${VS}cache_bypass`, 0],
  [`${VS}snat_reroute`, 1],
]);

/** What a name begins with, of those that the machine knows settings of. */
function familyOf(name: string): string | undefined {
  return Object.keys(FAMILIES).find((family) => name.startsWith(family));
}

/** A setting that is asked, for a name that is cut (`conn_reuse_mode`) or has slashes. */
function meantBy(name: string): readonly string[] {
  const plain = name.replaceAll("/", ".");
  const all = Object.entries(FAMILIES).flatMap(([family, names]) => names.map((one) => family + one));
  return all.filter(
    (one) => one === plain || one.endsWith(`.${plain}`) || one.endsWith(`nf_conntrack_${plain}`),
  );
}

function isKernels(name: string, family: string): boolean {
  return INERT.has(name) || UNMODELLED[family]?.includes(name.slice(family.length)) === true;
}

function refuse(name: string, family = ""): never {
  const names = FAMILIES[family]?.map((one) => family + one) ?? [];
  const others = UNMODELLED[family]?.map((one) => family + one) ?? [];
  const near = family === "" ? meantBy(name) : nearNames(name, [...names, ...others]);
  const instead =
    near.length > 0 ? `did you mean ${near.join(" or ")}?` : `those that are asked are ${names.join(", ")}.`;
  throw new TypeError(`sysctl ${name}: is not known: ${instead}`);
}

/**
 * Warnings of settings that kernels have and packets here do not tell. TypeError, with those that may be meant, for one that
 * is not known though others of its family are.
 */
export function checkSysctls(sysctls: Sysctls): readonly Diagnostic[] {
  return Object.entries(sysctls).flatMap(([name, value]): readonly Diagnostic[] => {
    if (isModelled(name) && (!INERT.has(name) || INERT.get(name) === value)) return [];
    const family = familyOf(name);
    if (family === undefined ? meantBy(name).length > 0 : !isKernels(name, family)) refuse(name, family);
    const message = "is a setting that is not modelled: packets do as though it were the kernel's default.";
    return [{ severity: "warning", place: { object: `sysctl ${name}` }, message }];
  });
}
