import { type Family, familyOf, type Ip } from "../net/ip.js";
import { type Prefix, prefixContains } from "../net/prefix.js";
import { matchesAllAddresses, nodePortIps, withoutLoopback } from "./local-traffic.js";

const LINK_LOCAL: Prefix = { address: 0xfe80n << 112n, length: 10 };

/** The addresses of one family that kube-proxy in mode ipvs calls the node's: not those of one link alone. */
export function ownAddresses(addresses: readonly Ip[], family: Family): readonly Ip[] {
  return withoutLoopback(addresses).filter(
    (ip) => familyOf(ip) === family && !prefixContains(LINK_LOCAL, ip),
  );
}

/** Those on which nodePorts answer: the node's own, or the ones that --nodeport-addresses chooses, never loopback. */
export function ipvsNodePortIps(
  addresses: readonly Ip[],
  chosen: readonly Prefix[],
  family: Family,
): readonly Ip[] {
  if (matchesAllAddresses(chosen, family)) return ownAddresses(addresses, family);
  return nodePortIps(withoutLoopback(addresses), chosen, family);
}

/** What of the kernel's settings mode ipvs is told to change. */
export interface IpvsSettings {
  /** --ipvs-strict-arp: the node answers ARP for the addresses of the asked interface alone; default false. */
  readonly strictARP?: boolean;
}

/**
 * The settings that kube-proxy writes in mode ipvs, by the kernel's names. (It leaves conn_reuse_mode alone since
 * Linux 5.9.)
 */
export function ipvsSysctls({ strictARP = false }: IpvsSettings): Readonly<Record<string, number>> {
  return {
    "net.ipv4.ip_forward": 1,
    "net.ipv4.vs.conntrack": 1,
    "net.ipv4.vs.expire_nodest_conn": 1,
    "net.ipv4.vs.expire_quiescent_template": 1,
    ...(strictARP ? { "net.ipv4.conf.all.arp_ignore": 1, "net.ipv4.conf.all.arp_announce": 2 } : {}),
  };
}
