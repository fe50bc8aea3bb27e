/** Settings of a node's kernel by their names, as sysctl prints them. Those that are missing have the kernel's defaults. */
export type Sysctls = Readonly<Record<string, number>>;

export const CONNTRACK = "net.netfilter.nf_conntrack_";
export const VS = "net.ipv4.vs.";
export const IPFRAG = "net.ipv4.ipfrag_";
export const CONF_ALL = "net.ipv4.conf.all.";
const ROUTE_LOCALNET = `${CONF_ALL}route_localnet`;
const VALUE_MAX = 0x7fffffff;

/** Those that the kernel takes no integer for; in seconds a timeout's end depends on the kernel's HZ, and is left open here. */
const MAXIMA: ReadonlyMap<string, number> = new Map([
  ...["checksum", "tcp_loose", "tcp_be_liberal", "tcp_ignore_invalid_rst"].map(
    (name) => [CONNTRACK + name, 1] as const,
  ),
  [`${CONNTRACK}tcp_max_retrans`, 255],
  ...["drop_entry", "drop_packet", "secure_tcp"].map((name) => [VS + name, 3] as const),
]);

/** What connection tracking asks for, with the kernel's defaults; timeouts in seconds. */
const CONNTRACK_DEFAULTS = {
  checksum: 1,
  tcp_timeout_syn_sent: 120,
  tcp_timeout_syn_recv: 60,
  tcp_timeout_established: 432_000,
  tcp_timeout_fin_wait: 120,
  tcp_timeout_close_wait: 60,
  tcp_timeout_last_ack: 30,
  tcp_timeout_time_wait: 120,
  tcp_timeout_close: 10,
  tcp_timeout_max_retrans: 300,
  tcp_timeout_unacknowledged: 300,
  tcp_loose: 1,
  tcp_be_liberal: 0,
  tcp_max_retrans: 3,
  tcp_ignore_invalid_rst: 0,
  sctp_timeout_closed: 10,
  sctp_timeout_cookie_wait: 3,
  sctp_timeout_cookie_echoed: 3,
  sctp_timeout_established: 210,
  sctp_timeout_shutdown_sent: 3,
  sctp_timeout_shutdown_recd: 3,
  sctp_timeout_shutdown_ack_sent: 3,
  sctp_timeout_heartbeat_sent: 30,
  udp_timeout: 30,
  udp_timeout_stream: 120,
  icmp_timeout: 30,
  icmpv6_timeout: 30,
  generic_timeout: 600,
  gre_timeout: 30,
  gre_timeout_stream: 180,
  frag6_timeout: 60,
} as const;

/** A setting of connection tracking, without `net.netfilter.nf_conntrack_`. */
export type ConntrackSetting = keyof typeof CONNTRACK_DEFAULTS;

export const CONNTRACK_SETTINGS = Object.keys(CONNTRACK_DEFAULTS) as readonly ConntrackSetting[];

/** What a setting of connection tracking is. TypeError, naming it, for a value that the kernel would not take. */
export function conntrackSetting(sysctls: Sysctls, setting: ConntrackSetting): number {
  return settingOf(sysctls, CONNTRACK + setting, CONNTRACK_DEFAULTS[setting]);
}

/** What IPVS asks for, with the kernel's defaults (ip_vs_control_net_init_sysctl); kube-proxy sets some of them. */
const VS_DEFAULTS = {
  conntrack: 0,
  conn_reuse_mode: 1,
  expire_nodest_conn: 0,
  expire_quiescent_template: 0,
  sloppy_tcp: 0,
  sloppy_sctp: 0,
  nat_icmp_send: 0,
  schedule_icmp: 0,
  cache_bypass: 0,
  drop_entry: 0,
  drop_packet: 0,
  snat_reroute: 1,
  secure_tcp: 0,
} as const;

/** A setting of IPVS, without `net.ipv4.vs.`. */
export type VsSetting = keyof typeof VS_DEFAULTS;

export const VS_SETTINGS = Object.keys(VS_DEFAULTS) as readonly VsSetting[];

/** What a setting of IPVS is. TypeError as above. */
export function vsSetting(sysctls: Sysctls, setting: VsSetting): number {
  return settingOf(sysctls, VS + setting, VS_DEFAULTS[setting]);
}

/** Whether packets from outside may be to 127.0.0.0/8 (net.ipv4.conf.all.route_localnet: 1). TypeError as above. */
export function routesLocalnet(sysctls: Sysctls): boolean {
  return settingOf(sysctls, ROUTE_LOCALNET, 0) !== 0;
}

/** No sysctl, though it stands among them: see routesAnywhere. */
export const ANY_DESTINATION = "packetyard.any_destination";

/**
 * Whether packets from outside may be to ::1, 0.0.0.0 and link-local addresses, which a kernel refuses before any rule. Who
 * asks what rules alone say sets it (ANY_DESTINATION: 1). TypeError as above.
 */
export function routesAnywhere(sysctls: Sysctls): boolean {
  return settingOf(sysctls, ANY_DESTINATION, 0) !== 0;
}

/** As `sysctl` prints them and sysctl.conf holds them, by name. */
export function printSysctls(sysctls: Sysctls): string {
  const lines = Object.entries(sysctls).map(([name, value]) => `${name} = ${value}\n`);
  return lines.sort().join("");
}

/** What IPv4 fragments are kept by, with the kernel's defaults: for how many seconds, and past how many others of their source. */
const IPFRAG_DEFAULTS = { time: 30, max_dist: 64 } as const;

export type IpfragSetting = keyof typeof IPFRAG_DEFAULTS;

export const IPFRAG_SETTINGS = Object.keys(IPFRAG_DEFAULTS) as readonly IpfragSetting[];

/** A setting of IPv4's fragments, without `net.ipv4.ipfrag_`. TypeError as above. */
export function ipfragSetting(sysctls: Sysctls, setting: IpfragSetting): number {
  return settingOf(sysctls, IPFRAG + setting, IPFRAG_DEFAULTS[setting]);
}

/** Whether packets may tell what a setting is. */
export function isModelled(name: string): boolean {
  return MODELLED.has(name);
}

const MODELLED: ReadonlySet<string> = new Set([
  ...CONNTRACK_SETTINGS.map((name) => CONNTRACK + name),
  ...VS_SETTINGS.map((name) => VS + name),
  ...IPFRAG_SETTINGS.map((name) => IPFRAG + name),
  ROUTE_LOCALNET,
  ANY_DESTINATION,
]);

function settingOf(sysctls: Sysctls, name: string, missing: number): number {
  const value = sysctls[name] ?? missing;
  const max = MAXIMA.get(name) ?? VALUE_MAX;
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new TypeError(`sysctl ${name}: ${String(value)} is not a whole number from 0 to ${max}.`);
}
