import type { Family } from "../net/ip.js";
import type { Prefix } from "../net/prefix.js";
import { selectsLoopback } from "../proxy/local-traffic.js";
import type { ProxyMode } from "../ruleset/ruleset.js";
import type { Sysctls } from "../ruleset/sysctls.js";
import type { ConntrackConfig } from "./proxy-config.js";

/** What kube-proxy sets of the kernel's connection tracking: durations of 0 are left as they are. */
function conntrackSysctls(conntrack: ConntrackConfig): Sysctls {
  const durations: readonly (readonly [string, number])[] = [
    ["tcp_timeout_established", conntrack.tcpEstablishedTimeout],
    ["tcp_timeout_close_wait", conntrack.tcpCloseWaitTimeout],
    ["udp_timeout", conntrack.udpTimeout],
    ["udp_timeout_stream", conntrack.udpStreamTimeout],
  ];
  const set = durations.filter(([, seconds]) => seconds > 0);
  return {
    ...Object.fromEntries(
      set.map(([name, seconds]) => [`net.netfilter.nf_conntrack_${name}`, Math.trunc(seconds)]),
    ),
    ...(conntrack.tcpBeLiberal ? { "net.netfilter.nf_conntrack_tcp_be_liberal": 1 } : {}),
  };
}

/** What the settings beside connection tracking's depend on. */
export interface SysctlOptions {
  readonly mode: ProxyMode;
  readonly families: ReadonlySet<Family>;
  readonly localhostNodePorts: boolean;
  readonly nodePortAddresses: readonly Prefix[];
}

/**
 * What kube-proxy sets on its node: connection tracking's timeouts and, for nodePorts on 127.0.0.0/8 in mode iptables,
 * route_localnet. (nf_conntrack_max depends on how many cores a node has, which no object says.)
 */
export function sysctlsOf(conntrack: ConntrackConfig, options: SysctlOptions): Sysctls {
  const { mode, families, localhostNodePorts, nodePortAddresses } = options;
  const serves = mode === "iptables" && families.has(4) && localhostNodePorts;
  return {
    ...conntrackSysctls(conntrack),
    ...(serves && selectsLoopback(nodePortAddresses) ? { "net.ipv4.conf.all.route_localnet": 1 } : {}),
  };
}
